import { HealthctlError } from '../../lib/errors.ts';
import { HOOK_NAMES, type HookName, type HookSettings } from '../../lib/settings.ts';
import { checkDuration, checkNumber, wrongType } from './config-values.ts';

const DEFAULT_TIMEOUT_MS = 10_000;
const MAX_RETRIES = 10;
const COMMON_KEYS = ['on', 'timeout', 'retries'];

/** A table `[[hook]]`, and where it is, for messages. */
export interface HookTable {
  readonly location: string;
  readonly key: string;
  readonly table: Readonly<Record<string, unknown>>;
}

/** Throws CONFIG for a key that this kind of hook does not have. @param own its keys besides the common ones */
export function refuseUnknownKeys({ location, key, table }: HookTable, own: readonly string[]): void {
  const known = [...COMMON_KEYS, ...own];
  const unknown = Object.keys(table).find((name) => !known.includes(name));
  if (unknown !== undefined)
    throw new HealthctlError('CONFIG', `${location}: unknown key ${JSON.stringify(`${key}.${unknown}`)}`, {
      hint: `known keys of a hook with a ${own[0]}: ${known.join(', ')}`,
    });
}

/** The settings that every hook has. */
export function checkCommon(
  { location, key, table }: HookTable,
  defaults: { readonly retries: number },
): Pick<HookSettings, 'on' | 'timeoutMs' | 'retries'> {
  const { on = HOOK_NAMES, timeout, retries = defaults.retries } = table;
  const isName = (name: unknown): name is HookName => HOOK_NAMES.some((known) => known === name);
  if (!isListOf(on, isName) || on.length === 0)
    throw wrongType(
      location,
      `${key}.on`,
      `a list of ${HOOK_NAMES.map((name) => JSON.stringify(name)).join(', ')}`,
      on,
    );
  return {
    on,
    timeoutMs: timeout === undefined ? DEFAULT_TIMEOUT_MS : checkDuration(location, `${key}.timeout`, timeout),
    retries: checkNumber(location, `${key}.retries`, retries, MAX_RETRIES, 0),
  };
}

export function isListOf<T>(value: unknown, isOne: (item: unknown) => item is T): value is readonly T[] {
  return Array.isArray(value) && value.every(isOne);
}
