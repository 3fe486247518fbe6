import { HealthctlError } from '../lib/errors.ts';
import type { Namespace } from './types.ts';

/** How a container's namespaces relate to the host's, in the words of the options: `''` is the default. */
export interface NamespaceModes {
  /** `''` (its own), `host`, `container:ID`. */
  readonly pid: string;
  /** `private`, `shareable`, `none`, `host`, `container:ID`. */
  readonly ipc: string;
  /** `''` (its own), `host`. */
  readonly uts: string;
  /** `''` (its own on cgroup v2, the host's on v1, as Docker), `host`, `private`. */
  readonly cgroup: string;
}

export const DEFAULT_NAMESPACES: NamespaceModes = { pid: '', ipc: 'private', uts: '', cgroup: '' };

const PREFIX = 'container:';

/** The container whose namespace is joined: the text after `container:`; undefined for another mode. */
export function joinedContainer(mode: string): string | undefined {
  return mode.startsWith(PREFIX) ? mode.slice(PREFIX.length) : undefined;
}

export const joinMode = (id: string): string => `${PREFIX}${id}`;

const isJoin = (mode: string): boolean => (joinedContainer(mode) ?? '') !== '';

/**
 * `--pid`, `--ipc`, `--uts` and `--cgroupns`. Throws USAGE and INVALID with Docker's texts (docker/cli opts.go, moby
 * daemon_unix.go).
 */
export function parseNamespaceModes(given: {
  readonly pid: string | undefined;
  readonly ipc: string | undefined;
  readonly uts: string | undefined;
  readonly cgroup: string | undefined;
}): NamespaceModes {
  const { pid = '', ipc = '', uts = '', cgroup = '' } = given;
  if (!['', 'host'].includes(pid) && !isJoin(pid)) throw usage('--pid: invalid PID mode');
  if (!['', 'host'].includes(uts)) throw usage('--uts: invalid UTS mode');
  if (!['', 'host', 'private'].includes(cgroup)) throw usage('--cgroupns: invalid CGROUP mode');
  if (!['', 'none', 'private', 'shareable', 'host'].includes(ipc) && !isJoin(ipc)) {
    throw new HealthctlError('INVALID', `invalid IPC mode: ${ipc}`);
  }
  return { pid, ipc: ipc || DEFAULT_NAMESPACES.ipc, uts, cgroup };
}

/**
 * The namespaces that the runtime creates. Those of other containers get their paths at each start: see joinNamespaces.
 */
export function namespacesOf(
  { pid, ipc, uts, cgroup }: NamespaceModes,
  host: { readonly network: 'own' | 'host' | { readonly path: string }; readonly cgroup2: boolean },
): readonly Namespace[] {
  // On v1 Docker shows containers the host's hierarchy.
  const hasOwnCgroup = cgroup === '' ? host.cgroup2 : cgroup === 'private';
  return [
    { type: 'mount' },
    ...(uts === 'host' ? [] : [{ type: 'uts' }]),
    ...(pid === 'host' ? [] : [{ type: 'pid' }]),
    ...(ipc === 'host' ? [] : [{ type: 'ipc' }]),
    ...(host.network === 'host' ? [] : [networkNamespace(host.network)]),
    ...(hasOwnCgroup ? [{ type: 'cgroup' }] : []),
  ];
}

const networkNamespace = (network: 'own' | { readonly path: string }): Namespace =>
  network === 'own' ? { type: 'network' } : { type: 'network', path: network.path };

/** The namespaces with the paths of joined ones, by type. */
export function joinNamespaces(
  namespaces: readonly Namespace[],
  paths: Readonly<Record<string, string>>,
): readonly Namespace[] {
  return namespaces.map((one) => {
    const path = Object.hasOwn(paths, one.type) ? paths[one.type] : undefined;
    return path === undefined ? one : { ...one, path };
  });
}

function usage(message: string): HealthctlError {
  return new HealthctlError('USAGE', message);
}
