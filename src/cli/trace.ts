import { readFileSync } from 'node:fs';
import { SourceMap, type SourceMapPayload } from 'node:module';

/** A frame of the bundle; before it may stand the name of a function, shortened by the build. */
const FRAME = /^( +at ).*?([^\s(]*\/healthctl\.cjs):(\d+):(\d+)\)?$/;

/**
 * A stack trace with the lines of the sources instead of those of the bundle, told by the source map that the build leaves beside it. Without one
 * it stays as it is.
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
    return undefined; // one that is missing or damaged must not hide the error that is being told
  }
}
