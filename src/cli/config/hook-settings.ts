import { HealthctlError } from '../../lib/errors.ts';
import { HOOK_NAMES, type HookName, type HookSettings } from '../../lib/settings.ts';
import { checkDuration, checkNumber, wrongType } from './config-values.ts';

const DEFAULT_TIMEOUT_MS = 10_000;
const MAX_RETRIES = 10;
const KEYS = ['on', 'command', 'timeout', 'retries'];

/** Reads the tables `[[hook]]`. Throws CONFIG that names the location and the key. */
export function checkHooks(location: string, key: string, value: unknown): readonly HookSettings[] {
  if (!Array.isArray(value)) throw wrongType(location, key, 'a list of tables, [[hook]]', value);
  return value.map((table: unknown) => checkHook(location, key, table));
}

function checkHook(location: string, key: string, table: unknown): HookSettings {
  if (typeof table !== 'object' || table === null) throw wrongType(location, key, 'a list of tables, [[hook]]', table);
  const { on = HOOK_NAMES, command, timeout, retries = 0 } = table as Readonly<Record<string, unknown>>;
  const unknown = Object.keys(table).find((name) => !KEYS.includes(name));
  if (unknown !== undefined)
    throw new HealthctlError('CONFIG', `${location}: unknown key ${JSON.stringify(`${key}.${unknown}`)}`, {
      hint: `known keys of a hook: ${KEYS.join(', ')}`,
    });
  const isName = (name: unknown): name is HookName => HOOK_NAMES.some((known) => known === name);
  if (!isListOf(on, isName) || on.length === 0)
    throw wrongType(
      location,
      `${key}.on`,
      `a list of ${HOOK_NAMES.map((name) => JSON.stringify(name)).join(', ')}`,
      on,
    );
  if (!isListOf(command, (text) => typeof text === 'string') || !command[0]?.startsWith('/'))
    throw wrongType(location, `${key}.command`, 'a list of strings that begins with an absolute path', command);
  const bad = command.findIndex((word) => word.includes('\0'));
  if (bad >= 0)
    throw new HealthctlError('CONFIG', `${location}: ${key}.command: word ${bad + 1} holds a NUL character`, {
      hint: 'the argument of a program cannot have one',
    });
  return {
    ...{ on, command },
    timeoutMs: timeout === undefined ? DEFAULT_TIMEOUT_MS : checkDuration(location, `${key}.timeout`, timeout),
    retries: checkNumber(location, `${key}.retries`, retries, MAX_RETRIES, 0),
  };
}

function isListOf<T>(value: unknown, isOne: (item: unknown) => item is T): value is readonly T[] {
  return Array.isArray(value) && value.every(isOne);
}
