import { createHash } from 'node:crypto';
import { closeSync, constants, fstatSync, readSync } from 'node:fs';
import { HealthctlError } from '../lib/errors.ts';
import { openPlain } from '../system/own-file.ts';
import { ByteReader, ByteWriter } from './bytes.ts';
import { crc32 } from './crc32.ts';

/*
 * A segment: the blocks of many containers in one file that never changes.
 *
 *   blocks   each: the container's key (length, text), then the block
 *   index    20 bytes for each block, sorted: hash of the key (8), offset (4), length (4), CRC-32 of the block (4)
 *   footer   16 bytes: CRC-32 of the index (4), number of blocks (4), magic (8)
 *
 * Numbers are little-endian. The index is at the end, so that one read finds it.
 */

const MAGIC = Buffer.from('hcseg\0\0\x01', 'latin1');
const ENTRY_BYTES = 20;
const FOOTER_BYTES = 16;
/** Longest key: a namespace and an id of containerd, 76 bytes each, with some room. */
const MAX_KEY_BYTES = 512;
/** A file of ours is far smaller. */
const MAX_SEGMENT_BYTES = 1 << 30;

/** The bytes of a segment, in parts to write one after the other. */
export function segmentOf(blocks: Iterable<readonly [key: string, block: Uint8Array]>): readonly Uint8Array[] {
  const parts: Uint8Array[] = [];
  const entries: Buffer[] = [];
  let offset = 0;
  for (const [key, block] of blocks) {
    const named = new ByteWriter(key.length + 2 + block.length);
    named.text(key, MAX_KEY_BYTES);
    named.bytes(block);
    const bytes = named.written();
    const entry = Buffer.alloc(ENTRY_BYTES);
    hashOf(key).copy(entry);
    entry.writeUInt32LE(offset, 8);
    entry.writeUInt32LE(bytes.length, 12);
    entry.writeUInt32LE(crc32(bytes), 16);
    entries.push(entry);
    parts.push(bytes);
    offset += bytes.length;
  }
  const index = Buffer.concat(entries.sort((a, b) => a.compare(b, 0, 8, 0, 8)));
  const footer = Buffer.alloc(FOOTER_BYTES);
  footer.writeUInt32LE(crc32(index), 0);
  footer.writeUInt32LE(entries.length, 4);
  MAGIC.copy(footer, 8);
  return [...parts, index, footer];
}

/**
 * The block of a container; undefined if the segment has none.
 *
 * @throws CORRUPT for a damaged file; system errors, e.g. ENOENT
 */
export function readBlock(path: string, key: string): Buffer | undefined {
  return withSegment(path, ({ fd, index }) => {
    const hash = hashOf(key);
    for (let at = firstAt(index, hash); at < index.length; at += ENTRY_BYTES) {
      if (index.compare(hash, 0, 8, at, at + 8) !== 0) return undefined;
      const found = blockAt(path, fd, { entry: index.subarray(at, at + ENTRY_BYTES) });
      if (found.key === key) return found.block;
    }
    return undefined;
  });
}

/**
 * Calls `visit` for each block. All blocks are read into the same memory, so that a week of many containers makes little
 * garbage: a block is valid only during its visit. Throws like `readBlock`.
 */
export function eachBlock(path: string, visit: (key: string, block: Buffer) => void): void {
  withSegment(path, ({ fd, index }) => {
    const room = Buffer.allocUnsafe(longestBlock(path, index));
    for (let at = 0; at < index.length; at += ENTRY_BYTES) {
      const { key, block } = blockAt(path, fd, { entry: index.subarray(at, at + ENTRY_BYTES), room });
      visit(key, block);
    }
  });
}

function longestBlock(path: string, index: Buffer): number {
  let most = 0;
  for (let at = 0; at < index.length; at += ENTRY_BYTES) most = Math.max(most, index.readUInt32LE(at + 12));
  if (most > MAX_SEGMENT_BYTES) throw damaged(path);
  return most;
}

interface OpenSegment {
  readonly fd: number;
  readonly index: Buffer;
}

function withSegment<T>(path: string, use: (segment: OpenSegment) => T): T {
  const fd = openPlain(path, constants.O_RDONLY);
  try {
    const stats = fstatSync(fd);
    const { size } = stats;
    if (!stats.isFile() || size < FOOTER_BYTES || size > MAX_SEGMENT_BYTES) throw damaged(path);
    const footer = readAt(path, fd, { from: size - FOOTER_BYTES, length: FOOTER_BYTES });
    const length = footer.readUInt32LE(4) * ENTRY_BYTES;
    if (!footer.subarray(8).equals(MAGIC) || length > size - FOOTER_BYTES) throw damaged(path);
    const index = readAt(path, fd, { from: size - FOOTER_BYTES - length, length });
    if (crc32(index) !== footer.readUInt32LE(0)) throw damaged(path);
    return use({ fd, index });
  } finally {
    closeSync(fd);
  }
}

/** Offset of the first entry whose hash is not less than this one, by binary search. */
function firstAt(index: Buffer, hash: Buffer): number {
  let [low, high] = [0, index.length / ENTRY_BYTES];
  while (low < high) {
    const middle = (low + high) >>> 1;
    const at = middle * ENTRY_BYTES;
    if (index.compare(hash, 0, 8, at, at + 8) < 0) low = middle + 1;
    else high = middle;
  }
  return low * ENTRY_BYTES;
}

/** @param room the block is read into it; default: memory of its own */
function blockAt(
  path: string,
  fd: number,
  { entry, room }: { readonly entry: Buffer; readonly room?: Buffer },
): { readonly key: string; readonly block: Buffer } {
  const bytes = readAt(path, fd, { from: entry.readUInt32LE(8), length: entry.readUInt32LE(12), room });
  if (crc32(bytes) !== entry.readUInt32LE(16)) throw damaged(path);
  const reader = new ByteReader(bytes);
  const key = reader.text();
  return { key, block: reader.rest() };
}

interface Part {
  readonly from: number;
  readonly length: number;
  /** Where to read it to, at least `length` bytes. */
  readonly room?: Buffer | undefined;
}

function readAt(path: string, fd: number, { from, length, room }: Part): Buffer {
  if (length > MAX_SEGMENT_BYTES) throw damaged(path);
  const bytes = room?.subarray(0, length) ?? Buffer.allocUnsafe(length);
  for (let at = 0; at < bytes.length; ) {
    const count = readSync(fd, bytes, at, bytes.length - at, from + at);
    if (count === 0) throw damaged(path);
    at += count;
  }
  return bytes;
}

/** Eight bytes. The chance that two of a million containers share a hash is 1 in 37 million; then the key decides. */
const hashOf = (key: string): Buffer => createHash('sha1').update(key).digest().subarray(0, 8);

const damaged = (path: string): HealthctlError => new HealthctlError('CORRUPT', `${path} is damaged`);
