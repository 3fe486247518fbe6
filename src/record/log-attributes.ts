import { HealthctlError, messageOf } from '../lib/errors.ts';
import { isTexts } from '../lib/shape.ts';
import type { StoredConfig } from './stored-config.ts';

/** The attributes that `--log-opt labels=…`, `env=…` and the like add to each log line: name → value. */
export type LogAttributes = Readonly<Record<string, string>>;

/** As given by `--log-opt`: `labels` → `team`. */
type LogOptions = Readonly<Record<string, string>>;

/** The source of attribute values. */
export interface AttributeSource {
  readonly labels: Readonly<Record<string, string>>;
  /** `NAME=value`. */
  readonly env: readonly string[];
}

/**
 * The attributes that json-file's options ask for (moby: daemon/logger/loginfo.go ExtraAttributes): `labels` and `env`
 * list names, separated by commas; `labels-regex` and `env-regex` match names.
 *
 * @throws INVALID for an expression that does not compile
 */
export function logAttributesFrom(options: LogOptions, { labels, env }: AttributeSource): LogAttributes {
  const variables = env.flatMap((text) => {
    const equals = text.indexOf('=');
    return equals > 0 ? [[text.slice(0, equals), text.slice(equals + 1)] as const] : [];
  });
  const chosen = [
    ...choose(Object.entries(labels), options.labels, expressionOf(options, 'labels-regex')),
    ...choose(variables, options.env, expressionOf(options, 'env-regex')),
  ];
  return Object.fromEntries(chosen);
}

/**
 * Like `logAttributesFrom`, for a container of ours; none if an expression that an earlier version accepted does not
 * compile.
 */
export function logAttributesOf(
  { Config }: StoredConfig,
  { options }: { readonly options: LogOptions },
): LogAttributes {
  const env = isTexts(Config.Env) ? Config.Env : [];
  try {
    return logAttributesFrom(options, { labels: Config.Labels, env });
  } catch (error) {
    if (error instanceof HealthctlError) return {};
    throw error;
  }
}

/** The form of `docker logs --details`: sorted, URL-encoded, `ENV=foo,LABEL=a+b`. */
export function attributesText(attributes: LogAttributes): string {
  return Object.entries(attributes)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${queryEscape(name)}=${queryEscape(value)}`)
    .join(',');
}

type Entry = readonly [name: string, value: string];

function choose(
  entries: readonly Entry[],
  names: string | undefined,
  expression: RegExp | undefined,
): readonly Entry[] {
  const wanted = new Set((names ?? '').split(',').filter((name) => name !== ''));
  return entries.filter(([name]) => wanted.has(name) || expression?.test(name) === true);
}

function expressionOf(options: LogOptions, key: string): RegExp | undefined {
  const text = options[key];
  if (text === undefined || text === '') return undefined;
  try {
    return new RegExp(text, 'u');
  } catch (cause) {
    throw new HealthctlError('INVALID', `log opt ${key}: ${messageOf(cause)}`, { cause });
  }
}

/** Go's url.QueryEscape. */
function queryEscape(text: string): string {
  // An image's label may contain half a surrogate pair, which cannot be encoded.
  return encodeURIComponent(Buffer.from(text).toString('utf8'))
    .replaceAll('%20', '+')
    .replace(/[!'()*]/g, (mark) => `%${mark.charCodeAt(0).toString(16).toUpperCase()}`);
}
