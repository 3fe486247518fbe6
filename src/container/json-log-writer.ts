import { join } from 'node:path';
import type { FaultReporter } from '../lib/fault-reporter.ts';
import { isCount, isObject } from '../lib/shape.ts';
import type { LogAttributes } from '../record/log-attributes.ts';
import type { LogLimit } from '../record/log-config.ts';
import { replaceFile } from '../system/atomic-write.ts';
import { readOwnJson } from '../system/own-file.ts';
import { jsonLogEntry } from './json-log.ts';
import { openJsonLogFile } from './json-log-file.ts';
import { type Chunk, nextChunk, type Piece, type Position } from './json-log-source.ts';
import { jsonLogPathOf, OUTPUT_STREAMS, type OutputStream } from './logs/output-files.ts';

export interface JsonLogOptions extends FaultReporter {
  /** The container's directory: contains its output files, and gets the json-file. */
  readonly dataDir: string;
  readonly id: string;
  readonly limit: LogLimit | undefined;
  readonly attributes: LogAttributes;
}

interface State {
  readonly positions: Readonly<Partial<Record<OutputStream, Position>>>;
  /**
   * The json-file when this was recorded: data beyond its end was appended by a writer that was killed before it could
   * record it.
   */
  readonly inode: number;
  readonly size: number;
}

/**
 * Copies a part of a container's output into a file in Docker's json-file format, `<id>-json.log`, for log shippers.
 * `json-log.json` records the position: every byte is copied once, whichever monitor copies it. With a limit, before
 * the file would exceed `max-size`, it is renamed to `<id>-json.log.1` and so on, and `max-file` files are kept.
 *
 * @param isOver whether the container has ended: then a last line without a newline counts too
 * @returns whether there is more to copy
 * @throws system errors
 */
export function copyToJsonLog(options: JsonLogOptions, isOver: boolean): boolean {
  const { dataDir, id, attributes } = options;
  const statePath = join(dataDir, 'json-log.json');
  const state = readOwnJson(statePath, stateFrom, options) ?? { positions: {}, inode: 0, size: 0 };
  const chunks = OUTPUT_STREAMS.flatMap(
    (stream) => nextChunk({ ...options, stream, from: state.positions[stream], isOver }) ?? [],
  );
  const pieces = inOrder(chunks);
  if (pieces.length === 0) return false;
  const out = openJsonLogFile(jsonLogPathOf(dataDir, id), state, options);
  try {
    for (const { bytes, stream, atMs } of pieces) out.append(jsonLogEntry({ bytes, stream, atMs, attributes }));
    out.flush();
    const positions = { ...state.positions };
    for (const { stream, inode, offset } of pieces) positions[stream] = { inode, offset };
    replaceFile(statePath, `${JSON.stringify({ positions, ...out.written() })}\n`);
  } finally {
    out.close();
  }
  return chunks.some(({ isLast }) => !isLast);
}

/**
 * Merges the lines of both streams by time. If a stream continues after its chunk, its later lines are unknown, so
 * later lines of the other stream wait.
 */
function inOrder(chunks: readonly Chunk[]): readonly Piece[] {
  const ends = chunks.flatMap(({ pieces, isLast }) => (isLast ? [] : (pieces.at(-1)?.atMs ?? [])));
  const horizonMs = Math.min(...ends, Number.POSITIVE_INFINITY);
  const known = chunks.flatMap(({ pieces }) => pieces.filter(({ atMs }) => atMs <= horizonMs));
  return known.sort((a, b) => a.atMs - b.atMs);
}

function stateFrom(value: unknown): State | undefined {
  if (!isObject(value) || !isObject(value.positions)) return undefined;
  const { positions, inode, size } = value;
  if (!isCount(inode) || !isCount(size)) return undefined;
  const entries = OUTPUT_STREAMS.flatMap((stream) => {
    const position = positions[stream];
    if (!isObject(position)) return [];
    const { inode, offset } = position;
    return isCount(inode) && isCount(offset) ? [[stream, { inode, offset }] as const] : [];
  });
  return { positions: Object.fromEntries(entries), inode, size };
}
