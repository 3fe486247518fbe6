import {
  EXEC_MODES,
  type FieldName,
  ON_FAILURE,
  OPTION_FIELD_NAMES,
  OPTION_FIELDS,
  readFieldFlags,
} from '../../health/fields.ts';
import type { HealthFlags } from '../../health/flags.ts';
import {
  grpcItems,
  parseAuthority,
  parseEndpoint,
  parseHeader,
  parseHttpUrl,
  parseNativeTest,
  parseStatuses,
} from '../../health/native-test.ts';
import type { Parsed } from '../../health/parsed.ts';
import type { OptionSpec, ParsedOptions } from '../command.ts';
import { readCertificateFile } from './certificate-file.ts';

/** Why a text is refused; an empty one counts as not given. */
const reasonBy =
  (parse: (text: string) => Parsed<unknown>) =>
  (text: string): string | undefined => {
    const parsed = text === '' ? undefined : parse(text);
    return parsed?.kind === 'malformed' ? parsed.reason : undefined;
  };

/** The options that make a test. */
const testOptionSpecs: readonly OptionSpec[] = [
  { name: 'health-cmd', type: 'string', help: 'Command that checks health; a JSON array runs without a shell' },
  {
    name: 'health-grpc',
    type: 'string',
    help: 'gRPC server in the container whose health service is checked: HOST:PORT[/SERVICE]',
    check: reasonBy((text) => parseNativeTest('GRPC', grpcItems(text))),
  },
  {
    name: 'health-grpc-authority',
    type: 'string',
    value: 'name',
    help: 'Name in the request of --health-grpc, which the certificate must match: NAME[:PORT] (HOST:PORT unless given)',
    check: reasonBy(parseAuthority),
  },
  {
    name: 'health-grpc-ca',
    type: 'string',
    value: 'file',
    help: 'Verify the certificate of --health-grpc with these authorities, in PEM',
  },
  { name: 'health-grpc-tls', type: 'bool', help: 'Use TLS for --health-grpc' },
  { name: 'health-grpc-verify', type: 'bool', help: 'Verify the certificate for --health-grpc-tls' },
  {
    name: 'health-http',
    type: 'string',
    value: 'url',
    help: 'URL of an HTTP or HTTPS server in the container that must answer a GET',
    check: reasonBy(parseHttpUrl),
  },
  {
    name: 'health-http-ca',
    type: 'string',
    value: 'file',
    help: 'Verify the certificate of --health-http with these authorities, in PEM',
  },
  {
    name: 'health-http-header',
    type: 'list',
    value: 'header',
    help: "Header of the request of --health-http, 'NAME: VALUE'",
    check: reasonBy(parseHeader),
  },
  {
    name: 'health-http-status',
    type: 'string',
    value: 'range',
    help: 'Statuses that are healthy for --health-http, like 200-299,401 (200-399 unless given)',
    check: reasonBy(parseStatuses),
  },
  {
    name: 'health-http-verify',
    type: 'bool',
    help: 'Verify the certificate for --health-http',
  },
  {
    name: 'health-tcp',
    type: 'string',
    help: 'Port in the container that must accept a connection: HOST:PORT',
    check: reasonBy(parseEndpoint),
  },
];

const FIELD_WORDS: Readonly<Partial<Record<FieldName, readonly string[]>>> = {
  exec: EXEC_MODES,
  onFailure: ON_FAILURE,
};

/** The options of the other fields of a health config. */
const fieldOptionSpecs: readonly OptionSpec[] = OPTION_FIELD_NAMES.map((field) => {
  const { name, type, help } = OPTION_FIELDS[field].option;
  const words = FIELD_WORDS[field];
  return { name, type, help, ...(words ? { complete: { words } } : {}) };
});

/**
 * The health check options of `run` and `create`: nothing else reads them. None has a default here, because the image's
 * value comes first.
 */
export const healthOptionSpecs: readonly OptionSpec[] = [
  ...[...testOptionSpecs, ...fieldOptionSpecs].sort((a, b) => (a.name < b.name ? -1 : 1)),
  { name: 'no-healthcheck', type: 'bool', help: 'Disable the health check of the image' },
];

/** The values as given; src/health defines which are valid, and how they merge with the image's. */
export async function healthFlagsFrom(options: ParsedOptions, signal: AbortSignal): Promise<HealthFlags> {
  const headers = options.list('health-http-header');
  return {
    ...present('cmd', options.string('health-cmd')),
    ...present('http', options.string('health-http')),
    ...(headers.length > 0 ? { httpHeaders: headers } : {}),
    ...present('httpStatus', options.string('health-http-status')),
    ...(options.bool('health-http-verify') ? { httpVerify: true } : {}),
    ...present('httpCa', await certificates(options, 'health-http-ca', signal)),
    ...present('tcp', options.string('health-tcp')),
    ...present('grpc', options.string('health-grpc')),
    ...present('grpcAuthority', options.string('health-grpc-authority')),
    ...(options.bool('health-grpc-tls') ? { grpcTls: true } : {}),
    ...(options.bool('health-grpc-verify') ? { grpcVerify: true } : {}),
    ...present('grpcCa', await certificates(options, 'health-grpc-ca', signal)),
    ...readFieldFlags(options),
    noHealthcheck: options.bool('no-healthcheck'),
  };
}

/**
 * The file's content becomes part of the check: it stays available when the file is gone, and wherever the monitor
 * runs.
 */
async function certificates(options: ParsedOptions, name: string, signal: AbortSignal): Promise<string | undefined> {
  const path = options.string(name);
  return path ? readCertificateFile(`--${name}`, path, signal) : undefined;
}

function present<K extends string, V>(key: K, value: V | undefined): { readonly [P in K]?: V } {
  return value === undefined ? {} : ({ [key]: value } as { readonly [P in K]?: V });
}
