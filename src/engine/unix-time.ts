import { quote } from '../go/quote.ts';
import { EngineError } from './errors.ts';

/**
 * Seconds since the epoch with up to nine decimals, to milliseconds (moby: api/types/time/timestamp.go).
 *
 * @returns undefined for an empty text
 * @throws EngineError 500 with Go's text
 */
export function parseUnixTime(text: string): number | undefined {
  if (text === '') return undefined;
  const [seconds = '', fraction = ''] = text.split(/\.(.*)/s, 2);
  for (const digits of [seconds, ...(fraction === '' ? [] : [fraction])])
    if (!/^[+-]?\d{1,18}$/.test(digits))
      throw new EngineError(500, `strconv.ParseInt: parsing ${quote(digits)}: invalid syntax`);
  return Number(seconds) * 1000 + (fraction === '' ? 0 : Number(fraction) * 10 ** (3 - fraction.length));
}
