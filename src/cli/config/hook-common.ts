import { HOOK_NAMES, type HookName, type HookSettings } from '../../lib/settings.ts';
import { listOf, oneOf } from '../../lib/shape.ts';
import { type ConfigTable, refuseUnknownKeys } from './config-table.ts';
import { checkDuration, checkNumber, wrongType } from './config-values.ts';

const DEFAULT_TIMEOUT_MS = 10_000;
const MAX_RETRIES = 10;
const COMMON_KEYS = ['on', 'timeout', 'retries'];

/** Throws CONFIG for a key that this kind of hook does not have. @param own its keys besides the common ones */
export function refuseKeysOfOthers(hook: ConfigTable, own: readonly string[]): void {
  refuseUnknownKeys(hook, [...COMMON_KEYS, ...own], `a hook with a ${own[0]}`);
}

/** The settings that every hook has. */
export function checkCommon(
  { given }: ConfigTable,
  defaults: { readonly retries: number },
): Pick<HookSettings, 'on' | 'timeoutMs' | 'retries'> {
  return {
    on: given('on', checkNames) ?? HOOK_NAMES,
    timeoutMs: given('timeout', checkDuration) ?? DEFAULT_TIMEOUT_MS,
    retries: given('retries', (at, name, value) => checkNumber(at, name, value, MAX_RETRIES, 0)) ?? defaults.retries,
  };
}

const isNames = listOf(oneOf(HOOK_NAMES));

function checkNames(location: string, key: string, value: unknown): readonly HookName[] {
  if (isNames(value) && value.length > 0) return value;
  throw wrongType(location, key, `a list of ${HOOK_NAMES.map((name) => JSON.stringify(name)).join(', ')}`, value);
}
