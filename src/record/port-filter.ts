import type { PortSpan, ShownPorts } from './shown-ports.ts';

/** A value of the filters `publish` and `expose`: `80`, `53/udp`, `8000-8010/tcp`. */
export interface PortFilter extends PortSpan {
  readonly protocol: string;
}

const MAX_PORT = 65_535;

/**
 * Parses one. `{ refusal }` has Docker's text (moby: daemon/list.go portOp, api/types/network/port.go ParsePortRange).
 */
export function parsePortFilter(
  key: 'publish' | 'expose',
  value: string,
): { readonly filter: PortFilter } | { readonly refusal: string } {
  if (value.includes(':')) return { refusal: `filter for '${key}' should not contain ':': ${value}` };
  const refuse = (reason: string) => ({ refusal: `error while looking up for ${key} ${value}: ${reason}` });
  if (value === '') return refuse('invalid port range: value is empty');
  const slash = value.indexOf('/');
  const range = slash < 0 ? value : value.slice(0, slash);
  const protocol = (slash < 0 ? '' : value.slice(slash + 1).toLowerCase()) || 'tcp';
  const dash = range.indexOf('-');
  const [start, end] = dash < 0 ? [range, range] : [range.slice(0, dash), range.slice(dash + 1)];
  const problem = problemOf('start', start) ?? problemOf('end', end);
  if (problem !== undefined) return refuse(problem);
  const filter = { protocol, first: Number(start), last: Number(end) };
  return filter.last < filter.first ? refuse(`invalid port range: ${value}`) : { filter };
}

function problemOf(which: 'start' | 'end', port: string): string | undefined {
  if (port === '') return `invalid ${which} port '': value is empty`;
  if (!/^\d+$/.test(port)) return `invalid ${which} port '${port}': invalid syntax`;
  return Number(port) > MAX_PORT ? `invalid ${which} port '${port}': value out of range` : undefined;
}

/**
 * Whether a port of the container matches: in the container for `expose`, on the host for `publish`; either is enough.
 */
export function matchesPorts(
  ports: readonly ShownPorts[],
  { publish, expose }: { readonly publish: readonly PortFilter[]; readonly expose: readonly PortFilter[] },
): boolean {
  return ports.some(
    ({ protocol, container, host }) =>
      expose.some((filter) => filter.protocol === protocol && overlaps(filter, container)) ||
      (host !== undefined && publish.some((filter) => filter.protocol === protocol && overlaps(filter, host))),
  );
}

const overlaps = (a: PortSpan, b: PortSpan): boolean => a.first <= b.last && b.first <= a.last;

/**
 * A value of `is-task`: there are no tasks of a swarm. `{ refusal }` has Docker's text (moby:
 * filters.GetBoolOrDefault).
 */
export function parseIsTask(
  values: readonly string[],
): { readonly isTask: boolean | undefined } | { readonly refusal: string } {
  const isTrue = values.some((value) => value === '1' || value === 'true');
  const isFalse = values.some((value) => value === '0' || value === 'false');
  if (values.length === 0) return { isTask: undefined };
  if (isTrue !== isFalse) return { isTask: isTrue };
  return { refusal: `invalid filter 'is-task=[${values.join(' ')}]'` };
}
