import { tellingLine } from '../health/result.ts';
import type { PastContainer } from '../history/containers.ts';
import type { Phase } from '../history/model.ts';
import { type Period, restartsOf, type Span } from '../history/timeline.ts';
import { printable, printableLine } from '../lib/printable.ts';
import type { Incident } from './wire.ts';

/** How an incident goes on in each phase. */
const COURSE: Readonly<Record<Phase, 'begins' | 'goes on' | 'ends'>> = {
  unhealthy: 'begins',
  ended: 'begins',
  starting: 'goes on',
  healthy: 'ends',
  paused: 'ends',
  stopped: 'ends',
  unchecked: 'ends',
  gone: 'ends',
};

/**
 * The incidents of a container in a period, oldest first. A container that was restarted because it was unhealthy, and
 * becomes unhealthy again before it was healthy, is in one incident.
 *
 * @param spans of the container, oldest first
 */
export function incidentsOf(container: PastContainer, spans: readonly Span[], period: Period): readonly Incident[] {
  const found: Incident[] = [];
  let open: Span | undefined;
  const close = (toMs: number, isOpen: boolean): void => {
    if (open && toMs >= period.fromMs && open.fromMs <= period.toMs)
      found.push(incidentFrom(container, open, { toMs, isOpen }));
    open = undefined;
  };
  for (const span of spans) {
    const course = COURSE[span.phase];
    if (course === 'begins') open ??= span;
    if (course === 'ends') close(span.fromMs, false);
  }
  close(spans.at(-1)?.toMs ?? period.toMs, true);
  return found;
}

function incidentFrom(
  { key, name, changes }: PastContainer,
  { fromMs, phase, exitCode, reason }: Span,
  { toMs, isOpen }: { readonly toMs: number; readonly isOpen: boolean },
): Incident {
  return {
    ...{ key, name: printable(name), fromMs, toMs, isOpen },
    phase: phase === 'ended' ? phase : 'unhealthy',
    exitCode: exitCode ?? null,
    reason: printableLine(tellingLine({ exitCode: exitCode ?? 0, output: reason })),
    restarts: restartsOf(changes, { fromMs, toMs }),
  };
}
