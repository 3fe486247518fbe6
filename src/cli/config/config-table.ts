import { HealthctlError } from '../../lib/errors.ts';
import { isObject } from '../../lib/shape.ts';
import { type Locate, wrongType } from './config-values.ts';

/** A table of the file, and where it is, for messages. */
export interface ConfigTable {
  readonly location: string;
  readonly key: string;
  readonly table: Readonly<Record<string, unknown>>;
  /** The location of a key of the table. */
  readonly at: (name: string) => string;
  /** The checked value of a key; undefined without the key. */
  given<T>(name: string, check: (location: string, key: string, value: unknown) => T): T | undefined;
}

/** @param value.at the location of a key of it */
export function configTableOf(
  location: string,
  key: string,
  { table, at }: Pick<ConfigTable, 'table' | 'at'>,
): ConfigTable {
  return {
    ...{ location, key, table, at },
    given: (name, check) => (table[name] === undefined ? undefined : check(at(name), `${key}.${name}`, table[name])),
  };
}

/** Throws CONFIG for anything but a table with these keys. */
export function checkTable(
  location: string,
  key: string,
  { value, locate, keys }: { readonly value: unknown; readonly locate: Locate; readonly keys: readonly string[] },
): ConfigTable {
  if (!isObject(value)) throw wrongType(location, key, `a table, [${key}]`, value);
  const table = configTableOf(location, key, { table: value, at: locate });
  refuseUnknownKeys(table, keys);
  return table;
}

/** @param what has these keys, in the hint; the table, if absent */
export function refuseUnknownKeys({ at, key, table }: ConfigTable, keys: readonly string[], what: string = key): void {
  const unknown = Object.keys(table).find((name) => !keys.includes(name));
  if (unknown !== undefined)
    throw new HealthctlError('CONFIG', `${at(unknown)}: unknown key ${JSON.stringify(`${key}.${unknown}`)}`, {
      hint: `known keys of ${what}: ${keys.join(', ')}`,
    });
}
