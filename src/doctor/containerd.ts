import { HealthctlError } from '../lib/errors.ts';
import type { DoctorContext } from './context.ts';
import { error, type HostFinding, ok } from './finding.ts';

const NAME = 'containerd';

export async function checkContainerd({ contextOf, settings, signal }: DoctorContext): Promise<readonly HostFinding[]> {
  const { address, namespace, snapshotter } = settings;
  try {
    const { host } = (await contextOf(namespace)).containerd;
    const [{ version }, snapshotters] = await Promise.all([
      host.version({ signal }),
      host.plugins('io.containerd.snapshotter.v1', { signal }),
    ]);
    return containerdFindings({ version, address, snapshotter, snapshotters });
  } catch (failure) {
    if (!(failure instanceof HealthctlError)) throw failure;
    return [error(NAME, failure.message, failure.hint ?? `see its log: journalctl -u containerd -n 50`)];
  }
}

const OLDEST = [1, 6] as const;

export function containerdFindings(facts: {
  readonly version: string;
  readonly address: string;
  /** The one that healthctl uses. */
  readonly snapshotter: string;
  readonly snapshotters: readonly string[];
}): readonly HostFinding[] {
  const { version, address, snapshotter, snapshotters } = facts;
  const [, major, minor] = /^v?(\d+)\.(\d+)/.exec(version) ?? [];
  const isOld = Number(major) < OLDEST[0] || (Number(major) === OLDEST[0] && Number(minor) < OLDEST[1]);
  const what = `version ${version} at ${address}`;
  return [
    isOld ? error(NAME, `${what} is too old`, `install containerd ${OLDEST.join('.')} or later`) : ok(NAME, what),
    ...(snapshotters.includes(snapshotter)
      ? []
      : [
          error(
            NAME,
            `it has no snapshotter ${snapshotter}`,
            `choose one with --snapshotter: ${snapshotters.join(', ')}`,
          ),
        ]),
  ];
}
