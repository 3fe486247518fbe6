import { millisecondsFromNanoseconds, parseDuration } from '../lib/duration.ts';
import { HealthctlError, messageOf } from '../lib/errors.ts';
import { HOOK_NAMES, type HookName, type HookSettings } from '../lib/settings.ts';

const DEFAULT_TIMEOUT_MS = 10_000;
const MAX_RETRIES = 10;
const KEYS = ['on', 'command', 'timeout', 'retries'];

/** Reads the tables `[[hook]]`. Throws CONFIG that names the place and the key. */
export function checkHooks(place: string, key: string, value: unknown): readonly HookSettings[] {
  if (!Array.isArray(value)) throw wrong(place, key, 'is a list of tables: [[hook]]');
  return value.map((table: unknown) => checkHook(place, table));
}

function checkHook(place: string, table: unknown): HookSettings {
  if (typeof table !== 'object' || table === null) throw wrong(place, 'hook', 'is a list of tables: [[hook]]');
  const { on = HOOK_NAMES, command, timeout, retries = 0 } = table as Readonly<Record<string, unknown>>;
  const unknown = Object.keys(table).find((key) => !KEYS.includes(key));
  if (unknown !== undefined) throw wrong(place, `hook.${unknown}`, `is not known; known keys: ${KEYS.join(', ')}`);
  if (!isListOf(on, (name): name is HookName => HOOK_NAMES.some((known) => known === name)) || on.length === 0)
    throw wrong(place, 'hook.on', `must be a list of ${HOOK_NAMES.map((name) => JSON.stringify(name)).join(', ')}`);
  if (!isListOf(command, (text) => typeof text === 'string') || !command[0]?.startsWith('/'))
    throw wrong(place, 'hook.command', 'must be a list of strings that begins with an absolute path');
  if (!Number.isInteger(retries) || Number(retries) < 0 || Number(retries) > MAX_RETRIES)
    throw wrong(place, 'hook.retries', `must be a whole number from 0 to ${MAX_RETRIES}`);
  const timeoutMs = timeout === undefined ? DEFAULT_TIMEOUT_MS : millisecondsOf(place, timeout);
  return { on, command, timeoutMs, retries: Number(retries) };
}

function millisecondsOf(place: string, timeout: unknown): number {
  if (typeof timeout !== 'string') throw wrong(place, 'hook.timeout', 'must be a duration like "10s"');
  let ms: number;
  try {
    ms = millisecondsFromNanoseconds(parseDuration(timeout));
  } catch (error) {
    throw wrong(place, 'hook.timeout', messageOf(error));
  }
  if (ms <= 0) throw wrong(place, 'hook.timeout', 'must be longer than nothing');
  return ms;
}

function isListOf<T>(value: unknown, isOne: (item: unknown) => item is T): value is readonly T[] {
  return Array.isArray(value) && value.every(isOne);
}

const wrong = (place: string, key: string, text: string) => new HealthctlError('CONFIG', `${place}: ${key} ${text}`);
