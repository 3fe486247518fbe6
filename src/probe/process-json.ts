import { decodeJson, encodeJson } from '../lib/json.ts';

/**
 * The `process` part of an OCI runtime spec: all that a check needs of it, and a tenth of its size.
 *
 * @param specJson the spec as JSON text, as containerd keeps it
 * @returns JSON text; undefined when there is none. Throws CORRUPT for what is no JSON
 */
export function processJsonOf(specJson: string | undefined): string | undefined {
  if (specJson === undefined) return undefined;
  const text = processTextOf(specJson);
  const process = text === undefined ? memberOf(decodeJson(specJson), 'process') : decodeJson(text);
  return typeof process === 'object' && process !== null ? encodeJson(process) : undefined;
}

function memberOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>)[name] : undefined;
}

const KEY = '"process"';
/** As far as the next brace that is in no string. */
const TO_BRACE = /(?:[^"{}]|"(?:[^"\\]|\\.)*")*([{}])/y;
/** Regular expressions have a stack of 64 MiB, and need some bytes of it for each character here. */
const MAX_SCANNED_LENGTH = 1 << 20;

/**
 * The text of the member, found without reading the rest: a spec is mostly its seccomp profile. Undefined where that would not be certain:
 * there are several such words, or a name may be written in another way.
 */
function processTextOf(specJson: string): string | undefined {
  if (specJson.length > MAX_SCANNED_LENGTH) return undefined;
  const keyAt = specJson.indexOf(KEY);
  if (keyAt < 0 || specJson.includes(KEY, keyAt + 1)) return undefined;
  if (!/^\s*\{(?:[^"{}]|"[^"\\]*")*$/.test(specJson.slice(0, keyAt))) return undefined;
  const fromAt = /^\s*:\s*(?=\{)/.exec(specJson.slice(keyAt + KEY.length, keyAt + KEY.length + 64))?.[0].length;
  if (fromAt === undefined) return undefined;
  const from = keyAt + KEY.length + fromAt;
  const to = endOf(specJson, from);
  return to === undefined || specJson.includes('\\', to) ? undefined : specJson.slice(from, to);
}

/** Where the object ends that begins there; undefined when it does not. */
function endOf(text: string, from: number): number | undefined {
  let depth = 0;
  for (let at = from; ; at = TO_BRACE.lastIndex) {
    TO_BRACE.lastIndex = at;
    const brace = TO_BRACE.exec(text)?.[1];
    if (brace === undefined) return undefined;
    depth += brace === '{' ? 1 : -1;
    if (depth === 0) return TO_BRACE.lastIndex;
  }
}
