import { HealthctlError } from '../../lib/errors.ts';
import { isObject } from '../../lib/shape.ts';
import { wrongType } from './config-values.ts';

/** A table of the file, and where it is, for messages. */
export interface ConfigTable {
  readonly location: string;
  readonly key: string;
  readonly table: Readonly<Record<string, unknown>>;
  /** The checked value of a key; undefined without the key. */
  given<T>(name: string, check: (location: string, key: string, value: unknown) => T): T | undefined;
}

export function configTableOf(location: string, key: string, table: Readonly<Record<string, unknown>>): ConfigTable {
  return {
    ...{ location, key, table },
    given: (name, check) => (table[name] === undefined ? undefined : check(location, `${key}.${name}`, table[name])),
  };
}

/** Throws CONFIG for anything but a table with these keys. */
export function checkTable(location: string, key: string, value: unknown, keys: readonly string[]): ConfigTable {
  if (!isObject(value)) throw wrongType(location, key, `a table, [${key}]`, value);
  const table = configTableOf(location, key, value);
  refuseUnknownKeys(table, keys);
  return table;
}

/** @param what has these keys, in the hint; the table, if absent */
export function refuseUnknownKeys(
  { location, key, table }: ConfigTable,
  keys: readonly string[],
  what: string = key,
): void {
  const unknown = Object.keys(table).find((name) => !keys.includes(name));
  if (unknown !== undefined)
    throw new HealthctlError('CONFIG', `${location}: unknown key ${JSON.stringify(`${key}.${unknown}`)}`, {
      hint: `known keys of ${what}: ${keys.join(', ')}`,
    });
}
