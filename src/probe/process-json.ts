import { decodeJson, encodeJson } from '../lib/json.ts';

/**
 * The `process` part of an OCI runtime spec: all that a check needs of it, and a tenth of its size.
 *
 * @param specJson the spec as JSON text, as containerd keeps it
 * @returns JSON text; undefined when there is none. Throws CORRUPT for what is no JSON
 */
export function processJsonOf(specJson: string | undefined): string | undefined {
  const spec = specJson === undefined ? undefined : decodeJson(specJson);
  const process = typeof spec === 'object' && spec !== null && 'process' in spec ? spec.process : undefined;
  return typeof process === 'object' && process !== null ? encodeJson(process) : undefined;
}
