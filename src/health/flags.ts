import { HealthctlError } from '../lib/errors.ts';
import { testFromCommand } from './command-test.ts';
import { EXEC_MODES, type GivenHealthConfig, MAXIMUM_DURATION_NS, MINIMUM_DURATION_NS, ON_FAILURE } from './config.ts';
import { grpcItems, httpItems, isNativeType, parseNativeTest } from './native-test.ts';

/** The health flags as given, parsed. Durations in nanoseconds. */
export interface HealthFlags {
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
  readonly intervalNs?: bigint;
  readonly timeoutNs?: bigint;
  readonly startPeriodNs?: bigint;
  readonly startIntervalNs?: bigint;
  readonly retries?: number;
  /** `--health-exec`. */
  readonly exec?: string;
  /** `--health-reap`; absent: not given. */
  readonly reap?: boolean;
  /** `--health-on-failure`. */
  readonly onFailure?: string;
  /** `--health-max-restarts`. */
  readonly maxRestarts?: number;
  readonly noHealthcheck: boolean;
}

/**
 * Docker's CLI exits with 125. A value that only its daemon refuses ends `create` with 1 and `run` with 125
 * (docker/cli: cli/command/container/{create,run}.go).
 */
const CLIENT_REFUSES = 125;

/**
 * Validates the flags and returns the config that they ask for; undefined if they ask for none.
 *
 * Texts and order are Docker's: first its CLI's (docker/cli: cli/command/container/opts.go), then its daemon's (moby:
 * daemon/container.go validateHealthCheck). Throws INVALID.
 */
export function healthConfigFromFlags(flags: HealthFlags): GivenHealthConfig | undefined {
  const given =
    asksForTest(flags) ||
    flags.intervalNs ||
    flags.timeoutNs ||
    flags.startPeriodNs ||
    flags.startIntervalNs ||
    flags.retries;
  const isActing = [flags.onFailure, flags.maxRestarts, flags.exec, flags.reap].some((value) => value !== undefined);
  if (flags.noHealthcheck) {
    if (given || isActing)
      throw new HealthctlError('INVALID', '--no-healthcheck conflicts with --health-* options', {
        exitCode: CLIENT_REFUSES,
      });
    return { test: ['NONE'] };
  }
  if (!given && !isActing) return undefined;
  refuseSeveralTests(flags);
  refuseNegative('--health-interval', flags.intervalNs);
  refuseNegative('--health-timeout', flags.timeoutNs);
  refuseNegative('--health-retries', flags.retries);
  refuseNegative('--health-start-period', flags.startPeriodNs);
  refuseNegative('--health-start-interval', flags.startIntervalNs);
  refuseTiny('Interval', flags.intervalNs);
  refuseTiny('Timeout', flags.timeoutNs);
  refuseTiny('StartPeriod', flags.startPeriodNs);
  refuseTiny('StartInterval', flags.startIntervalNs);
  refuseNegative('--health-max-restarts', flags.maxRestarts);
  const onFailure = wordOf(ON_FAILURE, '--health-on-failure', flags.onFailure);
  const exec = wordOf(EXEC_MODES, '--health-exec', flags.exec);
  return {
    ...testField(flags),
    ...durationField('intervalNs', flags.intervalNs),
    ...durationField('timeoutNs', flags.timeoutNs),
    ...durationField('startPeriodNs', flags.startPeriodNs),
    ...durationField('startIntervalNs', flags.startIntervalNs),
    ...(flags.retries ? { retries: flags.retries } : {}),
    ...(onFailure ? { onFailure } : {}),
    ...(flags.maxRestarts === undefined ? {} : { maxRestarts: flags.maxRestarts }),
    ...(exec ? { exec } : {}),
    ...(flags.reap === undefined ? {} : { reap: flags.reap }),
  };
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

function wordOf<Word extends string>(
  words: readonly Word[],
  flag: string,
  given: string | undefined,
): Word | undefined {
  const word = words.find((known) => known === given);
  if (given !== undefined && !word)
    throw new HealthctlError('INVALID', `${flag} must be one of ${words.join(', ')}`, { exitCode: CLIENT_REFUSES });
  return word;
}

function refuseNegative(flag: string, value: bigint | number | undefined): void {
  if (value !== undefined && value < 0)
    throw new HealthctlError('INVALID', `${flag} cannot be negative`, { exitCode: CLIENT_REFUSES });
}

function refuseTiny(field: string, value: bigint | undefined): void {
  if (value && value < MINIMUM_DURATION_NS)
    throw new HealthctlError('INVALID', `${field} in Healthcheck cannot be less than 1ms`);
}

function durationField(
  name: 'intervalNs' | 'timeoutNs' | 'startPeriodNs' | 'startIntervalNs',
  value: bigint | undefined,
): GivenHealthConfig {
  return value ? { [name]: Math.min(Number(value), MAXIMUM_DURATION_NS) } : {};
}
