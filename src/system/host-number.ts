import { endianness } from 'node:os';

export const IS_LITTLE = endianness() === 'LE';

/** Numbers in C's representation on this machine. */
export function int16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  if (IS_LITTLE) bytes.writeUInt16LE(value);
  else bytes.writeUInt16BE(value);
  return bytes;
}

export function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  if (IS_LITTLE) bytes.writeUInt32LE(value);
  else bytes.writeUInt32BE(value);
  return bytes;
}
