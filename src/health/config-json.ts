import { goField } from '../lib/go-fields.ts';
import type { GivenHealthConfig } from './config.ts';
import { shown } from './field.ts';
import { collectFields, eachField, FIELD_NAMES, HEALTH_FIELDS } from './fields.ts';

/** The health config that a JSON value contains. */
export type ParsedHealthConfig =
  | { readonly kind: 'absent' }
  | { readonly kind: 'config'; readonly config: GivenHealthConfig }
  /** @see reason one clause that names the field and its value */
  | { readonly kind: 'malformed'; readonly reason: string };

/**
 * Reads the value of `config.Healthcheck` or of a label, with keys in any case, as Docker and nerdctl do. Never throws:
 * an image may contain anything there.
 */
export function parseHealthConfig(value: unknown): ParsedHealthConfig {
  if (value === undefined || value === null) return { kind: 'absent' };
  if (typeof value !== 'object' || Array.isArray(value))
    return { kind: 'malformed', reason: `it is not an object: ${shown(value)}` };
  let reason: string | undefined;
  const config = collectFields(({ key, parse }) => {
    const json = goField(value as Readonly<Record<string, unknown>>, key);
    if (json === undefined) return undefined;
    const parsed = parse(json);
    if (parsed.kind === 'ok') return parsed.value;
    reason ??= parsed.reason;
    return undefined;
  });
  return reason === undefined ? { kind: 'config', config } : { kind: 'malformed', reason };
}

/** Like `parseHealthConfig`, from the text of a label. */
export function parseHealthConfigText(text: string): ParsedHealthConfig {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { kind: 'malformed', reason: `it is not JSON: ${shown(text)}` };
  }
  return parseHealthConfig(value);
}

/** Docker's JSON form plus our own keys: in Docker's order, without zero values, durations in nanoseconds. */
export function jsonFromHealthConfig(config: GivenHealthConfig): Record<string, unknown> {
  const json: Record<string, unknown> = {};
  eachField(config, ({ key, isZero }, value) => {
    if (!isZero(value)) json[key] = Array.isArray(value) ? [...value] : value;
  });
  return json;
}

/** The part of a config that Docker and nerdctl know: the test and its times. */
export function dockerPartOf(config: GivenHealthConfig): GivenHealthConfig {
  return collectFields(({ isDockers }, name) => (isDockers ? config[name] : undefined));
}

/** Like `dockerPartOf`, as JSON. */
export function dockerJsonFromHealthConfig(config: GivenHealthConfig): Record<string, unknown> {
  return jsonFromHealthConfig(dockerPartOf(config));
}

/** Whether a config says more than Docker's shape can hold. */
export function hasOwnFields(config: GivenHealthConfig): boolean {
  return FIELD_NAMES.some((name) => !HEALTH_FIELDS[name].isDockers && config[name] !== undefined);
}
