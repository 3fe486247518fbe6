import { HealthctlError } from '../lib/errors.ts';

/** Those of the IPC namespace (docker/cli opts.ValidateSysctl). */
const OF_IPC: ReadonlySet<string> = new Set([
  'kernel.msgmax',
  'kernel.msgmnb',
  'kernel.msgmni',
  'kernel.sem',
  'kernel.shmall',
  'kernel.shmmax',
  'kernel.shmmni',
  'kernel.shm_rmid_forced',
]);

/** `--sysctl NAME=VALUE`, for namespaced ones. Throws USAGE with Docker's text. */
export function parseSysctl(text: string): readonly [name: string, value: string] {
  const [name = ''] = text.split('=', 1);
  const isKnown = OF_IPC.has(name) || name.startsWith('net.') || name.startsWith('fs.mqueue.');
  if (!text.includes('=') || !isKnown) throw new HealthctlError('USAGE', `sysctl '${text}' is not allowed`);
  return [name, text.slice(name.length + 1)];
}

/** Throws INVALID, with the text of Docker's runtime, for a sysctl that would change the host. */
export function refuseSysctlsOfHost(
  sysctls: Readonly<Record<string, string>>,
  host: { readonly network: boolean; readonly ipc: boolean },
): void {
  for (const name of Object.keys(sysctls)) {
    if (name.startsWith('net.')) {
      if (host.network) throw refusal(`sysctl "${name}" not allowed in host network namespace`);
    } else if (host.ipc) {
      throw refusal(`sysctl "${name}" is not allowed in the hosts ipc namespace`);
    }
  }
}

const refusal = (message: string): HealthctlError => new HealthctlError('INVALID', message);
