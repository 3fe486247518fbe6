/** What a native check asks for, and the grammar of its texts. Errors are values: one clause that says what is wrong. */

/** A place in the container's network. */
export interface Endpoint {
  /** An IP address without brackets, `localhost`, or a name in the container's `/etc/hosts`. */
  readonly host: string;
  /** 1 to 65535. */
  readonly port: number;
}

export interface HttpTest extends Endpoint {
  readonly kind: 'http';
  readonly isTls: boolean;
  /** Path and query as they go on the wire, e.g. `/healthz?full=1`. */
  readonly path: string;
  /** The value of the Host header. */
  readonly authority: string;
  /** Further headers, in the order in which they were given. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** Statuses that are healthy. */
  readonly statuses: readonly StatusRange[];
  /** Whether the certificate must be good. */
  readonly verify: boolean;
}

export interface TcpTest extends Endpoint {
  readonly kind: 'tcp';
}

export interface GrpcTest extends Endpoint {
  readonly kind: 'grpc';
  /** Empty: the server as a whole. */
  readonly service: string;
}

export type NativeTest = HttpTest | TcpTest | GrpcTest;

/** Both ends included. */
export interface StatusRange {
  readonly from: number;
  readonly to: number;
}

export type Parsed<T> =
  | { readonly kind: 'ok'; readonly value: T }
  | { readonly kind: 'malformed'; readonly reason: string };

const ok = <T>(value: T): Parsed<T> => ({ kind: 'ok', value });
const malformed = (reason: string): { readonly kind: 'malformed'; readonly reason: string } => ({
  kind: 'malformed',
  reason,
});

/** What counts as healthy when nothing is said: as for Kubernetes' probes, success and redirects, which are not followed. */
const DEFAULT_STATUSES: readonly StatusRange[] = [{ from: 200, to: 399 }];

/** Whether the first item of a test names a native check. */
export const isNativeType = (type: string): type is 'HTTP' | 'TCP' | 'GRPC' =>
  type === 'HTTP' || type === 'TCP' || type === 'GRPC';

/** `["HTTP", url, option…]`, `["TCP", "host:port"]`, `["GRPC", "host:port", service?]`; the options of HTTP are those of httpItems. */
export function parseNativeTest(type: 'HTTP' | 'TCP' | 'GRPC', items: readonly string[]): Parsed<NativeTest> {
  switch (type) {
    case 'HTTP':
      return parseHttpTest(items);
    case 'TCP':
      return items.length === 1
        ? onEndpoint(items[0] ?? '', (at) => ({ kind: 'tcp', ...at }))
        : malformed('TCP takes one item, HOST:PORT');
    case 'GRPC':
      return parseGrpcTest(items);
  }
}

function onEndpoint<T>(text: string, make: (endpoint: Endpoint) => T): Parsed<T> {
  const endpoint = parseEndpoint(text);
  return endpoint.kind === 'ok' ? ok(make(endpoint.value)) : endpoint;
}

/** Names as DNS and /etc/hosts have them; containers' names have underscores too. */
const HOST_NAME = /^[A-Za-z0-9_]([A-Za-z0-9._-]{0,252})$/;
const PORT = /^[1-9]\d{0,4}$/;

/** `HOST:PORT`, e.g. `localhost:5432`, `127.0.0.1:80`, `[::1]:80`. */
export function parseEndpoint(text: string): Parsed<Endpoint> {
  const at = text.lastIndexOf(':');
  const [host, port] = [text.slice(0, Math.max(at, 0)), text.slice(at + 1)];
  if (at < 0 || host === '') return malformed(`${quoted(text)} is not HOST:PORT`);
  if (!PORT.test(port) || Number(port) > 65_535) return malformed(`${quoted(port)} is not a port from 1 to 65535`);
  if (host.startsWith('[') && host.endsWith(']'))
    return URL.canParse(`http://${host}/`)
      ? ok({ host: host.slice(1, -1), port: Number(port) })
      : malformed(`${quoted(host)} is not an IPv6 address`);
  if (host.includes(':')) return malformed(`${quoted(host)} is not a host: write an IPv6 address as [::1]`);
  return HOST_NAME.test(host) ? ok({ host, port: Number(port) }) : malformed(`${quoted(host)} is not a host`);
}

function parseGrpcTest(items: readonly string[]): Parsed<GrpcTest> {
  const [place = '', service = '', ...more] = items;
  if (items.length === 0 || more.length > 0) return malformed('GRPC takes HOST:PORT and at most one service');
  if (!isPrintable(service)) return malformed(`${quoted(service)} is not the name of a service`);
  return onEndpoint(place, (at) => ({ kind: 'grpc', ...at, service }));
}

function parseHttpTest([url = '', ...items]: readonly string[]): Parsed<HttpTest> {
  const base = parseHttpUrl(url);
  if (base.kind === 'malformed') return base;
  const headers: (readonly [string, string])[] = [];
  let statuses = DEFAULT_STATUSES;
  let verify = false;
  for (const item of items) {
    const [key, value] = splitAt(item, '=');
    if (key === 'header') {
      const header = parseHeader(value);
      if (header.kind === 'malformed') return header;
      headers.push(header.value);
    } else if (key === 'status') {
      const ranges = parseStatuses(value);
      if (ranges.kind === 'malformed') return ranges;
      statuses = ranges.value;
    } else if (item === 'verify=true' || item === 'verify=false') {
      verify = item === 'verify=true';
    } else {
      return malformed(`${quoted(item)} is none of header=NAME: VALUE, status=FROM-TO and verify=true`);
    }
  }
  return ok({ ...base.value, headers, statuses, verify });
}

type HttpPlace = Omit<HttpTest, 'headers' | 'statuses' | 'verify'>;

/** An absolute URL of http or https; a fragment is not sent. */
export function parseHttpUrl(text: string): Parsed<HttpPlace> {
  if (!/^https?:\/\//i.test(text)) return malformed(`${quoted(text)} does not begin with http:// or https://`);
  if (!URL.canParse(text)) return malformed(`${quoted(text)} is not a URL`);
  const { protocol, username, password, hostname, host, port, pathname, search } = new URL(text);
  if (username !== '' || password !== '')
    return malformed('a URL with a user is not taken: give a header Authorization');
  const isTls = protocol === 'https:';
  const endpoint = parseEndpoint(`${hostname}:${port === '' ? (isTls ? 443 : 80) : port}`);
  if (endpoint.kind === 'malformed') return endpoint;
  return ok({ kind: 'http', ...endpoint.value, isTls, path: pathname + search, authority: host });
}

/** RFC 9110, section 5.6.2. */
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
/** What is ours to say: how the response ends depends on it. */
const OWN_HEADERS = new Set(['connection', 'content-length', 'transfer-encoding', 'upgrade', 'expect']);

/** `NAME: VALUE`. */
export function parseHeader(text: string): Parsed<readonly [name: string, value: string]> {
  const [name, rest] = splitAt(text, ':');
  const value = rest.trim();
  if (!TOKEN.test(name) || !text.includes(':')) return malformed(`${quoted(text)} is not a header: give 'NAME: VALUE'`);
  if (!/^[\t -~]*$/.test(value)) return malformed(`the value of header ${name} is not plain ASCII`);
  if (OWN_HEADERS.has(name.toLowerCase())) return malformed(`the header ${name} cannot be set`);
  return ok([name, value]);
}

const STATUS = /^([1-5]\d\d)(?:-([1-5]\d\d))?$/;

/** Statuses and ranges of them, e.g. `200-399`, `204`, `200-299,401`. */
export function parseStatuses(text: string): Parsed<readonly StatusRange[]> {
  const ranges: StatusRange[] = [];
  for (const part of text.split(',')) {
    const [, from = '', to = from] = STATUS.exec(part.trim()) ?? [];
    if (from === '' || Number(to) < Number(from))
      return malformed(`${quoted(text)} is not a range of statuses: give one like 200-399 or 200,204`);
    ranges.push({ from: Number(from), to: Number(to) });
  }
  return ok(ranges);
}

/** The value of `--health-grpc`, `HOST:PORT[/SERVICE]`, as items of a test. */
export function grpcItems(text: string): readonly string[] {
  const [place, service] = splitAt(text, '/');
  return service === '' ? [place] : [place, service];
}

/** A URL and its options as items of a test. */
export function httpItems(given: {
  readonly url: string;
  readonly headers: readonly string[];
  readonly status: string | undefined;
  readonly verify: boolean;
}): readonly string[] {
  const { url, headers, status, verify } = given;
  return [
    url,
    ...headers.map((header) => `header=${header}`),
    ...(status ? [`status=${status}`] : []),
    ...(verify ? ['verify=true'] : []),
  ];
}

/** Before and behind the first separator; without one all is before it. */
function splitAt(text: string, separator: string): readonly [before: string, behind: string] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}

const isPrintable = (text: string): boolean => text.length <= 1024 && /^[\x21-\x7e]*$/.test(text);

function quoted(text: string): string {
  return JSON.stringify(text.length > 120 ? `${text.slice(0, 117)}...` : text);
}
