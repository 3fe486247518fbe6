import type { CheckConfig } from '../config.ts';
import { parseEndpoint } from '../native-test.ts';
import { splitAt } from '../parsed.ts';
import type { Words } from './command-line.ts';
import { shownEndpoint, shownHost, standInFor } from './stand-in.ts';

/** What is to be different in a native check. */
export interface NativeChange {
  readonly host?: string;
  readonly port?: number;
  /** A status that counts as healthy too. */
  readonly status?: number;
  readonly tls?: true;
}

/**
 * The options of `run` and `update` for the native check of a config, or for the one that can stand in for its command,
 * with a change. Undefined where there is none, or options cannot express it: they name certificates by file.
 */
export function nativeOptions({ kind, test }: CheckConfig, change: NativeChange = {}): Words | undefined {
  const options = kind.kind === 'exec' ? standInFor(kind.args)?.options : optionsOfTest(test);
  return options && changed(options, change);
}

function optionsOfTest([type = '', ...items]: readonly string[]): Words | undefined {
  if (items.some((item) => item.startsWith('ca='))) return undefined;
  const [place = '', ...more] = items;
  switch (type) {
    case 'HTTP':
      return ['--health-http', place, ...more.flatMap(optionOfHttp)];
    case 'TCP':
      return ['--health-tcp', place];
    case 'GRPC': {
      const [first = '', ...rest] = more;
      const service = /^(tls|verify|authority)=/.test(first) ? '' : first.replace(/^service=/, '');
      const others = service === '' && !first.startsWith('service=') ? more : rest;
      return ['--health-grpc', `${place}${service === '' ? '' : `/${service}`}`, ...others.flatMap(optionOfGrpc)];
    }
    default:
      return undefined;
  }
}

function optionOfHttp(item: string): Words {
  const [key, value] = splitAt(item, '=');
  if (key === 'header') return ['--health-http-header', value];
  if (key === 'status') return ['--health-http-status', value];
  return value === 'true' ? ['--health-http-verify'] : [];
}

function optionOfGrpc(item: string): Words {
  const [key, value] = splitAt(item, '=');
  if (key === 'authority') return ['--health-grpc-authority', value];
  return value === 'true' ? [`--health-grpc-${key}`] : [];
}

function changed(options: Words, change: NativeChange): Words {
  const [option = '', place = '', ...rest] = options;
  const moved = [option, placeWith(option, place, change)];
  if (option === '--health-grpc' && change.tls) return [...moved, ...rest, '--health-grpc-tls'];
  if (option !== '--health-http' || change.status === undefined) return [...moved, ...rest];
  const at = rest.indexOf('--health-http-status');
  const [before, after] = at < 0 ? [rest, []] : [rest.slice(0, at), rest.slice(at + 2)];
  const statuses = at < 0 ? '200-399' : rest[at + 1];
  return [...moved, ...before, '--health-http-status', `${statuses},${change.status}`, ...after];
}

function placeWith(option: string, place: string, { host, port, tls }: NativeChange): string {
  if (option === '--health-http') {
    if (host === undefined && port === undefined && !tls) return place;
    const [, scheme = '', authority = '', path = ''] = /^(https?):\/\/([^/?#]*)(.*)$/is.exec(place) ?? [];
    const [, oldHost = '', oldPort] = /^(.*?)(?::(\d+))?$/.exec(authority) ?? [];
    const newPort = port === undefined ? oldPort : `${port}`;
    const newHost = host === undefined ? oldHost : shownHost(host);
    return `${tls ? 'https' : scheme}://${newHost}${newPort === undefined ? '' : `:${newPort}`}${path}`;
  }
  const [address, service] = splitAt(place, '/');
  const parsed = parseEndpoint(address);
  if (parsed.kind === 'malformed') return place;
  const moved = { host: host ?? parsed.value.host, port: port ?? parsed.value.port };
  return `${shownEndpoint(moved)}${service === '' ? '' : `/${service}`}`;
}
