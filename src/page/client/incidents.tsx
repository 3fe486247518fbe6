import type { Incident, RangeName } from '../wire.ts';
import { spanText, timeText } from './format.ts';
import { hashOf } from './route.ts';

export interface IncidentsProps {
  readonly incidents: readonly Incident[];
  readonly nowMs: number;
  readonly range: RangeName;
  /** Of several containers. */
  readonly withNames?: boolean;
}

/** Incidents as a time line, the newest first. */
export function Incidents({ incidents, nowMs, range, withNames = false }: IncidentsProps) {
  if (incidents.length === 0) return <p class="quiet">None.</p>;
  return (
    <ol class="timeline">
      {incidents.map((incident) => (
        <li key={`${incident.key} ${incident.fromMs}`} class={incident.isOpen ? 'bad' : 'over'}>
          <p>
            <time dateTime={new Date(incident.fromMs).toISOString()}>{timeText(incident.fromMs, nowMs)}</time>{' '}
            {withNames && (
              <a href={hashOf({ view: { kind: 'container', key: incident.key }, range })}>{incident.name}</a>
            )}{' '}
            <b>{incident.phase}</b> {incident.isOpen ? 'for' : 'lasted'}{' '}
            {spanText((incident.isOpen ? nowMs : incident.toMs) - incident.fromMs)}
            {incident.isOpen && <span class="badge bad">now</span>}
          </p>
          <p class="cause">{causeOf(incident)}</p>
        </li>
      ))}
    </ol>
  );
}

function causeOf({ phase, exitCode, reason, restarts }: Incident): string {
  const code = exitCode === null ? '' : phase === 'ended' ? `exit status ${exitCode}` : `exit code ${exitCode}`;
  const again = restarts === 0 ? '' : restarts === 1 ? 'restarted once' : `restarted ${restarts} times`;
  return [reason, code, again].filter((part) => part !== '').join(' · ') || 'no output';
}
