import { pipeline, Readable, type Transform } from 'node:stream';
import * as zlib from 'node:zlib';
import { HealthctlError } from '../../lib/errors.ts';
import { untilAborted } from '../../lib/until-aborted.ts';

/** The longest beginning by which a packing is recognised. */
const MAGIC_BYTES = 6;
const GZIP = Buffer.from([0x1f, 0x8b]);
const ZSTD = Buffer.from([0x28, 0xb5, 0x2f, 0xfd]);
const REFUSED: readonly (readonly [string, Buffer])[] = [
  ['bzip2', Buffer.from('BZh')],
  ['xz', Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00])],
];

/**
 * The content of a stream that may be compressed, recognised by its first bytes: gzip, and zstd where Node.js has it.
 *
 * @throws INVALID for another packing, ABORTED; the stream itself fails for damaged data, and when the signal fires
 */
export async function decompressed(
  source: AsyncIterable<Uint8Array>,
  signal: AbortSignal | undefined,
): Promise<Readable> {
  const chunks = untilAborted(source, signal, 'the copy was cancelled');
  let head = Buffer.alloc(0);
  while (head.length < MAGIC_BYTES) {
    const next = await chunks.next();
    if (next.done) break;
    head = Buffer.concat([head, next.value]);
  }
  let decoder: Transform | undefined;
  try {
    decoder = decoderFor(head);
  } catch (error) {
    await chunks.return(undefined);
    throw error;
  }
  const whole = Readable.from(joined(head, chunks), { objectMode: false });
  // A failure destroys the decoder with it, which its reader sees.
  return decoder ? pipeline(whole, decoder, () => undefined) : whole;
}

async function* joined(head: Buffer, chunks: AsyncGenerator<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    if (head.length > 0) yield head;
    yield* chunks;
  } finally {
    await chunks.return(undefined);
  }
}

function decoderFor(head: Buffer): Transform | undefined {
  if (startsWith(head, GZIP)) return zlib.createGunzip();
  const other = REFUSED.find(([, magic]) => startsWith(head, magic))?.[0];
  if (other !== undefined) throw refusal(other);
  if (!startsWith(head, ZSTD)) return undefined;
  // Node.js 22.15 and later.
  const { createZstdDecompress } = zlib as { createZstdDecompress?: () => Transform };
  if (!createZstdDecompress) throw refusal('zstd');
  return createZstdDecompress();
}

const startsWith = (head: Buffer, magic: Buffer): boolean => head.subarray(0, magic.length).equals(magic);

const refusal = (packing: string) =>
  new HealthctlError('INVALID', `the archive is compressed with ${packing}, which is not supported`, {
    hint: 'send it uncompressed or compressed with gzip',
  });
