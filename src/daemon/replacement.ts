import type { DaemonStatus } from './api/answers.ts';

/** Identifies an installation of healthctl. */
export type Installation = Pick<DaemonStatus, 'version' | 'commit' | 'program'>;

/**
 * Whether a command replaces the monitor that another command started.
 *
 * Only a newer one does, so that two releases on a host do not end each other's monitor with every command: a higher
 * version; or, with the same version, our own program rebuilt since the monitor's start. Two programs of one version
 * leave each other's monitor alone: neither is known to be newer.
 */
export function isReplacedBy(
  running: { readonly [K in keyof Installation]?: string | undefined },
  ours: Installation,
): boolean {
  const order = compareVersions(ours.version, running.version ?? '');
  if (order !== 0) return order > 0;
  return running.program === ours.program && running.commit !== ours.commit;
}

/** Semantic Versioning 2.0.0, section 11. An invalid version is older than any other. */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [partsOf(a), partsOf(b)];
  if (!left || !right) return Number(left !== undefined) - Number(right !== undefined);
  for (const [index, number] of left.numbers.entries()) {
    const order = Math.sign(number - (right.numbers[index] ?? 0));
    if (order !== 0) return order;
  }
  // A version is newer than its own pre-releases.
  if (left.before.length === 0 || right.before.length === 0)
    return Number(left.before.length === 0) - Number(right.before.length === 0);
  return compareIdentifiers(left.before, right.before);
}

function compareIdentifiers(left: readonly string[], right: readonly string[]): number {
  for (const [index, one] of left.entries()) {
    const other = right[index];
    if (other === undefined) return 1;
    const areNumbers = [one, other].map((text) => /^\d+$/.test(text));
    const order =
      areNumbers[0] && areNumbers[1]
        ? Math.sign(Number(one) - Number(other))
        : Number(areNumbers[1]) - Number(areNumbers[0]) || Number(one > other) - Number(one < other);
    if (order !== 0) return order;
  }
  return Math.sign(left.length - right.length);
}

function partsOf(
  version: string,
): { readonly numbers: readonly number[]; readonly before: readonly string[] } | undefined {
  const [, major, minor, patch, before] = /^(\d+)\.(\d+)\.(\d+)(?:-([0-9A-Za-z.-]+))?(?:\+.*)?$/.exec(version) ?? [];
  if (major === undefined || minor === undefined || patch === undefined) return undefined;
  return { numbers: [major, minor, patch].map(Number), before: before?.split('.') ?? [] };
}
