import { type Endpoint, parseEndpoint, parseHeader, parseHttpUrl } from '../native-test.ts';
import { type ParsedWords, parseWords, programName, simpleCommands, type Words } from './command-line.ts';

/** A native check that asks what a command asks. */
export interface StandIn {
  /** The program that it stands in for, e.g. `curl`. */
  readonly program: string;
  /** Options of `run` and `update`, e.g. `['--health-http', 'http://localhost/']`. */
  readonly options: Words;
  readonly endpoint: Endpoint;
}

type Parts = Omit<StandIn, 'program'>;

/** The native check for a check's command; undefined where no native check asks the same. */
export function standInFor(args: Words): StandIn | undefined {
  for (const [path = '', ...words] of simpleCommands(args)) {
    const program = programName(path);
    const parts = Object.hasOwn(CLIENTS, program) ? CLIENTS[program]?.(words) : undefined;
    // What the shell would expand is not known.
    if (parts && !parts.options.some((option) => /[$`]/.test(option))) return { program, ...parts };
  }
  return undefined;
}

/** The programs that ask a server, as healthctl can itself. */
const CLIENTS: Readonly<Record<string, (words: Words) => Parts | undefined>> = {
  curl: fromCurl,
  wget: fromWget,
  nc: fromNetcat,
  ncat: fromNetcat,
  netcat: fromNetcat,
  grpc_health_probe: fromGrpcProbe,
  'grpc-health-probe': fromGrpcProbe,
  pg_isready: (words) => tcpFrom(words, { host: ['h', 'host'], port: ['p', 'port'], byDefault: 5432, more: 'dtU' }),
  'redis-cli': fromRedis,
  'valkey-cli': fromRedis,
  mysqladmin: fromMysql,
  'mariadb-admin': fromMysql,
};

/** Whether healthctl can stand in for a program, with the right arguments. */
export const hasStandIn = (program: string): boolean => Object.hasOwn(CLIENTS, program);

const CURL_VALUED = new Set([
  ...'AbcCdDeEFHKmoPQrtTuUwxXyYz',
  ...['user-agent', 'cookie', 'data', 'data-raw', 'data-binary', 'data-urlencode', 'json', 'form', 'header'],
  ...['max-time', 'connect-timeout', 'output', 'request', 'user', 'proxy', 'write-out', 'retry', 'retry-delay'],
  ...['retry-max-time', 'cacert', 'capath', 'cert', 'key', 'unix-socket', 'resolve', 'interface', 'url', 'max-redirs'],
]);
/** Requests that a native check does not make. */
const CURL_OTHER = ['d', 'data', 'data-raw', 'data-binary', 'data-urlencode', 'json', 'F', 'form', 'T', 'u', 'user'];
const CURL_ELSEWHERE = ['unix-socket', 'resolve', 'x', 'proxy', 'E', 'cert', 'K', 'connect-to'];

function fromCurl(words: Words): Parts | undefined {
  const parsed = parseWords(words, CURL_VALUED);
  const method = firstValue(parsed, 'X', 'request') ?? 'GET';
  if (method !== 'GET' && method !== 'HEAD') return undefined;
  if ([...CURL_OTHER, ...CURL_ELSEWHERE].some((name) => parsed.options.has(name))) return undefined;
  const url = firstValue(parsed, 'url') ?? parsed.operands.find(isUrlLike);
  return httpParts(url, [...(parsed.options.get('H') ?? []), ...(parsed.options.get('header') ?? [])]);
}

const WGET_VALUED = new Set([
  ...'OTtoUePiY',
  ...['output-document', 'timeout', 'tries', 'header', 'user-agent', 'user', 'password', 'method', 'ca-certificate'],
  ...['post-data', 'post-file', 'body-data', 'body-file'],
]);
const WGET_OTHER = ['post-data', 'post-file', 'body-data', 'body-file', 'user', 'password', 'method', 'i'];

function fromWget(words: Words): Parts | undefined {
  const parsed = parseWords(words, WGET_VALUED);
  if (WGET_OTHER.some((name) => parsed.options.has(name))) return undefined;
  return httpParts(parsed.operands.find(isUrlLike), parsed.options.get('header') ?? []);
}

/** With or without the scheme, which both programs supply. */
const isUrlLike = (word: string): boolean =>
  /^https?:\/\//i.test(word) || /^([\w.-]+|\[[\da-f:]+\])(:\d+)?(\/\S*)?$/i.test(word);

function httpParts(text: string | undefined, headers: Words): Parts | undefined {
  if (text === undefined) return undefined;
  const url = /^https?:\/\//i.test(text) ? text : `http://${text}`;
  const parsed = parseHttpUrl(url);
  if (parsed.kind === 'malformed' || headers.some((header) => parseHeader(header).kind === 'malformed'))
    return undefined;
  const { host, port } = parsed.value;
  const options = ['--health-http', url, ...headers.flatMap((header) => ['--health-http-header', header])];
  return { options, endpoint: { host, port } };
}

function fromNetcat(words: Words): Parts | undefined {
  const { options, operands } = parseWords(words, new Set('wpsqiIO'));
  if (['u', 'l', 'U', 'x'].some((name) => options.has(name))) return undefined;
  const [host, port, ...more] = operands;
  return more.length === 0 && host !== undefined && port !== undefined ? tcpParts(host, port) : undefined;
}

/** Go's flags: one dash or two. */
function fromGrpcProbe(words: Words): Parts | undefined {
  const valued = new Set(['addr', 'service', 'connect-timeout', 'rpc-timeout', 'user-agent']);
  const twoDashes = words.map((word) => word.replace(/^-(?=[a-z])/, '--'));
  const parsed = parseWords(twoDashes, valued);
  const text = firstValue(parsed, 'addr') ?? '';
  const address = parseEndpoint(text.startsWith(':') ? `localhost${text}` : text);
  if (address.kind === 'malformed' || [...parsed.options.keys()].some((name) => /cert|spiffe|header/.test(name)))
    return undefined;
  const service = firstValue(parsed, 'service') ?? '';
  const value = `${shownEndpoint(address.value)}${service === '' ? '' : `/${service}`}`;
  const tls = parsed.options.has('tls') ? ['--health-grpc-tls'] : [];
  return { options: ['--health-grpc', value, ...tls], endpoint: address.value };
}

function fromRedis(words: Words): Parts | undefined {
  return words.some((word) => word.toLowerCase() === 'ping')
    ? tcpFrom(words, { host: ['h'], port: ['p'], byDefault: 6379, more: 'anu' })
    : undefined;
}

function fromMysql(words: Words): Parts | undefined {
  return tcpFrom(words, { host: ['h', 'host'], port: ['P', 'port'], byDefault: 3306, more: 'uS' });
}

function tcpFrom(
  words: Words,
  client: {
    readonly host: readonly string[];
    readonly port: readonly string[];
    readonly byDefault: number;
    /** Letters of other options with a value. */
    readonly more: string;
  },
): Parts | undefined {
  const { host, port, byDefault, more } = client;
  const parsed = parseWords(words, new Set([...host, ...port, ...more]));
  if (['s', 'S', 'socket', 'protocol'].some((name) => parsed.options.has(name))) return undefined;
  return tcpParts(firstValue(parsed, ...host) ?? 'localhost', firstValue(parsed, ...port) ?? `${byDefault}`);
}

function tcpParts(host: string, port: string): Parts | undefined {
  const endpoint = parseEndpoint(`${host.includes(':') ? `[${host}]` : host}:${port}`);
  if (endpoint.kind === 'malformed') return undefined;
  return { options: ['--health-tcp', shownEndpoint(endpoint.value)], endpoint: endpoint.value };
}

const firstValue = ({ options }: ParsedWords, ...names: readonly string[]): string | undefined =>
  names.flatMap((name) => options.get(name) ?? []).find((value) => value !== '');

/** `localhost:80`, `[::1]:80`. */
export function shownEndpoint({ host, port }: Endpoint): string {
  return `${shownHost(host)}:${port}`;
}

/** An IPv6 address in brackets. */
export const shownHost = (host: string): string => (host.includes(':') ? `[${host}]` : host);
