import type { GivenHealthConfig } from '../../health/config.ts';
import { dockerJsonFromHealthConfig } from '../../health/config-json.ts';
import { healthConfigFromFlags } from '../../health/flags.ts';
import { parseRestartPolicy, type RestartPolicy } from '../../health/restart-policy.ts';
import { HealthctlError, messageOf } from '../../lib/errors.ts';
import { parseNamespaceModes } from '../../oci/namespaces.ts';
import { parseSecurityOptions, type SecurityOptions } from '../../oci/parse.ts';
import { refuseSysctlsOfHost } from '../../oci/sysctls.ts';
import type { CreateRequest } from '../../record/create-request.ts';
import { parseLogConfig } from '../../record/log-config.ts';
import { EngineError } from '../errors.ts';
import { consoleSizeFrom } from '../exec/exec-request.ts';
import { type GoStruct, goStructOf } from '../go-struct.ts';
import { type ApiVersion, isSince } from '../version.ts';
import { healthConfigIn } from './health-request.ts';
import { sysctlsOf } from './interface-sysctls.ts';
import { devicesIn, limitsIn, ulimitsIn } from './limits-request.ts';
import { mountsIn } from './mounts-request.ts';
import { networkIn } from './network-request.ts';
import { shownHostConfigOf } from './shown-host-config.ts';

interface BodyOrigin {
  /** From the query; empty for none. */
  readonly name: string;
  readonly version: ApiVersion;
  readonly defaultNetwork: string;
}

/** The body of `POST /containers/create` as a request. Throws INVALID, USAGE and EngineError in Docker's words. */
export function createRequestFrom(body: GoStruct, { name, version, defaultNetwork }: BodyOrigin): CreateRequest {
  const host = body.struct('HostConfig') ?? goStructOf({}, '.HostConfig');
  const { network, networking } = networkIn(body, { host, version, defaultNetwork });
  const stopTimeoutS = body.int('StopTimeout', 'int');
  const entrypoint = body.words('Entrypoint');
  const health = healthIn(body);
  const shmSize = host.int('ShmSize') ?? 0;
  if (shmSize < 0) throw new HealthctlError('INVALID', 'SHM size can not be less than 0');
  return {
    image: imageIn(body),
    command: body.words('Cmd') ?? [],
    ...(name === '' ? {} : { name: name.replace(/^\//, '') }),
    ...given(body, 'hostname', 'Hostname'),
    ...given(body, 'domainname', 'Domainname'),
    env: envIn(body),
    labels: body.textMap('Labels') ?? {},
    ...mountsIn(body, host, version),
    ...given(body, 'workingDir', 'WorkingDir'),
    ...given(body, 'user', 'User'),
    groupAdd: host.texts('GroupAdd') ?? [],
    ...(entrypoint === undefined ? {} : { entrypoint }),
    readOnly: host.flag('ReadonlyRootfs'),
    capAdd: host.words('CapAdd') ?? [],
    capDrop: host.words('CapDrop') ?? [],
    privileged: host.flag('Privileged'),
    security: securityIn(host),
    ...{ network, networking },
    ...given(body, 'stopSignal', 'StopSignal'),
    ...(stopTimeoutS === undefined ? {} : { stopTimeoutS }),
    init: host.flag('Init'),
    limits: limitsIn(host),
    oomScoreAdj: oomScoreIn(host),
    ...namespacesIn(host, { network, version, hostname: body.text('Hostname') }),
    devices: devicesIn(host),
    deviceRules: host.texts('DeviceCgroupRules') ?? [],
    annotations: annotationsIn(host),
    ...pathsIn(host),
    ulimits: ulimitsIn(host),
    ...(shmSize === 0 ? {} : { shmSize }),
    ...given(host, 'runtime', 'Runtime'),
    ...terminalIn(body, host, version),
    attach: { stdin: body.flag('AttachStdin'), stdout: body.flag('AttachStdout'), stderr: body.flag('AttachStderr') },
    openStdin: body.flag('OpenStdin'),
    stdinOnce: body.flag('StdinOnce'),
    autoRemove: host.flag('AutoRemove'),
    ...shownHealthIn(health),
    health,
    restart: restartIn(host),
    log: logIn(host),
    shownHostConfig: shownHostConfigOf(host),
  };
}

/** A text of the body that is not empty. */
function given<K extends string>(from: GoStruct, key: K, name: string): { readonly [P in K]?: string } {
  const value = from.text(name);
  return (value === '' ? {} : { [key]: value }) as { readonly [P in K]?: string };
}

/** The fields of moby's container.Config. */
const CONFIG_FIELDS = [
  ...[
    'Hostname',
    'Domainname',
    'User',
    'AttachStdin',
    'AttachStdout',
    'AttachStderr',
    'ExposedPorts',
    'Tty',
    'OpenStdin',
  ],
  ...['StdinOnce', 'Env', 'Cmd', 'Healthcheck', 'ArgsEscaped', 'Image', 'Volumes', 'WorkingDir', 'Entrypoint'],
  ...['NetworkDisabled', 'MacAddress', 'OnBuild', 'Labels', 'StopSignal', 'StopTimeout', 'Shell'],
];

/** Throws INVALID for a body that asks for nothing, and for one without an image. */
function imageIn(body: GoStruct): string {
  const image = body.text('Image');
  if (image !== '') return image;
  const isEmpty = CONFIG_FIELDS.every((name) => body.raw(name) === undefined);
  throw new HealthctlError(
    'INVALID',
    isEmpty ? 'config cannot be empty in order to create a container' : 'no command specified',
  );
}

function terminalIn(body: GoStruct, host: GoStruct, version: ApiVersion): Pick<CreateRequest, 'tty' | 'consoleSize'> {
  const tty = body.flag('Tty');
  const consoleSize = consoleSizeFrom(host, { version, terminal: tty });
  return { tty, ...(consoleSize ? { consoleSize } : {}) };
}

function envIn(body: GoStruct): readonly string[] {
  const env = body.texts('Env') ?? [];
  const bad = env.find((variable) => variable === '' || variable.startsWith('=') || variable.includes('\0'));
  if (bad !== undefined) throw new HealthctlError('INVALID', `invalid environment variable: ${bad}`);
  return env;
}

/**
 * Profiles come as their content: a client has read the file. Throws USAGE in Docker's words.
 */
function securityIn(host: GoStruct): SecurityOptions {
  const texts = host.texts('SecurityOpt') ?? [];
  const profile = texts.map((text) => /^seccomp[=:](\s*\{.*)$/s.exec(text)?.[1]).findLast((text) => text !== undefined);
  const others = texts.filter((text) => !/^seccomp[=:]\s*\{/.test(text) && !/^label[=:]/.test(text));
  const security = securityFrom(others);
  const { seccomp } = security;
  if (profile === undefined && seccomp !== undefined && seccomp !== 'unconfined')
    throw new EngineError(400, `opening seccomp profile (${seccomp}) failed: send its content`);
  return profile === undefined ? security : { ...security, seccomp: profile, seccompProfile: profile };
}

/** Docker's status for an option that is none is 500. */
function securityFrom(texts: readonly string[]): SecurityOptions {
  try {
    return parseSecurityOptions(texts);
  } catch (cause) {
    throw new EngineError(500, messageOf(cause), { cause });
  }
}

/** Throws INVALID in Docker's words. */
function annotationsIn(host: GoStruct): Readonly<Record<string, string>> {
  const annotations = host.textMap('Annotations') ?? {};
  if (Object.hasOwn(annotations, ''))
    throw new HealthctlError('INVALID', 'invalid Annotations: the empty string is not permitted as an annotation key');
  return annotations;
}

/** An empty list is none; without one the defaults hold. */
function pathsIn(host: GoStruct): Pick<CreateRequest, 'maskedPaths' | 'readonlyPaths'> {
  const [maskedPaths, readonlyPaths] = [host.texts('MaskedPaths'), host.texts('ReadonlyPaths')];
  return { ...(maskedPaths ? { maskedPaths } : {}), ...(readonlyPaths ? { readonlyPaths } : {}) };
}

function oomScoreIn(host: GoStruct): number {
  const score = host.int('OomScoreAdj', 'int') ?? 0;
  if (score >= -1000 && score <= 1000) return score;
  throw new HealthctlError('INVALID', `Invalid value ${score}, range for oom score adj is [-1000, 1000]`);
}

const refusal = (kind: string, mode: string): HealthctlError =>
  new HealthctlError('INVALID', `invalid ${kind} mode: ${mode}`);

function namespacesIn(
  host: GoStruct,
  { network, version, hostname }: { readonly network: string; readonly version: ApiVersion; readonly hostname: string },
): Pick<CreateRequest, 'namespaces' | 'sysctls'> {
  const [pid, uts] = [host.text('PidMode'), host.text('UTSMode')];
  if (!['', 'host'].includes(pid) && !/^container:./.test(pid)) throw refusal('PID', pid);
  if (!['', 'host'].includes(uts)) throw refusal('UTS', uts);
  if (uts === 'host' && hostname !== '') throw new EngineError(400, 'conflicting options: hostname and the UTS mode');
  refuseOthers(host);
  const ipc = host.text('IpcMode') || (isSince(version, 40) ? '' : 'shareable');
  const namespaces = parseNamespaceModes({ pid, ipc, uts, cgroup: host.text('CgroupnsMode') });
  const userns = host.text('UsernsMode');
  if (userns !== '' && userns !== 'host') throw new HealthctlError('INVALID', `invalid userns mode: ${userns}`);
  const { ofContainer: sysctls } = sysctlsOf(host.textMap('Sysctls') ?? {}, { network, version });
  refuseSysctlsOfHost(sysctls, { network: network === 'host', ipc: namespaces.ipc === 'host' });
  return { namespaces, sysctls };
}

const CGROUP_MODES = ['', 'host', 'private'];

/** Throws EngineError and INVALID in Docker's words (moby: daemon/runconfig/hostconfig_unix.go). */
function refuseOthers(host: GoStruct): void {
  const cgroup = host.text('CgroupnsMode');
  if (!CGROUP_MODES.includes(cgroup)) throw refusal('cgroup namespace', cgroup);
  const isolation = host.text('Isolation');
  if (!['', 'default'].includes(isolation))
    throw new HealthctlError('INVALID', `invalid isolation (${isolation}): linux only supports 'default'`);
  const swappiness = host.int('MemorySwappiness') ?? -1;
  if (swappiness < -1 || swappiness > 100)
    throw new HealthctlError('INVALID', `Invalid value: ${swappiness}, valid memory swappiness range is 0-100`);
  if (Object.keys(host.textMap('StorageOpt') ?? {}).length > 0)
    throw new EngineError(500, "--storage-opt is supported only for overlay over xfs with 'pquota' mount option");
  const driver = host.text('VolumeDriver');
  const [named] = (host.texts('Binds') ?? []).filter((text) => !text.startsWith('/'));
  if (driver !== '' && driver !== 'local' && named !== undefined)
    throw new EngineError(
      404,
      `create ${named.split(':', 1)[0]}: error looking up volume plugin ${driver}: plugin "${driver}" not found`,
    );
}

/** Docker's texts (moby: api/types/container/hostconfig.go, daemon/container.go). */
function restartIn(host: GoStruct): RestartPolicy {
  const policy = host.struct('RestartPolicy');
  const retries = policy?.int('MaximumRetryCount', 'int') ?? 0;
  const name = policy?.text('Name') ?? '';
  const restart = parseRestartPolicy(name === '' && retries === 0 ? '' : `${name || 'no'}:${retries}`);
  if (restart.name !== 'no' && host.flag('AutoRemove'))
    throw new HealthctlError('INVALID', "can't create 'AutoRemove' container with restart policy");
  return restart;
}

function logIn(host: GoStruct): CreateRequest['log'] {
  const config = host.struct('LogConfig');
  const options = Object.entries(config?.textMap('Config') ?? {}).map(([key, value]) => `${key}=${value}`);
  return parseLogConfig(config?.text('Type') ?? '', options);
}

const PROBES = ['http', 'tcp', 'grpc'] as const;
const LABEL = 'healthctl.health.';

/** Docker shows the fields of a check without a test too, and an empty document. */
function shownHealthIn(health: GivenHealthConfig | undefined): Pick<CreateRequest, 'shownHealthcheck'> {
  return health === undefined || health.test ? {} : { shownHealthcheck: dockerJsonFromHealthConfig(health) };
}

/**
 * The check: Docker's, and healthctl's by labels of the request, so that a compose file can ask for it. Labels of an
 * image are never read: it could act on the host.
 */
function healthIn(body: GoStruct): GivenHealthConfig | undefined {
  const config = healthConfigIn(body);
  const labels = body.textMap('Labels') ?? {};
  const labelled = (name: string): string | undefined => labels[`${LABEL}${name}`] || undefined;
  const probes = PROBES.flatMap((name) => (labelled(name) === undefined ? [] : [name]));
  const [exec, onFailure] = [labelled('exec'), labelled('on-failure')];
  if (probes.length === 0 && exec === undefined && onFailure === undefined) return config;
  if (probes.length > 0 && config?.test)
    throw new HealthctlError(
      'INVALID',
      `the label ${LABEL}${probes[0]} conflicts with Healthcheck.Test: leave one out`,
    );
  const ours = healthConfigFromFlags({
    noHealthcheck: false,
    ...Object.fromEntries(PROBES.map((name) => [name, labelled(name)])),
    ...(exec === undefined ? {} : { exec }),
    ...(onFailure === undefined ? {} : { onFailure }),
  });
  return { ...config, ...ours };
}
