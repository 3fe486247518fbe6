import { copyFileSync, existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe } from 'vitest';
import { findNerdctl } from '../../testbed/nerdctl-program.ts';
import { mustRun, type ProgramResult, runProgram } from '../../testbed/program.ts';
import { type Bed, until } from '../e2e/support/harness.ts';
import { openNerdctlBed } from '../e2e/support/nerdctl-bed.ts';

/** A bed with a real nerdctl for the same containerd, namespace and containers. */
export interface PeersBed extends AsyncDisposable {
  readonly bed: Bed;
  /** A busybox image without a health check. */
  readonly image: string;
  /** nerdctl's data root. */
  readonly dataRoot: string;
  /**
   * Runs `nerdctl ARGS`, which must succeed.
   * @returns stdout, trimmed
   */
  nerdctl(...args: string[]): Promise<string>;
  /**
   * Starts a container of nerdctl that sleeps, without a network.
   * @returns its id
   */
  nerdctlRun(name: string, ...flags: string[]): Promise<string>;
  /** Runs `nerdctl ARGS`; never throws for an exit status. */
  tryNerdctl(...args: string[]): Promise<ProgramResult>;
  /** Like `tryNerdctl`, with further environment variables. */
  nerdctlWith(env: Readonly<Record<string, string>>, ...args: string[]): Promise<ProgramResult>;
  /** The command line that runs `nerdctl ARGS`. */
  commandOf(args: readonly string[]): readonly string[];
  /** All labels of a container, by its full id, from containerd. */
  labelsOf(id: string): Promise<Readonly<Record<string, string>>>;
  /** Starts a monitor for the bed, which ends with the bed. */
  startMonitor(): Promise<void>;
}

/** The tested nerdctl: the one that `scripts/peers.mjs` names, else version 2.3.5 from its directory. */
export const NERDCTL = givenNerdctl() ?? findNerdctl('2.3.5');

function givenNerdctl(): string | undefined {
  const given = process.env.HEALTHCTL_NERDCTL;
  return given === '' ? undefined : given;
}

/** `describe` for tests that need a real nerdctl; skipped without one. */
export const describeWithNerdctl = describe.skipIf(NERDCTL === undefined);

/**
 * Opens a bed with a real nerdctl: `await using` it, or dispose of it in `afterAll`.
 *
 * @param config further lines of healthctl's configuration file
 */
export async function openPeersBed(config: readonly string[] = []): Promise<PeersBed> {
  if (NERDCTL === undefined || !existsSync(NERDCTL)) throw new Error('no nerdctl; run: npm run peers');
  const { bed, image, dataRoot, close } = await openNerdctlBed(config);
  // nerdctl's program is also its logger, which healthctl trusts only below a directory that only root can write to.
  const program = join(dataRoot, 'bin/nerdctl');
  try {
    mkdirSync(join(dataRoot, 'bin'), { mode: 0o700 });
    copyFileSync(NERDCTL, program);
  } catch (error) {
    await close();
    throw error;
  }
  const cniPath = ['/usr/lib/cni', '/opt/cni/bin'].find((directory) => existsSync(join(directory, 'bridge')));
  const global = ['--address', bed.address, '--namespace', bed.namespace, '--data-root', dataRoot];
  const cni = ['--cni-path', cniPath ?? '/usr/lib/cni', '--cni-netconfpath', join(dataRoot, 'cni')];
  const commandOf = (args: readonly string[]) => [program, ...global, ...cni, ...args];
  const settings = (env: Readonly<Record<string, string>> = {}) => ({
    env: { ...bed.env, ...env },
    cwd: bed.directory,
  });
  const nerdctl: PeersBed['nerdctl'] = async (...args) => (await mustRun(commandOf(args), settings())).trim();
  return {
    ...{ bed, image, dataRoot, commandOf, nerdctl },
    nerdctlRun: (name, ...flags) =>
      nerdctl('run', '-d', '--network', 'none', '--name', name, ...flags, image, 'sleep', '600'),
    tryNerdctl: (...args) => runProgram(commandOf(args), settings()),
    nerdctlWith: (env, ...args) => runProgram(commandOf(args), settings(env)),
    labelsOf: async (id) => {
      const info: unknown = JSON.parse(await bed.ctr('containers', 'info', id));
      return (info as { Labels?: Record<string, string> }).Labels ?? {};
    },
    startMonitor: async () => {
      bed.spawn(['daemon', 'run', '--log-format', 'text']);
      await until(async () => (await bed.cli(['daemon', 'status'])).code === 0, { withinMs: 15_000 });
    },
    [Symbol.asyncDispose]: close,
  };
}
