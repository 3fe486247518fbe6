import type { CheckKind } from '../config.ts';
import { type Endpoint, parseHttpUrl } from '../native-test.ts';
import { shellTextOf } from './command-line.ts';
import { standInFor } from './stand-in.ts';

/** What a check connects to, as far as its config or the output of a failure tells. */
export interface Target extends Endpoint {
  /** The addresses that it asks; empty for a name that we cannot look up. */
  readonly addresses: readonly string[];
}

/** A socket that listens in the container's network. */
export interface Listener {
  /** `127.0.0.1`, `::1`, `0.0.0.0`; `::` also accepts IPv4. */
  readonly address: string;
  readonly port: number;
}

export function targetOf(kind: CheckKind, output: string): Target | undefined {
  switch (kind.kind) {
    case 'http':
    case 'tcp':
    case 'grpc':
      return withAddresses(kind, BOTH);
    case 'exec': {
      const endpoint = standInFor(kind.args)?.endpoint ?? endpointInCommand(kind.args) ?? endpointInOutput(output);
      // Of a command with localhost, most programs try IPv4 first, and some nothing else.
      return endpoint && withAddresses(endpoint, addressesIn(output) ?? [LOOPBACK]);
    }
    case 'none':
    case 'disabled':
    case 'unknown':
    case 'malformed':
    case 'no-command':
      return undefined;
  }
}

const LOOPBACK = '127.0.0.1';
const BOTH = [LOOPBACK, '::1'];

function withAddresses({ host, port }: Endpoint, ofLocalhost: readonly string[]): Target {
  const isAddress = /^[\d.]+$/.test(host) || host.includes(':');
  return { host, port, addresses: isAddress ? [host] : host.toLowerCase() === 'localhost' ? ofLocalhost : [] };
}

/** For a command that we do not understand: the first URL in it, or bash's `/dev/tcp/HOST/PORT`. */
function endpointInCommand(args: readonly string[]): Endpoint | undefined {
  const text = shellTextOf(args) ?? args.join(' ');
  const [url] = /https?:\/\/[^\s'"`;|&<>)]+/i.exec(text) ?? [];
  const parsed = url === undefined ? undefined : parseHttpUrl(url);
  if (parsed?.kind === 'ok') return { host: parsed.value.host, port: parsed.value.port };
  const [, host, port] = /\/dev\/tcp\/([\w.:-]+)\/(\d{1,5})/.exec(text) ?? [];
  return host === undefined ? undefined : { host, port: Number(port) };
}

const IN_OUTPUT = [
  /(\d{1,3}(?:\.\d{1,3}){3}|\[[\da-f:]+\]|localhost):(\d{1,5})\b/i,
  /\b(localhost|\d{1,3}(?:\.\d{1,3}){3}|[\da-f]*:[\da-f:]+)\b["'() ,]*port:? (\d{1,5})\b/i,
];

function endpointInOutput(output: string): Endpoint | undefined {
  for (const pattern of IN_OUTPUT) {
    const [, host, port] = pattern.exec(output) ?? [];
    if (host !== undefined) return { host: host.replace(/^\[|\]$/g, ''), port: Number(port) };
  }
  return undefined;
}

/** The loopback addresses that an output names. */
function addressesIn(output: string): readonly string[] | undefined {
  const found = [
    ...(/\b127\.0\.0\.1\b/.test(output) ? [LOOPBACK] : []),
    ...(/(^|[^:\w])::1\b/.test(output) ? ['::1'] : []),
  ];
  return found.length > 0 ? found : undefined;
}

/** Whether a server that listens there accepts a connection to that address. */
export function isCovered(address: string, { address: listening }: Listener): boolean {
  if (listening === '::' || listening === address) return true;
  return listening === '0.0.0.0' && !address.includes(':');
}

export const isLoopback = (address: string): boolean => address === '::1' || address.startsWith('127.');
