import { fileURLToPath } from 'node:url';
import { readBootId } from '../src/system/proc.ts';
import { readProcess } from './processes.ts';
import { startProgram } from './program.ts';

/** Servers in a network namespace of their own, like those of a container. */
export interface NetworkServers extends AsyncDisposable {
  readonly pid: number;
  /** The run id of a container whose main process they are: `bootid:pid:starttime`. */
  readonly runId: string;
  /** The port of a server in network-servers.mjs, by its name. Throws if the name is unknown. */
  port(name: string): number;
  /** Ends them, and with them their namespace. */
  kill(): Promise<void>;
}

const PROGRAM = fileURLToPath(new URL('network-servers.mjs', import.meta.url));

/**
 * Starts them with `unshare`, which needs root.
 *
 * @param hosts a file that they see as /etc/hosts
 */
export async function startNetworkServers(
  options: { readonly hosts?: string; readonly tls?: { readonly cert: string; readonly key: string } } = {},
): Promise<NetworkServers> {
  const { hosts, tls } = options;
  const mount = hosts === undefined ? '' : `mount --bind '${hosts}' /etc/hosts; `;
  const script = `busybox ifconfig lo up; ${mount}exec "$@"`;
  const servers = [process.execPath, PROGRAM, ...(tls ? [JSON.stringify(tls)] : [])];
  const running = startProgram(['unshare', '--net', '--mount', 'sh', '-ec', script, 'sh', ...servers], {
    env: { PATH: process.env.PATH ?? '' },
  });
  await running.prints(/\}\n/);
  const ports = JSON.parse(running.stdout()) as Readonly<Record<string, number>>;
  return {
    pid: running.pid,
    runId: `${readBootId()}:${running.pid}:${readProcess(running.pid)?.startTicks}`,
    port: (name) => {
      const port = ports[name];
      if (port === undefined) throw new Error(`no server ${name}`);
      return port;
    },
    kill: async () => {
      running.kill('SIGKILL');
      await running.exited;
    },
    [Symbol.asyncDispose]: async () => {
      running.kill('SIGKILL');
      await running.exited;
    },
  };
}
