import { quote } from '../go/quote.ts';
import { HealthctlError } from '../lib/errors.ts';

/** Docker's driver options; nerdctl also accepts `mtu`. */
export const MTU_OPTION = 'com.docker.network.driver.mtu';
const MTU_OPTIONS: readonly string[] = [MTU_OPTION, 'mtu'];
export const BRIDGE_OPTION = 'com.docker.network.bridge.name';
const MASQUERADE_OPTION = 'com.docker.network.bridge.enable_ip_masquerade';

/** The minimum of IPv4, and the largest packet. */
const MTU = { min: 68, max: 65_535 };

export interface NetworkOptions {
  readonly mtu?: number;
  /** The name of the Linux bridge. */
  readonly bridge?: string;
  /** Packets leave the network with the addresses of their containers. */
  readonly isMasqueraded?: false;
  /** Options that healthctl does not support. */
  readonly unknown: readonly string[];
}

/**
 * Parses `--opt KEY=VALUE` of `network create`. Throws INVALID for an invalid value, with Docker's text if there is
 * one.
 */
export function parseNetworkOptions(texts: readonly string[]): NetworkOptions {
  const parsed = texts.map((text) => {
    const at = text.indexOf('=');
    return { text, key: at < 0 ? text : text.slice(0, at), value: at < 0 ? '' : text.slice(at + 1) };
  });
  const lastOf = (...keys: readonly string[]) => parsed.findLast(({ key }) => keys.includes(key))?.value;
  const [mtu, bridge, masquerade] = [lastOf(...MTU_OPTIONS), lastOf(BRIDGE_OPTION), lastOf(MASQUERADE_OPTION)];
  const known = [...MTU_OPTIONS, BRIDGE_OPTION, MASQUERADE_OPTION];
  return {
    ...(mtu === undefined ? {} : { mtu: parseMtu(mtu) }),
    ...(bridge === undefined ? {} : { bridge: parseBridge(bridge) }),
    ...(masquerade === undefined || parseFlag(MASQUERADE_OPTION, masquerade) ? {} : { isMasqueraded: false }),
    unknown: parsed.filter(({ key }) => !known.includes(key)).map(({ text }) => text),
  };
}

/** The kernel's limit, and what neither a path nor the firewall reads otherwise. */
function parseBridge(text: string): string {
  if (/^[A-Za-z0-9][\w.-]{0,14}$/.test(text) && text !== 'lo') return text;
  throw new HealthctlError('INVALID', `invalid bridge name: ${text}: up to 15 of [a-zA-Z0-9_.-] are allowed`);
}

/** Go's booleans. */
function parseFlag(option: string, text: string): boolean {
  if (/^(?:1|t|true)$/i.test(text)) return true;
  if (/^(?:0|f|false)$/i.test(text)) return false;
  throw new HealthctlError(
    'INVALID',
    `failed to parse ${option} value: ${text} (strconv.ParseBool: parsing ${quote(text)}: invalid syntax)`,
  );
}

function parseMtu(text: string): number {
  const refuse = (reason: string) =>
    new HealthctlError('INVALID', `failed to parse ${MTU_OPTION} value: ${text} (${reason})`);
  if (!/^\d{1,9}$/.test(text)) throw refuse(`strconv.Atoi: parsing ${quote(text)}: invalid syntax`);
  const mtu = Number(text);
  if (mtu < MTU.min || mtu > MTU.max) throw refuse(`it must be between ${MTU.min} and ${MTU.max}`);
  return mtu;
}
