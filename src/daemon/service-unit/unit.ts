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
  /** Whether it serves Docker's API, at whatever address. Default false. */
  readonly servesDocker?: boolean;
  /** The socket that systemd opens for Docker's API. Default none. */
  readonly dockerSocket?: DockerSocket | undefined;
}

export interface DockerSocket {
  readonly path: string;
  /** Name or id of the group that may use it besides root. */
  readonly group: string | undefined;
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
const CAPABILITIES: readonly string[] = [
  'CAP_CHOWN',
  'CAP_DAC_OVERRIDE',
  'CAP_DAC_READ_SEARCH',
  'CAP_FOWNER',
  'CAP_KILL',
  'CAP_NET_ADMIN',
  'CAP_NET_BIND_SERVICE',
  'CAP_NET_RAW',
  'CAP_SYS_ADMIN',
  'CAP_SYS_CHROOT',
  'CAP_SYS_NICE',
  'CAP_SYS_PTRACE',
];

/**
 * Further ones for clients of Docker's API, who copy files and fill volumes: MKNOD for devices, FSETID for files with
 * the bits setuid and setgid, SETFCAP for files with capabilities, SYS_CHROOT for the roots of containers.
 */
const DOCKER_CAPABILITIES: readonly string[] = ['CAP_FSETID', 'CAP_MKNOD', 'CAP_SETFCAP'];

/** Sockets that outlive a restart: two for each container on a network of its own. systemd sets $FDSTORE from 254 on. */
const MAX_STORED = '4096';

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
export function unitTextOf(request: UnitRequest): string {
  const { settings, program, configFile, dockerSocket } = request;
  const { runRoot, dataRoot, address } = settings;
  const options = dockerSocket ? ['--docker-socket', 'fd://'] : [];
  const command = [...program, ...globalFlagsOf(settings), 'daemon', 'run', ...options];
  const environment = {
    ...NODE_ENVIRONMENT,
    FDSTORE: MAX_STORED,
    ...(configFile === undefined ? {} : { HEALTHCTL_TOML: configFile }),
  };
  const socketUnit = socketUnitNameOf(address);
  return `[Unit]
Description=Health checks of the containers of ${specifierFree(address)}
After=containerd.service${dockerSocket ? ` ${socketUnit}\nRequires=${socketUnit}` : ''}
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
FileDescriptorStoreMax=${MAX_STORED}
SyslogIdentifier=healthctl

${sandboxOf(request)}
[Install]
WantedBy=multi-user.target
`;
}

/**
 * Clients of Docker's API name directories of the host, which must be seen as they are, and made where they are missing;
 * what the monitor mounts for a container must be seen by containerd. So a monitor that serves them has no mount
 * namespace of its own, and none of the settings that make one.
 */
function sandboxOf(request: UnitRequest): string {
  const isOpen = request.servesDocker === true || request.dockerSocket !== undefined;
  const capabilities = isOpen ? [...CAPABILITIES, ...DOCKER_CAPABILITIES].toSorted() : CAPABILITIES;
  return `CapabilityBoundingSet=${capabilities.join(' ')}
NoNewPrivileges=yes
${isOpen ? '' : fileSandboxOf(request)}RestrictRealtime=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
LockPersonality=yes
SystemCallArchitectures=native
`;
}

function fileSandboxOf({ settings, program, configFile }: UnitRequest): string {
  const { runRoot, dataRoot, nerdctlDataRoot } = settings;
  const needsHome = [...program, runRoot, dataRoot, nerdctlDataRoot, configFile ?? ''].some(isInHome);
  return `ProtectSystem=strict
ReadWritePaths=${[runRoot, dataRoot, nerdctlDataRoot, CLAIMS_DIR, ...NETWORK_PATHS].map((path) => word(`-${path}`)).join(' ')}
ProtectHome=${needsHome ? 'read-only' : 'yes'}
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectKernelLogs=yes
ProtectControlGroups=yes
ProtectClock=yes
ProtectHostname=yes
RestrictSUIDSGID=yes
`;
}

/** Whether ProtectHome=yes would hide the path. Node.js, for example, is often installed in a home directory. */
function isInHome(path: string): boolean {
  return /^\/(home|root|run\/user)(\/|$)/.test(path);
}

/** `healthctl.socket` beside `healthctl.service`. */
export const socketUnitNameOf = (address: string): string => unitNameOf(address).replace(/service$/, 'socket');

/**
 * The unit of the socket for Docker's API, from which a client's connection starts the monitor. Throws INVALID for a
 * path that systemd's syntax cannot express. A directory that it makes has the mode that the monitor's own have.
 */
export function socketUnitTextOf({ address }: Pick<UnitSettings, 'address'>, { path, group }: DockerSocket): string {
  return `[Unit]
Description=Docker's Engine API for the containers of ${specifierFree(address)}

[Socket]
ListenStream=${plainValue(path)}
SocketMode=${group === undefined ? '0600' : '0660'}
${group === undefined ? '' : `SocketGroup=${plainValue(group)}\n`}DirectoryMode=${group === undefined ? '0700' : '0711'}
RemoveOnStop=yes

[Install]
WantedBy=sockets.target
`;
}

/** The path in the text of a unit of a socket. */
export function socketPathIn(unit: string): string | undefined {
  return /^ListenStream=(.*)$/m.exec(unit)?.[1]?.replaceAll('%%', '%');
}

/** A word of a setting (systemd.syntax(7)); specifiers begin with a percent sign. */
function word(text: string): string {
  const escaped = plainValue(text);
  return /^[^\s;#]+$/.test(escaped) ? escaped : `"${escaped}"`;
}

/** A value that is a whole line. */
function plainValue(text: string): string {
  if (/["'\\\p{Cc}]/u.test(text))
    throw new HealthctlError('INVALID', `${JSON.stringify(text)} cannot stand in a unit of systemd`, {
      hint: 'use a path without quotes, backslashes and control characters',
    });
  return specifierFree(text);
}

/** Like `word`, for a command line, where variables are replaced (systemd.service(5), "Command lines"). */
function wordOfCommand(text: string): string {
  return word(text.replaceAll('$', '$$$$'));
}

function specifierFree(text: string): string {
  return text.replaceAll('%', '%%');
}
