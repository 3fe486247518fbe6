import { PassThrough, type Readable, Transform, type TransformCallback } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { extract } from 'tar-stream';
import { HealthctlError, messageOf } from '../../lib/errors.ts';
import { printable } from '../manifest.ts';

/** A file or a link of an archive; other kinds are skipped. */
export interface Member {
  /** Without leading `./`; never absolute, never with `..`. */
  readonly name: string;
  readonly kind: 'file' | 'link';
  readonly size: number;
  /** The target of a link, as a name in the archive: symbolic links are relative to their folder. */
  readonly target: string;
  /** Read it to its end before the next member; an unread body is skipped. */
  readonly body: AsyncIterable<Uint8Array>;
}

const GZIP_MAGIC = Buffer.from([0x1f, 0x8b]);
/** Other packings that Docker accepts; named for the message. */
const OTHER_PACKINGS: readonly (readonly [string, Buffer])[] = [
  ['zstd', Buffer.from([0x28, 0xb5, 0x2f, 0xfd])],
  ['xz', Buffer.from([0xfd, 0x37, 0x7a, 0x58])],
  ['bzip2', Buffer.from('BZh')],
];
/** A real image shrinks to a third; gzip's limit is about 1,000 to one. */
const MAX_EXPANSION = 200;
const EXPANSION_GRACE_BYTES = 1 << 30;
/** The padding at the end of an archive is some kilobytes long. */
const MAX_ZEROS = 16 << 20;

/**
 * The members of a tar archive, gzip-compressed or not, in order: the stream need not be seekable. Throws CORRUPT for
 * anything but an archive, an early end, unreasonable expansion, or members outside the archive.
 *
 * @param what names the archive in errors, e.g. `image.tar`
 */
export async function* readMembers(what: string, source: Readable, signal?: AbortSignal): AsyncGenerator<Member> {
  const tar = extract();
  let hasBegun = false;
  let isInMember = false;
  let isEndless = false;
  const onTooManyZeros = () => {
    if (!hasBegun) throw corrupt(what, `it is no tar archive: it begins with ${MAX_ZEROS >> 20} MiB of zeros`);
    isEndless = true;
  };
  const padding = limitZeros(() => isInMember, onTooManyZeros);
  const abort = new AbortController();
  const cancel = () => {
    abort.abort();
    source.destroy(); // ends the wait for its first bytes
  };
  if (signal?.aborted) cancel();
  signal?.addEventListener('abort', cancel, { once: true });
  const translate = async (broken: unknown): Promise<Error> => {
    // The cause of a broken stream is known where it was fed; its reader only sees that it is gone.
    const error = await unpacked.then(
      () => broken,
      (cause: unknown) => cause,
    );
    if (signal?.aborted) return new HealthctlError('ABORTED', `reading ${what} was cancelled`, { cause: error });
    return error instanceof HealthctlError ? error : corrupt(what, explain(error, hasBegun), error);
  };
  const unpacked = unpack(what, source, [padding, tar], abort.signal);
  unpacked.catch((error: unknown) => tar.destroy(error instanceof Error ? error : new Error(String(error))));
  try {
    for await (const entry of tar) {
      hasBegun = isInMember = true;
      entry.once('end', () => {
        isInMember = false;
      });
      const member = toMember(what, entry.header, bytesOf(entry, translate));
      if (member) yield member;
      // An iterator over a stream ends silently when the stream is resumed: unread data is skipped here.
      entry.resume();
    }
    if (!isEndless) await unpacked;
  } catch (error) {
    throw error instanceof HealthctlError && signal?.aborted !== true ? error : await translate(error);
  } finally {
    signal?.removeEventListener('abort', cancel);
    abort.abort();
    source.destroy();
  }
}

/** Into `tar`, through gunzip if the first bytes require it. */
async function unpack(
  what: string,
  source: Readable,
  sink: readonly [Transform, NodeJS.WritableStream],
  signal: AbortSignal,
): Promise<void> {
  const first = await firstBytes(source);
  if (first.length === 0) throw corrupt(what, 'it is empty');
  return pipeline([source, ...unpackersFor(what, first), ...sink], { signal });
}

/**
 * The bytes of an archive, unpacked if it is gzip-compressed. Nothing is looked at but its first bytes.
 *
 * @throws INVALID for another compression, CORRUPT for damaged gzip data or an unreasonable expansion
 */
export async function* openUnpacked(what: string, source: Readable, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
  const cancel = () => source.destroy();
  signal?.addEventListener('abort', cancel, { once: true });
  try {
    const unpackers = unpackersFor(what, await firstBytes(source));
    if (unpackers.length === 0) yield* source;
    else yield* compose(source, unpackers);
  } catch (error) {
    if (signal?.aborted) throw new HealthctlError('ABORTED', `reading ${what} was cancelled`, { cause: error });
    throw error instanceof HealthctlError ? error : corrupt(what, explain(error, false), error);
  } finally {
    signal?.removeEventListener('abort', cancel);
    source.destroy();
  }
}

function compose(source: Readable, unpackers: readonly Transform[]): AsyncIterable<Uint8Array> {
  const end = new PassThrough();
  pipeline([source, ...unpackers, end]).catch((error: unknown) => {
    end.destroy(error instanceof Error ? error : new Error(String(error)));
  });
  return end;
}

/** None for an archive that is not compressed. Throws INVALID for another compression than gzip. */
function unpackersFor(what: string, first: Buffer): readonly Transform[] {
  const other = OTHER_PACKINGS.find(([, magic]) => first.subarray(0, magic.length).equals(magic));
  if (other) {
    throw new HealthctlError('INVALID', `${what} is compressed with ${other[0]}, which is not supported`, {
      hint: `unpack it first: ${other[0]} -dc ${what} | healthctl load`,
    });
  }
  if (!first.subarray(0, 2).equals(GZIP_MAGIC)) return [];
  const guard = { packed: 0, unpacked: 0 };
  const count = counter((bytes) => {
    guard.packed += bytes;
  });
  const limit = counter((bytes) => {
    guard.unpacked += bytes;
    if (guard.unpacked > EXPANSION_GRACE_BYTES && guard.unpacked > guard.packed * MAX_EXPANSION) {
      throw corrupt(what, `it expands to more than ${MAX_EXPANSION} times its size`);
    }
  });
  return [count, createGunzip(), limit];
}

/**
 * Passes data on. Ends after too many zeros between members, from an archive on a device, or a device of zeros; the
 * rest is not read.
 */
function limitZeros(isInMember: () => boolean, onTooMany: () => void): Transform {
  let zeros = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done: TransformCallback) {
      zeros = isInMember() || chunk.some((byte) => byte !== 0) ? 0 : zeros + chunk.length;
      if (zeros <= MAX_ZEROS) return done(null, chunk);
      try {
        onTooMany();
        this.push(null); // requests no more data
      } catch (error) {
        done(error instanceof Error ? error : new Error(String(error)));
      }
    },
  });
}

function counter(onBytes: (bytes: number) => void): Transform {
  return new Transform({
    transform(chunk: Buffer, _encoding, done: TransformCallback) {
      try {
        onBytes(chunk.length);
        done(null, chunk);
      } catch (error) {
        done(error instanceof Error ? error : new Error(String(error)));
      }
    },
  });
}

/** The first bytes of a stream, which stay in it. */
async function firstBytes(source: Readable): Promise<Buffer> {
  for (;;) {
    const chunk: Buffer | null = source.read();
    if (chunk !== null) {
      source.unshift(chunk);
      return chunk;
    }
    if (source.readableEnded || source.destroyed) {
      if (source.errored) throw source.errored;
      return Buffer.alloc(0);
    }
    await new Promise<void>((resolve, reject) => {
      const settle = (error?: Error) => {
        source.off('readable', settle).off('end', settle).off('error', settle).off('close', settle);
        if (error) reject(error);
        else resolve();
      };
      source.on('readable', settle).on('end', settle).on('error', settle).on('close', settle);
    });
  }
}

async function* bytesOf(
  entry: AsyncIterable<unknown>,
  translate: (error: unknown) => Promise<Error>,
): AsyncGenerator<Uint8Array> {
  const chunks = entry[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = await chunks.next().catch(async (error: unknown) => {
        throw await translate(error);
      });
      if (next.done) return;
      if (next.value instanceof Uint8Array) yield next.value;
    }
  } finally {
    await chunks.return?.();
  }
}

interface Header {
  readonly name: string;
  readonly size?: number | undefined;
  readonly type?: string | null | undefined;
  readonly linkname?: string | null | undefined;
}

function toMember(what: string, header: Header, body: AsyncIterable<Uint8Array>): Member | undefined {
  const { type, size = 0, linkname } = header;
  if (type !== 'file' && type !== 'contiguous-file' && type !== 'link' && type !== 'symlink') return undefined;
  const name = nameInArchive(what, header.name, '');
  if (type === 'file' || type === 'contiguous-file') return { name, kind: 'file', size, target: '', body };
  const folder = type === 'symlink' ? name.split('/').slice(0, -1).join('/') : '';
  return { name, kind: 'link', size: 0, target: nameInArchive(what, linkname ?? '', folder), body };
}

/** A member's name from the root of the archive. Throws for one outside it. */
function nameInArchive(what: string, name: string, folder: string): string {
  const parts: string[] = [];
  if (name.startsWith('/') || name.includes('\0')) throw outside(what, name);
  for (const part of `${folder}/${name}`.split('/')) {
    if (part === '' || part === '.') continue;
    if (part !== '..') parts.push(part);
    else if (folder === '' || parts.pop() === undefined) throw outside(what, name);
  }
  return parts.join('/');
}

const outside = (what: string, name: string) => corrupt(what, `its member "${printable(name)}" lies outside of it`);

function corrupt(what: string, why: string, cause?: unknown): HealthctlError {
  return new HealthctlError('CORRUPT', `${what} is not an image archive: ${why}`, { cause });
}

/** @param hasBegun whether there was a member before it */
function explain(error: unknown, hasBegun: boolean): string {
  const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
  const message = messageOf(error);
  if (code === 'Z_BUF_ERROR') return 'it is truncated';
  if (/unexpected end/i.test(message)) return hasBegun ? 'it is truncated' : 'it is no tar archive, or truncated';
  if (code.startsWith('Z_')) return 'its gzip data are damaged';
  if (/invalid tar header|invalid header|exceeds max size/i.test(message)) return 'it is no tar archive, or damaged';
  return printable(message);
}
