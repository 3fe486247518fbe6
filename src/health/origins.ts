import { type GivenHealthConfig, mergeHealthConfig } from './config.ts';
import { FIELD_NAMES, type FieldName, HEALTH_FIELDS } from './fields.ts';

/** Where a value comes from, as far as the record of a container says it. */
export const RECORDED_ORIGINS = ['flag', 'image', 'update'] as const;
type RecordedOrigin = (typeof RECORDED_ORIGINS)[number];

/**
 * Where the value of a field comes from. `configuration`: healthctl's own. `unknown`: an option or the image; the
 * container was made without a record of it, and its image is gone.
 */
export type Origin = RecordedOrigin | 'default' | 'configuration' | 'unknown';

/** By field; one without an entry was not given. */
export type RecordedOrigins = { readonly [K in FieldName]?: RecordedOrigin };

/** For a new container. The fields are those of `mergeHealthConfig`. */
export function originsAtCreate(
  image: GivenHealthConfig | undefined,
  flags: GivenHealthConfig | undefined,
): RecordedOrigins {
  const given = mergeHealthConfig(undefined, flags) ?? {};
  const merged = mergeHealthConfig(image, flags) ?? {};
  const isUsed = <K extends FieldName>(name: K): boolean =>
    merged[name] !== undefined && isSameValue(HEALTH_FIELDS[name].atUse(merged[name], merged), merged[name]);
  return collect((name) => (!isUsed(name) ? undefined : given[name] === undefined ? 'image' : 'flag'));
}

/** After an update: its fields come from it, the others stay. */
export function originsAfterUpdate(before: RecordedOrigins, update: GivenHealthConfig): RecordedOrigins {
  const given = mergeHealthConfig(undefined, update) ?? {};
  return collect((name) => (given[name] === undefined ? before[name] : 'update'));
}

/** The origin of each field that a config has. */
export function originsOf(facts: {
  readonly config: GivenHealthConfig;
  /** Empty for a container without a record, such as one of another tool. */
  readonly recorded: RecordedOrigins;
  /** The image's own check; undefined if the image is not known any more. */
  readonly image: GivenHealthConfig | undefined;
}): { readonly [K in FieldName]?: Origin } {
  const { config, recorded, image } = facts;
  const originOf = <K extends FieldName>(name: K): Origin | undefined => {
    const value = config[name];
    if (value === undefined) return undefined;
    if (recorded[name]) return recorded[name];
    const { atUse } = HEALTH_FIELDS[name];
    if (image && isSameValue(image[name], value)) return 'image';
    if (isSameValue(atUse(undefined, config), value)) return 'default';
    return image ? 'flag' : 'unknown';
  };
  return collect(originOf);
}

function isSameValue(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

function collect<T>(pick: (name: FieldName) => T | undefined): { readonly [K in FieldName]?: T } {
  const found: { [K in FieldName]?: T } = {};
  for (const name of FIELD_NAMES) {
    const value = pick(name);
    if (value !== undefined) found[name] = value;
  }
  return found;
}
