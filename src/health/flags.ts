import { HealthctlError } from '../lib/errors.ts';
import { testFromCommand } from './command-test.ts';
import type { GivenHealthConfig } from './config.ts';
import { CLIENT_REFUSES } from './field.ts';
import { type FieldFlags, HEALTH_FIELDS, OPTION_FIELD_NAMES, OPTION_FIELDS } from './fields.ts';
import { grpcItems, httpItems, isNativeType, parseNativeTest } from './native-test.ts';

/** The health flags as given, parsed: those of the fields, and those that make a test. Durations in nanoseconds. */
export interface HealthFlags extends FieldFlags {
  /** `--health-cmd`. Empty counts as not given, as in Docker. */
  readonly cmd?: string;
  /** `--health-http`, a URL. Empty counts as not given; the same holds for the other native checks. */
  readonly http?: string;
  /** `--health-http-header`, each `NAME: VALUE`. */
  readonly httpHeaders?: readonly string[];
  /** `--health-http-status`, e.g. `200-399`. */
  readonly httpStatus?: string;
  /** `--health-http-verify`. */
  readonly httpVerify?: boolean;
  /** Content of the file of `--health-http-ca`: certificates in PEM. */
  readonly httpCa?: string;
  /** `--health-tcp`, `HOST:PORT`. */
  readonly tcp?: string;
  /** `--health-grpc`, `HOST:PORT[/SERVICE]`. */
  readonly grpc?: string;
  /** `--health-grpc-authority`, `NAME` or `NAME:PORT`. */
  readonly grpcAuthority?: string;
  /** `--health-grpc-tls`. */
  readonly grpcTls?: boolean;
  /** `--health-grpc-verify`. */
  readonly grpcVerify?: boolean;
  /** Content of the file of `--health-grpc-ca`. */
  readonly grpcCa?: string;
  readonly noHealthcheck: boolean;
}

/**
 * Validates the flags and returns the config that they ask for; undefined if they ask for none.
 *
 * Texts and order are Docker's: first its CLI's (docker/cli: cli/command/container/opts.go), then its daemon's (moby:
 * daemon/container.go validateHealthCheck). Throws INVALID.
 */
export function healthConfigFromFlags(flags: HealthFlags): GivenHealthConfig | undefined {
  const isGiven = asksForTest(flags) || OPTION_FIELD_NAMES.some((name) => isFieldGiven(flags, name));
  if (flags.noHealthcheck) {
    if (isGiven)
      throw new HealthctlError('INVALID', '--no-healthcheck conflicts with --health-* options', {
        exitCode: CLIENT_REFUSES,
      });
    return { test: ['NONE'] };
  }
  if (!isGiven) return undefined;
  refuseSeveralTests(flags);
  refuseFields(flags);
  const { test } = testField(flags);
  return { ...(test ? { test } : {}), ...fieldsFrom(flags) };
}

type FieldFlag = keyof FieldFlags;

/** A zero of one of Docker's fields counts as not given, as in Docker. */
function isFieldGiven(flags: FieldFlags, name: FieldFlag): boolean {
  return HEALTH_FIELDS[name].isDockers ? Boolean(flags[name]) : flags[name] !== undefined;
}

/** Docker's command line refuses its options, then Docker's daemon, then we refuse ours. */
function refuseFields(flags: FieldFlags): void {
  const inTurn = OPTION_FIELD_NAMES.toSorted((a, b) => OPTION_FIELDS[a].option.turn - OPTION_FIELDS[b].option.turn);
  const dockers = inTurn.filter((name) => OPTION_FIELDS[name].isDockers);
  const ours = inTurn.filter((name) => !OPTION_FIELDS[name].isDockers);
  const refuse = <K extends FieldFlag>(name: K, by: 'refuse' | 'refuseAtDaemon'): void => {
    const flag = flags[name];
    if (flag !== undefined) OPTION_FIELDS[name].option[by]?.(flag);
  };
  for (const name of dockers) refuse(name, 'refuse');
  for (const name of dockers) refuse(name, 'refuseAtDaemon');
  for (const name of ours) refuse(name, 'refuse');
}

function fieldsFrom(flags: FieldFlags): GivenHealthConfig {
  const config: { -readonly [K in FieldFlag]?: Required<GivenHealthConfig>[K] } = {};
  const put = <K extends FieldFlag>(name: K): void => {
    const flag = flags[name];
    const value =
      flag === undefined || !isFieldGiven(flags, name) ? undefined : OPTION_FIELDS[name].option.valueOf(flag);
    if (value !== undefined) config[name] = value;
  };
  for (const name of OPTION_FIELD_NAMES) put(name);
  return config;
}

const asksForTest = (flags: HealthFlags): boolean =>
  Boolean(flags.cmd || flags.http || flags.tcp || flags.grpc) || dependentOptions(flags).length > 0;

/** Given options that have no meaning without another option. */
function dependentOptions(
  flags: HealthFlags,
): readonly { readonly option: string; readonly needs: string; readonly has: boolean }[] {
  const { httpHeaders, httpStatus, httpCa, httpVerify, grpcAuthority, grpcTls, grpcCa, grpcVerify } = flags;
  const http = { needs: '--health-http', has: Boolean(flags.http) };
  const grpc = { needs: '--health-grpc', has: Boolean(flags.grpc) };
  const tls = { needs: '--health-grpc-tls', has: grpcTls === true };
  return [
    { option: '--health-http-header', given: httpHeaders?.length, ...http },
    { option: '--health-http-status', given: httpStatus, ...http },
    { option: '--health-http-ca', given: httpCa, ...http },
    { option: '--health-http-verify', given: httpVerify, ...http },
    { option: '--health-grpc-authority', given: grpcAuthority, ...grpc },
    { option: '--health-grpc-tls', given: grpcTls, ...grpc },
    { option: '--health-grpc-ca', given: grpcCa, ...tls },
    { option: '--health-grpc-verify', given: grpcVerify, ...tls },
  ].filter(({ given }) => Boolean(given));
}

/** Refuses flags that ask for more than one test. */
function refuseSeveralTests(flags: HealthFlags): void {
  const refuse = (message: string) => new HealthctlError('INVALID', message, { exitCode: CLIENT_REFUSES });
  const tests = [flags.cmd, flags.http, flags.tcp, flags.grpc].filter(Boolean);
  if (tests.length > 1)
    throw refuse('only one of --health-cmd, --health-http, --health-tcp and --health-grpc may be given');
  const alone = dependentOptions(flags).find(({ has }) => !has);
  if (alone) throw refuse(`${alone.option} needs ${alone.needs}`);
  const [type = '', ...items] = testField(flags).test ?? [];
  const parsed = isNativeType(type) ? parseNativeTest(type, items) : undefined;
  if (parsed?.kind === 'malformed') throw refuse(`--health-${type.toLowerCase()}: ${parsed.reason}`);
}

function testField(flags: HealthFlags): Pick<GivenHealthConfig, 'test'> {
  const { cmd, http, tcp, grpc } = flags;
  if (cmd) return { test: testFromCommand(cmd) };
  if (http) {
    const { httpHeaders: headers = [], httpStatus: status, httpCa: ca, httpVerify: verify } = flags;
    return { test: ['HTTP', ...httpItems({ url: http, headers, status, ca, verify })] };
  }
  if (tcp) return { test: ['TCP', tcp] };
  if (!grpc) return {};
  const { grpcTls: tls = false, grpcCa: ca, grpcVerify: verify, grpcAuthority: authority = '' } = flags;
  return { test: ['GRPC', ...grpcItems(grpc, { tls, ca, verify, authority })] };
}
