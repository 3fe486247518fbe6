import type { HistorySettings } from '../../lib/settings.ts';
import { checkTable } from './config-table.ts';
import { checkBoolean, checkDuration, checkNumber, type Locate, wrongType } from './config-values.ts';

const DAY_MS = 86_400_000;

export const HISTORY_DEFAULTS: HistorySettings = { isEnabled: true, maxAgeMs: 7 * DAY_MS, maxBytes: 256 << 20 };

const KEYS = ['enabled', 'max_age', 'max_size_mb'];
/** Old hours and changes are cheap, and a size bounds them too. */
const MAX_AGE_MS = 366 * DAY_MS;
const MAX_SIZE_MB = 1 << 20;

/** Reads the table `[history]`. Throws CONFIG that names the location and the key. */
export function checkHistory(location: string, key: string, value: unknown, locate: Locate): HistorySettings {
  const { given } = checkTable(location, key, { value, locate, keys: KEYS });
  const megabytes = given('max_size_mb', (at, name, size) => checkNumber(at, name, size, MAX_SIZE_MB));
  return {
    isEnabled: given('enabled', checkBoolean) ?? HISTORY_DEFAULTS.isEnabled,
    maxAgeMs: given('max_age', checkAge) ?? HISTORY_DEFAULTS.maxAgeMs,
    maxBytes: megabytes === undefined ? HISTORY_DEFAULTS.maxBytes : megabytes * 2 ** 20,
  };
}

function checkAge(location: string, key: string, value: unknown): number {
  const ms = checkDuration(location, key, value);
  if (ms > MAX_AGE_MS) throw wrongType(location, key, 'at most 8784h, a year', value);
  return ms;
}
