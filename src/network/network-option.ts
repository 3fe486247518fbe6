import { quote } from '../go/quote.ts';
import { HealthctlError } from '../lib/errors.ts';

/** Docker's driver option; nerdctl also accepts `mtu`. */
export const MTU_OPTION = 'com.docker.network.driver.mtu';

/** The minimum of IPv4, and the largest packet. */
const MTU = { min: 68, max: 65_535 };

export interface NetworkOptions {
  readonly mtu?: number;
  /** Options that healthctl does not support. */
  readonly unknown: readonly string[];
}

/**
 * Parses `--opt KEY=VALUE` of `network create`. Throws INVALID for an invalid value, with Docker's text if there is
 * one.
 */
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
