import { decodeJson, encodeJson } from '../lib/json.ts';
import { isObject, objectIn } from '../lib/shape.ts';

/**
 * The `process` part of an OCI runtime spec: all that a check needs of it, and a tenth of its size.
 *
 * @param specJson the spec as JSON text, as containerd stores it
 * @returns JSON text; undefined if there is none. Throws CORRUPT if the spec is not JSON
 */
export function processJsonOf(specJson: string | undefined): string | undefined {
  if (specJson === undefined) return undefined;
  const text = processTextOf(specJson);
  const process = text === undefined ? objectIn(decodeJson(specJson)).process : decodeJson(text);
  return isObject(process) ? encodeJson(process) : undefined;
}

const KEY = '"process"';
/** Matches up to the next brace outside a string. */
const TO_BRACE = /(?:[^"{}]|"(?:[^"\\]|\\.)*")*([{}])/y;
/** Regular expressions have a stack of 64 MiB, and this one needs some bytes of it per character. */
const MAX_SCANNED_LENGTH = 1 << 20;

/**
 * The text of the member, found without parsing the rest: a spec is mostly its seccomp profile. Undefined if the result
 * would be uncertain: the word occurs several times, or the name may be written with escapes.
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

/** The end of the object that begins there; undefined if none does. */
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
