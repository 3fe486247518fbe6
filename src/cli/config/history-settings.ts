import { HealthctlError } from '../../lib/errors.ts';
import type { HistorySettings } from '../../lib/settings.ts';
import { isObject } from '../../lib/shape.ts';
import { checkBoolean, checkDuration, checkNumber, wrongType } from './config-values.ts';

const DAY_MS = 86_400_000;

export const HISTORY_DEFAULTS: HistorySettings = { isEnabled: true, maxAgeMs: 7 * DAY_MS, maxBytes: 256 << 20 };

const KEYS = ['enabled', 'max_age', 'max_size_mb'];
/** Old hours and changes are cheap, and a size bounds them too. */
const MAX_AGE_MS = 366 * DAY_MS;
const MAX_SIZE_MB = 1 << 20;

/** Reads the table `[history]`. Throws CONFIG that names the location and the key. */
export function checkHistory(location: string, key: string, value: unknown): HistorySettings {
  if (!isObject(value)) throw wrongType(location, key, 'a table, [history]', value);
  const unknown = Object.keys(value).find((name) => !KEYS.includes(name));
  if (unknown !== undefined)
    throw new HealthctlError('CONFIG', `${location}: unknown key ${JSON.stringify(`${key}.${unknown}`)}`, {
      hint: `known keys of history: ${KEYS.join(', ')}`,
    });
  const { enabled = true, max_age: age, max_size_mb: size } = value;
  const maxAgeMs = age === undefined ? HISTORY_DEFAULTS.maxAgeMs : checkDuration(location, `${key}.max_age`, age);
  if (maxAgeMs > MAX_AGE_MS) throw wrongType(location, `${key}.max_age`, 'at most 8784h, a year', age);
  return {
    isEnabled: checkBoolean(location, `${key}.enabled`, enabled),
    maxAgeMs,
    maxBytes:
      size === undefined
        ? HISTORY_DEFAULTS.maxBytes
        : checkNumber(location, `${key}.max_size_mb`, size, MAX_SIZE_MB) * 2 ** 20,
  };
}
