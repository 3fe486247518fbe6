import { hostIdOf } from '../../lib/dirs.ts';
import { HealthctlError } from '../../lib/errors.ts';
import { CLAIMS_DIR } from '../monitor-claim.ts';
import { NODE_ENVIRONMENT } from '../node-process.ts';

/** The settings that a unit depends on. Paths are absolute. */
export interface UnitSettings {
  readonly address: string;
  readonly runRoot: string;
  readonly dataRoot: string;
  readonly nerdctlDataRoot: string;
  readonly snapshotter: string;
}

export interface UnitRequest {
  readonly settings: UnitSettings;
  /** The command of this healthctl: Node.js with its flags, and bin/healthctl, both by absolute path. */
  readonly program: readonly string[];
  /** The configuration file in $HEALTHCTL_TOML, if set. */
  readonly configFile: string | undefined;
}

const DEFAULT_ADDRESS = '/run/containerd/containerd.sock';
const DEFAULT_SNAPSHOTTER = 'overlayfs';

/**
 * One unit for each containerd: `healthctl.service`, or with the hash of an address that is not the default
 * `healthctl-1935db59.service`.
 */
export function unitNameOf(address: string): string {
  return address === DEFAULT_ADDRESS ? 'healthctl.service' : `healthctl-${hostIdOf(address)}.service`;
}

/**
 * Global flags that make another healthctl process use the same containerd and directories, whatever its configuration
 * says.
 */
export function globalFlagsOf({
  address,
  runRoot,
  dataRoot,
  snapshotter,
}: Omit<UnitSettings, 'nerdctlDataRoot'>): readonly string[] {
  return [
    ...['--address', address, '--run-root', runRoot, '--data-root', dataRoot],
    ...(snapshotter === DEFAULT_SNAPSHOTTER ? [] : ['--snapshotter', snapshotter]),
  ];
}

/**
 * The required capabilities, and why: CHOWN, DAC_OVERRIDE, DAC_READ_SEARCH and FOWNER for files of containers and the
 * group of the sockets; KILL for processes that a check leaves running under any user; SYS_PTRACE for /proc of such
 * processes; SYS_ADMIN and NET_ADMIN for namespaces, networks and mounts of containers; NET_RAW for iptables;
 * NET_BIND_SERVICE for published ports below 1024; SYS_NICE to run soon on a busy machine.
 */
const CAPABILITIES = [
  'CAP_CHOWN',
  'CAP_DAC_OVERRIDE',
  'CAP_DAC_READ_SEARCH',
  'CAP_FOWNER',
  'CAP_KILL',
  'CAP_NET_ADMIN',
  'CAP_NET_BIND_SERVICE',
  'CAP_NET_RAW',
  'CAP_SYS_ADMIN',
  'CAP_SYS_NICE',
  'CAP_SYS_PTRACE',
].join(' ');

/**
 * Further paths that CNI's plugins write for containers that the monitor restarts: network settings, and the lock of
 * iptables, if it has one.
 */
const NETWORK_PATHS = ['/proc/sys/net', '/run/xtables.lock'];

/**
 * The unit of the monitor. Throws INVALID for a path that systemd's syntax cannot express.
 *
 * The run root is no RuntimeDirectory, because systemd would remove it, and the health of all containers with it, at
 * each stop. But it must exist before the monitor's sandbox is set up, and after a boot it does not; with a dash, the
 * sandbox of the command that creates it does not require it.
 */
export function unitTextOf({ settings, program, configFile }: UnitRequest): string {
  const { runRoot, dataRoot, nerdctlDataRoot, address } = settings;
  const command = [...program, ...globalFlagsOf(settings), 'daemon', 'run'];
  const environment = { ...NODE_ENVIRONMENT, ...(configFile === undefined ? {} : { HEALTHCTL_TOML: configFile }) };
  const needsHome = [...program, runRoot, dataRoot, nerdctlDataRoot, configFile ?? ''].some(isInHome);
  return `[Unit]
Description=Health checks of the containers of ${specifierFree(address)}
After=containerd.service
StartLimitIntervalSec=0

[Service]
Type=notify
NotifyAccess=main
ExecStartPre=+mkdir -p -m 0700 -- ${[runRoot, dataRoot, CLAIMS_DIR].map(wordOfCommand).join(' ')}
ExecStart=${command.map(wordOfCommand).join(' ')}
ExecReload=sh -c "kill -HUP $MAINPID"
${Object.entries(environment)
  .map(([name, value]) => `Environment=${word(`${name}=${value}`)}\n`)
  .join('')}WatchdogSec=30
Restart=always
RestartSec=1
KillMode=mixed
TimeoutStopSec=15
SyslogIdentifier=healthctl

CapabilityBoundingSet=${CAPABILITIES}
NoNewPrivileges=yes
ProtectSystem=strict
ReadWritePaths=${[runRoot, dataRoot, nerdctlDataRoot, CLAIMS_DIR, ...NETWORK_PATHS].map((path) => word(`-${path}`)).join(' ')}
ProtectHome=${needsHome ? 'read-only' : 'yes'}
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectKernelLogs=yes
ProtectControlGroups=yes
ProtectClock=yes
ProtectHostname=yes
RestrictSUIDSGID=yes
RestrictRealtime=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
LockPersonality=yes
SystemCallArchitectures=native

[Install]
WantedBy=multi-user.target
`;
}

/** Whether ProtectHome=yes would hide the path. Node.js, for example, is often installed in a home directory. */
function isInHome(path: string): boolean {
  return /^\/(home|root|run\/user)(\/|$)/.test(path);
}

/** A word of a setting (systemd.syntax(7)); specifiers begin with a percent sign. */
function word(text: string): string {
  if (/["'\\\p{Cc}]/u.test(text))
    throw new HealthctlError('INVALID', `${JSON.stringify(text)} cannot stand in a unit of systemd`, {
      hint: 'use a path without quotes, backslashes and control characters',
    });
  const escaped = specifierFree(text);
  return /^[^\s;#]+$/.test(escaped) ? escaped : `"${escaped}"`;
}

/** Like `word`, for a command line, where variables are replaced (systemd.service(5), "Command lines"). */
function wordOfCommand(text: string): string {
  return word(text.replaceAll('$', '$$$$'));
}

function specifierFree(text: string): string {
  return text.replaceAll('%', '%%');
}
