import { readFileSync } from 'node:fs';
import { SourceMap, type SourceMapPayload } from 'node:module';

/** A frame of the bundle, perhaps preceded by a function's name, shortened by the build. */
const FRAME = /^( +at ).*?([^\s(]*\/healthctl\.cjs):(\d+):(\d+)\)?$/;

/**
 * A stack trace with source lines instead of the bundle's, through the source map beside it. Without one it stays
 * unchanged.
 */
export function traceInSource(stack: string): string {
  const maps = new Map<string, SourceMap | undefined>();
  const lines = stack.split('\n').map((line) => {
    const [, at, bundle = '', row, column] = FRAME.exec(line) ?? [];
    if (at === undefined) return line;
    if (!maps.has(bundle)) maps.set(bundle, readMap(`${bundle}.map`));
    const entry = maps.get(bundle)?.findEntry(Number(row) - 1, Number(column) - 1);
    if (!entry || !('originalSource' in entry)) return line;
    return `${at}${entry.originalSource}:${entry.originalLine + 1}:${entry.originalColumn + 1}`;
  });
  return lines.join('\n');
}

function readMap(path: string): SourceMap | undefined {
  try {
    return new SourceMap(JSON.parse(readFileSync(path, 'utf8')) as SourceMapPayload);
  } catch {
    return undefined; // a missing or damaged one must not hide the error being reported
  }
}
