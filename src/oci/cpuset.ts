import { HealthctlError } from '../lib/errors.ts';

/** No kernel counts more CPUs or memory nodes. */
const MAX_NUMBER = 8191;

/** Parses numbers and ranges, `0-2,7` (moby pkg/parsers ParseUintList); undefined for any other text. */
export function parseNumberList(text: string): ReadonlySet<number> | undefined {
  const numbers = new Set<number>();
  if (text === '') return numbers;
  for (const part of text.split(',')) {
    const [, first, last = first] = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(part) ?? [];
    if (first === undefined || Number(first) > Number(last) || Number(last) > MAX_NUMBER) return undefined;
    for (let number = Number(first); number <= Number(last); number++) numbers.add(number);
  }
  return numbers;
}

/**
 * Throws INVALID with Docker's texts (moby daemon/daemon_unix.go).
 * @param available undefined if the host does not report it
 */
export function refuseCpuset(
  { cpus, mems }: { readonly cpus: string; readonly mems: string },
  available: { readonly cpus: string; readonly mems: string } | undefined,
): void {
  const check = (asked: string, there: string | undefined, [kind, what]: readonly [string, string]): void => {
    const wanted = parseNumberList(asked);
    if (!wanted)
      throw new HealthctlError('INVALID', `Invalid value ${asked} for cpuset ${kind}: invalid format: ${asked}`);
    const known = there === undefined ? undefined : parseNumberList(there);
    if (!known || [...wanted].every((number) => known.has(number))) return;
    throw new HealthctlError(
      'INVALID',
      `Requested ${what} are not available - requested ${asked}, available: ${there}`,
    );
  };
  check(cpus, available?.cpus, ['cpus', 'CPUs']);
  check(mems, available?.mems, ['mems', 'memory nodes']);
}
