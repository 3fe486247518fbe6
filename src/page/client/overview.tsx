import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { ContainerRow, OverviewAnswer, RangeName } from '../wire.ts';
import { ResultBar } from './bar.tsx';
import { imageText, LEVELS, millisecondsText, percentText, RANGE_TEXTS, STATUS_LEVELS, spanText } from './format.ts';
import { Incidents } from './incidents.tsx';
import { hashOf } from './route.ts';
import { Status } from './status.tsx';

/** All containers, and what went wrong. */
export function Overview({ overview, range }: { readonly overview: OverviewAnswer; readonly range: RangeName }) {
  const [filter, setFilter] = useState('');
  const [withGone, setWithGone] = useState(false);
  const rows = useMemo(
    () => shownRows(overview.containers, { filter, withGone }),
    [overview.containers, filter, withGone],
  );
  const withNamespace = new Set(overview.containers.map(({ namespace }) => namespace)).size > 1;
  const total = overview.containers.filter(({ status }) => status !== 'gone').length;
  return (
    <>
      <h2 class="unseen">Containers</h2>
      <Summary containers={overview.containers} />
      {overview.notes.map((note) => (
        <p key={note} class="quiet">
          {note}
        </p>
      ))}
      <div class="tools">
        <FilterField value={filter} onChange={setFilter} />
        <label class="check">
          <input type="checkbox" checked={withGone} onChange={(event) => setWithGone(event.currentTarget.checked)} />
          removed ones too
        </label>
        <p class="quiet small" role="status">
          {rows.length} of {total}
        </p>
      </div>
      {rows.length === 0 && <p class="quiet">No container {filter === '' ? 'is here.' : 'matches the filter.'}</p>}
      <ul class="rows">
        {rows.map((row) => (
          <Row key={row.key} {...{ row, range, withNamespace, fromMs: overview.fromMs, nowMs: overview.nowMs }} />
        ))}
      </ul>
      <h2>Incidents in {RANGE_TEXTS[range]}</h2>
      <Incidents incidents={overview.incidents} nowMs={overview.nowMs} range={range} withNames />
    </>
  );
}

/** The key `/` puts the cursor into it. */
function FilterField({ value, onChange }: { readonly value: string; readonly onChange: (text: string) => void }) {
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if (event.key !== '/' || event.target instanceof HTMLInputElement) return;
      event.preventDefault();
      field.current?.focus();
    };
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  }, []);
  return (
    <label class="filter">
      <span class="unseen">Filter by name, image or status</span>
      <input
        ref={field}
        type="search"
        placeholder="Filter: name, image, status"
        value={value}
        onInput={(event) => onChange(event.currentTarget.value)}
      />
    </label>
  );
}

function shownRows(
  containers: readonly ContainerRow[],
  { filter, withGone }: { readonly filter: string; readonly withGone: boolean },
): readonly ContainerRow[] {
  const words = filter.toLowerCase().split(/\s+/);
  const textOf = ({ name, image, status, id }: ContainerRow): string =>
    `${name} ${image} ${status} ${id}`.toLowerCase();
  const level = ({ status }: ContainerRow): number => LEVELS.indexOf(STATUS_LEVELS[status]);
  return containers
    .filter((row) => (withGone || row.status !== 'gone') && words.every((word) => textOf(row).includes(word)))
    .sort((a, b) => level(a) - level(b) || a.name.localeCompare(b.name, undefined, { numeric: true }));
}

function Summary({ containers }: { readonly containers: readonly ContainerRow[] }) {
  const present = containers.filter(({ status }) => status !== 'gone');
  const counts = [...new Set(present.map(({ status }) => status))]
    .map((status) => ({ status, count: present.filter((row) => row.status === status).length }))
    .sort((a, b) => LEVELS.indexOf(STATUS_LEVELS[a.status]) - LEVELS.indexOf(STATUS_LEVELS[b.status]));
  return (
    <ul class="summary" aria-label="How many have each status">
      {counts.map(({ status, count }) => (
        <li key={status} class={STATUS_LEVELS[status]}>
          <b>{count}</b> {status}
        </li>
      ))}
    </ul>
  );
}

interface RowProps {
  readonly row: ContainerRow;
  readonly range: RangeName;
  readonly fromMs: number;
  readonly nowMs: number;
  readonly withNamespace: boolean;
}

function Row({ row, range, fromMs, nowMs, withNamespace }: RowProps) {
  const { key, name, namespace, image, lastCheck, uptime, p95Ms } = row;
  return (
    <li class={`row ${STATUS_LEVELS[row.status]}`}>
      <div class="who">
        <a class="name" href={hashOf({ view: { kind: 'container', key }, range })}>
          {name}
        </a>
        <span class="quiet small cut" title={image}>
          {withNamespace ? `${namespace} · ` : ''}
          {imageText(image)}
        </span>
      </div>
      <Status row={row} nowMs={nowMs} />
      <ResultBar row={row} range={range} fromMs={fromMs} />
      <dl class="facts small">
        <Fact name="up" value={percentText(uptime)} />
        <Fact name="p95" value={millisecondsText(p95Ms)} />
        <Fact name="checked" value={lastCheck ? agoText(nowMs - lastCheck.endMs) : '–'} />
      </dl>
    </li>
  );
}

/** `just now` for the first minute: a time would change with each check. */
const agoText = (ms: number): string => (ms < 60_000 ? 'just now' : `${spanText(ms)} ago`);

function Fact({ name, value }: { readonly name: string; readonly value: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}
