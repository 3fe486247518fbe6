import { IS_LITTLE } from './host-number.ts';
import { type Libc, systemError } from './libc.ts';

/**
 * Calls `use` with the address of a copy of some bytes, for structures with pointers; it is freed afterwards.
 *
 * @param bytesAt makes the bytes for this address, so that they may contain pointers into themselves
 */
export function withNativeCopy<T>(
  libc: Libc,
  { size, bytesAt }: { readonly size: number; readonly bytesAt: (address: bigint) => Buffer },
  use: (address: bigint) => T,
): T {
  const address = BigInt(libc.func('uintptr_t malloc(size_t size)')(size));
  if (address === 0n) throw systemError(libc, 'malloc');
  try {
    libc.func('uintptr_t memcpy(uintptr_t target, const void *source, size_t size)')(address, bytesAt(address), size);
    return use(address);
  } finally {
    libc.func('void free(uintptr_t memory)')(address);
  }
}

/** A pointer, or another number of 64 bits, in C's representation on this machine. */
export function int64(value: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  if (IS_LITTLE) bytes.writeBigUInt64LE(value);
  else bytes.writeBigUInt64BE(value);
  return bytes;
}
