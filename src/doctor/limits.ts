import { watch } from 'node:fs';
import { fileReasonOf } from '../lib/errors.ts';
import { readDescriptorLimit } from '../system/descriptors.ts';
import { readInotifyLimits, readOpenFiles } from '../system/kernel-limits.ts';
import type { DoctorContext } from './context.ts';
import { error, type HostFinding, ok, warning } from './finding.ts';

export async function checkInotify({ containers }: DoctorContext): Promise<readonly HostFinding[]> {
  const count = await containers().then(
    (found) => found.filter(({ view }) => view.state === 'running').length,
    () => 0, // containerd's own line says why
  );
  return inotifyFindings({
    ...readInotifyLimits(),
    containers: count,
    refusal: refusalOfWatch(),
  });
}

/** Why no file can be watched now: all instances or watches of the user are in use. */
function refusalOfWatch(): string | undefined {
  try {
    watch('/').close();
    return undefined;
  } catch (failure) {
    return fileReasonOf(failure);
  }
}

/** The kernel's default. */
const INSTANCES = 128;
/** The monitor watches both files of a container's output; other programs of root watch too. */
const WATCHES_EACH = 4;
const WATCHES = 4_096;

export function inotifyFindings(facts: {
  readonly watches: number;
  readonly instances: number;
  /** Number of running containers. */
  readonly containers: number;
  readonly refusal: string | undefined;
}): readonly HostFinding[] {
  const { watches, instances, containers, refusal } = facts;
  const what = `${watches} watches and ${instances} instances for each user`;
  const wanted = Math.max(WATCHES, WATCHES_EACH * containers);
  const raise = `raise them: sysctl fs.inotify.max_user_watches=${Math.max(65_536, 2 * wanted)} fs.inotify.max_user_instances=${Math.max(512, instances)}`;
  if (refusal !== undefined) return [error('inotify', `no file can be watched: ${refusal} (${what})`, raise)];
  if (instances < INSTANCES || watches < wanted) return [warning('inotify', what, raise)];
  return [ok('inotify', what)];
}

export function checkDescriptors(): readonly HostFinding[] {
  return descriptorFindings({ limit: readDescriptorLimit(), ...readOpenFiles() });
}

/** A monitor of some hundred containers needs no more. */
const ENOUGH = 1_024;

export function descriptorFindings(facts: {
  /** Of a process that is started here. */
  readonly limit: number;
  /** Open files of the host, and the limit of the kernel. */
  readonly open: number;
  readonly max: number;
}): readonly HostFinding[] {
  const { limit, open, max } = facts;
  if (open > 0.9 * max)
    return [
      error(
        'descriptors',
        `${open} of the ${max} files that the kernel allows are open`,
        'find who opens them, or raise them: sysctl fs.file-max',
      ),
    ];
  const what = Number.isFinite(limit) ? `${limit} for each process` : 'no limit for each process';
  if (limit < ENOUGH)
    return [warning('descriptors', what, `raise them: ulimit -n ${ENOUGH}, or LimitNOFILE= of the unit`)];
  return [ok('descriptors', what)];
}
