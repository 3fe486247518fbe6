import { parseCertificates } from './certificates.ts';
import { malformed, ok, type Parsed, quoted, splitAt } from './parsed.ts';

/** Native checks: their config and the grammar of their texts. */

/** A host and port in the container's network. */
export interface Endpoint {
  /** An IP address without brackets, `localhost`, or a name in the container's `/etc/hosts`. */
  readonly host: string;
  /** 1 to 65535. */
  readonly port: number;
}

/** Settings of a TLS connection. */
export interface TlsTerms {
  /**
   * The name or IP address that the certificate must be valid for. A name is also sent to the server (SNI), an address
   * is not (RFC 6066, section 3).
   */
  readonly name: string;
  /** Whether to verify the certificate. */
  readonly verify: boolean;
  /** The trusted authorities, in PEM; undefined: those built into Node.js. */
  readonly ca: string | undefined;
}

export interface HttpTest extends Endpoint {
  readonly kind: 'http';
  /** Undefined: without TLS. */
  readonly tls: TlsTerms | undefined;
  /** Path and query as sent, e.g. `/healthz?full=1`. */
  readonly path: string;
  /** The value of the Host header. */
  readonly authority: string;
  /** Further headers, in the order given. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** Statuses that count as healthy. */
  readonly statuses: readonly StatusRange[];
}

export interface TcpTest extends Endpoint {
  readonly kind: 'tcp';
}

export interface GrpcTest extends Endpoint {
  readonly kind: 'grpc';
  /** Empty: the whole server. */
  readonly service: string;
  /** The value of `:authority`. */
  readonly authority: string;
  /** Undefined: without TLS. */
  readonly tls: TlsTerms | undefined;
}

export type NativeTest = HttpTest | TcpTest | GrpcTest;

/** Both ends are included. */
export interface StatusRange {
  readonly from: number;
  readonly to: number;
}

/**
 * The statuses that count as healthy by default: as for Kubernetes' probes, success and redirects, which are not
 * followed.
 */
const DEFAULT_STATUSES: readonly StatusRange[] = [{ from: 200, to: 399 }];

/** Whether the first item of a test names a native check. */
export const isNativeType = (type: string): type is 'HTTP' | 'TCP' | 'GRPC' =>
  type === 'HTTP' || type === 'TCP' || type === 'GRPC';

/**
 * `["HTTP", url, option…]`, `["TCP", "host:port"]`, `["GRPC", "host:port", service?, option…]`; the options are those
 * of httpItems and grpcItems.
 */
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

/** Names as in DNS and /etc/hosts; containers' names can also contain underscores. */
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

/** The TLS options of a check of any kind. */
interface GivenTls {
  verify?: boolean;
  ca?: string;
}

/** @returns undefined if the item is no TLS option */
function takeTlsItem(given: GivenTls, item: string): Parsed<GivenTls> | undefined {
  const [key, value] = splitAt(item, '=');
  if (item === 'verify=true' || item === 'verify=false') return ok({ ...given, verify: item === 'verify=true' });
  if (key !== 'ca') return undefined;
  const ca = parseCertificates(value);
  return ca.kind === 'ok' ? ok({ ...given, ca: ca.value }) : malformed(`ca=: ${ca.reason}`);
}

/** Naming authorities switches verification on. */
const tlsTermsFrom = (name: string, { verify, ca }: GivenTls): TlsTerms => ({
  name,
  verify: verify ?? ca !== undefined,
  ca,
});

/** Matches an option: an item after the endpoint that is not a service. */
const GRPC_OPTION = /^(?:tls|verify|ca|authority|service)=/;

function parseGrpcTest([endpoint, ...items]: readonly string[]): Parsed<GrpcTest> {
  if (endpoint === undefined) return malformed('GRPC takes HOST:PORT, a service and options');
  const [first = ''] = items;
  const isService = !GRPC_OPTION.test(first);
  let service = isService ? first : '';
  let authority: string | undefined;
  let isTls = false;
  let given: GivenTls = {};
  for (const item of isService ? items.slice(1) : items) {
    const [key, value] = splitAt(item, '=');
    const terms = takeTlsItem(given, item);
    if (terms?.kind === 'malformed') return terms;
    if (terms) given = terms.value;
    else if (item === 'tls=true' || item === 'tls=false') isTls = item === 'tls=true';
    else if (key === 'service') service = value;
    else if (key === 'authority') authority = value;
    else return malformed(`${quoted(item)} is none of tls=true, verify=true, ca=CERTIFICATES and authority=NAME`);
  }
  if (!isPrintable(service)) return malformed(`${quoted(service)} is not the name of a service`);
  const named = authority === undefined ? undefined : parseAuthority(authority);
  if (named?.kind === 'malformed') return named;
  if (!isTls && (given.verify || given.ca !== undefined)) return malformed('verify=true and ca= need tls=true');
  return onEndpoint(endpoint, (at) => {
    const host = at.host.includes(':') ? `[${at.host}]` : at.host;
    const said = authority ?? `${host}:${at.port}`;
    const tls = isTls ? tlsTermsFrom(nameOfAuthority(said) ?? at.host, given) : undefined;
    return { kind: 'grpc', ...at, service, authority: said, tls };
  });
}

/** `NAME` or `NAME:PORT`. */
export function parseAuthority(text: string): Parsed<string> {
  return nameOfAuthority(text) === undefined
    ? malformed(`${quoted(text)} is not a name: give NAME or NAME:PORT`)
    : ok(text);
}

/** The name in `NAME`, `NAME:PORT`, `[::1]:443`, in the form that certificates use; undefined for an invalid one. */
function nameOfAuthority(authority: string): string | undefined {
  const [, address, name = address] = /^(?:\[([\da-fA-F:.]+)\]|([^:]*))(?::\d{1,5})?$/.exec(authority) ?? [];
  if (name === undefined || name === '') return undefined;
  if (address !== undefined) return URL.canParse(`http://[${address}]/`) ? address : undefined;
  const bare = name.replace(/\.$/, '');
  return HOST_NAME.test(bare) ? bare : undefined;
}

function parseHttpTest([url = '', ...items]: readonly string[]): Parsed<HttpTest> {
  const base = parseHttpUrl(url);
  if (base.kind === 'malformed') return base;
  const headers: (readonly [string, string])[] = [];
  let statuses = DEFAULT_STATUSES;
  let given: GivenTls = {};
  for (const item of items) {
    const [key, value] = splitAt(item, '=');
    const terms = takeTlsItem(given, item);
    if (terms?.kind === 'malformed') return terms;
    if (terms) {
      given = terms.value;
    } else if (key === 'header') {
      const header = parseHeader(value);
      if (header.kind === 'malformed') return header;
      headers.push(header.value);
    } else if (key === 'status') {
      const ranges = parseStatuses(value);
      if (ranges.kind === 'malformed') return ranges;
      statuses = ranges.value;
    } else {
      return malformed(
        `${quoted(item)} is none of header=NAME: VALUE, status=FROM-TO, ca=CERTIFICATES and verify=true`,
      );
    }
  }
  const { isTls, ...target } = base.value;
  if (!isTls && given.ca !== undefined) return malformed('ca= is for https:// alone');
  const tls = isTls ? tlsTermsFrom(serverNameFrom(headers) ?? target.host, given) : undefined;
  return ok({ ...target, headers, statuses, tls });
}

/** The host of the Host header: its certificate is expected, as behind a proxy that selects sites by name. */
function serverNameFrom(headers: HttpTest['headers']): string | undefined {
  const [, host] = headers.find(([name]) => name.toLowerCase() === 'host') ?? [];
  return host === undefined ? undefined : nameOfAuthority(host);
}

type HttpTarget = Omit<HttpTest, 'headers' | 'statuses' | 'tls'> & { readonly isTls: boolean };

/** An absolute http or https URL; a fragment is not sent. */
export function parseHttpUrl(text: string): Parsed<HttpTarget> {
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
/** Headers that we set ourselves: the framing of the response depends on them. */
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

/** Statuses and ranges, e.g. `200-399`, `204`, `200-299,401`. */
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

/** TLS settings that options ask for. */
export interface TlsFlags {
  /** Certificates in PEM. */
  readonly ca?: string | undefined;
  readonly verify?: boolean | undefined;
}

const tlsItems = ({ ca, verify = false }: TlsFlags): readonly string[] => [
  ...(ca ? [`ca=${ca}`] : []),
  ...(verify ? ['verify=true'] : []),
];

/** The value of `--health-grpc`, `HOST:PORT[/SERVICE]`, and its options, as items of a test. */
export function grpcItems(
  text: string,
  { tls = false, authority, ...given }: TlsFlags & { readonly tls?: boolean; readonly authority?: string } = {},
): readonly string[] {
  const [endpoint, service] = splitAt(text, '/');
  return [
    endpoint,
    ...(service === '' ? [] : [GRPC_OPTION.test(service) ? `service=${service}` : service]),
    ...(tls ? ['tls=true'] : []),
    ...tlsItems(given),
    ...(authority ? [`authority=${authority}`] : []),
  ];
}

/** A URL and its options, as items of a test. */
export function httpItems(
  given: TlsFlags & {
    readonly url: string;
    readonly headers: readonly string[];
    readonly status: string | undefined;
  },
): readonly string[] {
  const { url, headers, status } = given;
  return [
    url,
    ...headers.map((header) => `header=${header}`),
    ...(status ? [`status=${status}`] : []),
    ...tlsItems(given),
  ];
}

const isPrintable = (text: string): boolean => text.length <= 1024 && /^[\x21-\x7e]*$/.test(text);
