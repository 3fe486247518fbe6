/** A member of a tar archive to be written. */
export interface TarMember {
  /** At most 100 bytes, without a leading slash; of a directory with a slash at its end. */
  readonly name: string;
  readonly kind: 'file' | 'directory';
  /** Bytes of the body. */
  readonly size: number;
  /** Default 0, so that equal content makes equal archives. */
  readonly mtimeMs?: number;
}

/** Members and their bodies start at multiples of this. */
const TAR_BLOCK_BYTES = 512;
const MAX_NAME_BYTES = 100;
/** More does not fit into eleven octal digits. */
const MAX_OCTAL_SIZE = 8 ** 11 - 1;

/** The header block of a member, owned by root (POSIX.1-2008, pax, "ustar Interchange Format"). */
export function tarHeader({ name, kind, size, mtimeMs = 0 }: TarMember): Buffer {
  const block = Buffer.alloc(TAR_BLOCK_BYTES);
  if (Buffer.byteLength(name) > MAX_NAME_BYTES) throw new RangeError(`the name ${name} is too long for a tar header`);
  block.write(name, 0);
  writeOctal(block, { at: 100, length: 8, value: kind === 'directory' ? 0o755 : 0o644 });
  writeOctal(block, { at: 108, length: 8, value: 0 });
  writeOctal(block, { at: 116, length: 8, value: 0 });
  if (size > MAX_OCTAL_SIZE) writeLarge(block, size);
  else writeOctal(block, { at: 124, length: 12, value: size });
  writeOctal(block, { at: 136, length: 12, value: Math.max(0, Math.floor(mtimeMs / 1000)) });
  block.write(kind === 'directory' ? '5' : '0', 156);
  block.write('ustar\x0000', 257);
  block.fill(' ', 148, 156); // the checksum counts its own field as spaces
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return block;
}

/** What follows a body of this size, up to the next block. */
export function tarPadding(size: number): Buffer {
  return Buffer.alloc((TAR_BLOCK_BYTES - (size % TAR_BLOCK_BYTES)) % TAR_BLOCK_BYTES);
}

/** The end of an archive. */
export const tarEnd = (): Buffer => Buffer.alloc(2 * TAR_BLOCK_BYTES);

function writeOctal(block: Buffer, field: { readonly at: number; readonly length: number; readonly value: number }) {
  const { at, length, value } = field;
  block.write(`${value.toString(8).padStart(length - 1, '0')}\0`, at);
}

/** GNU's form, which all readers know: the highest bit, then the number in base 256. */
function writeLarge(block: Buffer, size: number): void {
  block[124] = 0x80;
  block.writeBigUInt64BE(BigInt(size), 128);
}
