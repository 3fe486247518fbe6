import { useEffect, useRef } from 'preact/hooks';
import type { ContainerAnswer, ContainerRow, RangeName } from '../wire.ts';
import { containerPath } from './api.ts';
import { ResultSlider } from './bar.tsx';
import { ConfigSection } from './config-section.tsx';
import { DurationPlot } from './duration-plot.tsx';
import { millisecondsText, percentText, RANGE_TEXTS, spanText } from './format.ts';
import { Incidents } from './incidents.tsx';
import { LogSection } from './log-section.tsx';
import { PhaseStrip } from './phase-strip.tsx';
import { hashOf } from './route.ts';
import { Status } from './status.tsx';
import { useData } from './use-data.ts';

export interface ContainerViewProps {
  readonly containerKey: string;
  readonly range: RangeName;
  /** Its row in the list, which is up to date. */
  readonly live: ContainerRow | undefined;
  /** Changes with each result. */
  readonly version: number;
}

/** An answer reads files, and that of a longer range changes little. */
const EVERY_MS: Readonly<Record<RangeName, number>> = { '90m': 6_000, '24h': 60_000, '7d': 300_000 };

/** One container: its results, durations, incidents, check and log. The log is last, because it grows. */
export function ContainerView({ containerKey, range, live, version }: ContainerViewProps) {
  const { value, error } = useData<ContainerAnswer>(
    containerPath(containerKey, `?range=${range}`),
    version,
    EVERY_MS[range],
  );
  const heading = useRef<HTMLHeadingElement>(null);
  const row = live ?? value?.row;
  useEffect(() => heading.current?.focus({ preventScroll: true }), [row === undefined]);
  if (!row) return error === '' ? <p class="quiet">Loading …</p> : <Missing error={error} range={range} />;
  const nowMs = Math.max(value?.nowMs ?? 0, row.lastCheck?.endMs ?? 0);
  return (
    <article>
      <p>
        <a href={hashOf({ view: { kind: 'containers' }, range })}>All containers</a>
      </p>
      <h2 ref={heading} tabIndex={-1} class="container-name">
        {row.name}
      </h2>
      <p class="quiet small wrap">
        {row.namespace} · {row.id.slice(0, 12)} · {row.image}
      </p>
      {nowMs > 0 && <Status row={row} nowMs={nowMs} />}
      {value && value.range === range && (
        <>
          <Figures answer={value} row={row} />
          <section aria-labelledby="results">
            <h3 id="results">Results of {RANGE_TEXTS[range]}</h3>
            <ResultSlider row={row} range={range} fromMs={value.fromMs} />
          </section>
          <section aria-labelledby="durations">
            <h3 id="durations">Durations</h3>
            <DurationPlot points={value.plot} range={range} />
          </section>
          <section aria-labelledby="incidents">
            <h3 id="incidents">Incidents</h3>
            <PhaseStrip spans={value.spans} fromMs={value.fromMs} toMs={value.nowMs} range={range} />
            <Incidents incidents={value.incidents} nowMs={nowMs} range={range} />
          </section>
        </>
      )}
      <ConfigSection containerKey={containerKey} status={row.status} />
      <LogSection containerKey={containerKey} version={version} nowMs={nowMs} />
    </article>
  );
}

function Figures({ answer: { uptime }, row }: { readonly answer: ContainerAnswer; readonly row: ContainerRow }) {
  const { lastCheck, p50Ms, p95Ms, flaps, restarts } = row;
  const last = lastCheck
    ? `${lastCheck.exitCode === 0 ? 'passed' : `failed (${lastCheck.exitCode})`} in ${spanText(lastCheck.durationMs)}`
    : '–';
  const facts: readonly (readonly [string, string])[] = [
    ['Last check', last],
    ['Up, 1 hour', percentText(uptime.hour)],
    ['Up, 24 hours', percentText(uptime.day)],
    ['Up, 7 days', percentText(uptime.week)],
    ['Median', millisecondsText(p50Ms)],
    ['95 %', millisecondsText(p95Ms)],
    ['Flaps', `${flaps}`],
    ['Restarts', `${restarts}`],
  ];
  return (
    <dl class="figures">
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

function Missing({ error, range }: { readonly error: string; readonly range: RangeName }) {
  return (
    <>
      <p role="alert" class="alert">
        {error}
      </p>
      <p>
        <a href={hashOf({ view: { kind: 'containers' }, range })}>All containers</a>
      </p>
    </>
  );
}
