import { HealthctlError } from '../../lib/errors.ts';
import type { CommandHookSettings, HookSettings } from '../../lib/settings.ts';
import { isObject, isTexts } from '../../lib/shape.ts';
import { type ConfigTable, configTableOf } from './config-table.ts';
import { type Locate, wrongType } from './config-values.ts';
import { checkCommon, refuseKeysOfOthers } from './hook-common.ts';

/** Reads the tables `[[hook]]`. Throws CONFIG that names the location and the key. */
export async function checkHooks(
  location: string,
  key: string,
  value: unknown,
  locate: Locate,
): Promise<readonly HookSettings[]> {
  if (!Array.isArray(value)) throw wrongType(location, key, 'a list of tables, [[hook]]', value);
  const hooks: HookSettings[] = [];
  for (const [number, table] of (value as readonly unknown[]).entries()) {
    if (!isObject(table)) throw wrongType(location, key, 'a list of tables, [[hook]]', table);
    const at = (name: string): string => locate(number, name);
    hooks.push(await checkHook(configTableOf(locate(number), key, { table, at })));
  }
  return hooks;
}

async function checkHook(hook: ConfigTable): Promise<HookSettings> {
  const { location, key, table } = hook;
  if (table.url === undefined) return checkCommandHook(hook);
  if (table.command !== undefined)
    throw new HealthctlError('CONFIG', `${location}: ${key} has both a command and a url`, {
      hint: 'make it two hooks',
    });
  const { checkUrlHook } = await import('./url-hook-settings.ts');
  return checkUrlHook(hook);
}

function checkCommandHook(hook: ConfigTable): CommandHookSettings {
  const { at, key, table } = hook;
  const { command } = table;
  refuseKeysOfOthers(hook, ['command']);
  if (!isTexts(command) || !command[0]?.startsWith('/'))
    throw wrongType(at('command'), `${key}.command`, 'a list of strings that begins with an absolute path', command);
  const bad = command.findIndex((word) => word.includes('\0'));
  if (bad >= 0)
    throw new HealthctlError('CONFIG', `${at('command')}: ${key}.command: word ${bad + 1} holds a NUL character`, {
      hint: 'the argument of a program cannot have one',
    });
  return { ...checkCommon(hook, { retries: 0 }), command };
}
