import { quote } from '../go/quote.ts';
import { HealthctlError } from '../lib/errors.ts';

/** Docker's option of a driver; nerdctl also takes `mtu`. */
export const MTU_OPTION = 'com.docker.network.driver.mtu';

/** What IPv4 needs at least, and what a packet can be at most. */
const MTU = { min: 68, max: 65_535 };

export interface NetworkOptions {
  readonly mtu?: number;
  /** Options that healthctl has not. */
  readonly unknown: readonly string[];
}

/** Reads `--opt KEY=VALUE` of `network create`. Throws INVALID for a value that cannot be, in Docker's words where it has some. */
export function parseNetworkOptions(texts: readonly string[]): NetworkOptions {
  const isMtu = (text: string): boolean => [MTU_OPTION, 'mtu'].includes(text.split('=', 1)[0] ?? '');
  const unknown = texts.filter((text) => !isMtu(text));
  const given = texts.findLast(isMtu);
  return given === undefined ? { unknown } : { mtu: parseMtu(given.slice(given.indexOf('=') + 1)), unknown };
}

function parseMtu(text: string): number {
  const refuse = (reason: string) =>
    new HealthctlError('INVALID', `failed to parse ${MTU_OPTION} value: ${text} (${reason})`);
  if (!/^\d{1,9}$/.test(text)) throw refuse(`strconv.Atoi: parsing ${quote(text)}: invalid syntax`);
  const mtu = Number(text);
  if (mtu < MTU.min || mtu > MTU.max) throw refuse(`it must be between ${MTU.min} and ${MTU.max}`);
  return mtu;
}
