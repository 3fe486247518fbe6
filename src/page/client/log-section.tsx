import { useEffect, useState } from 'preact/hooks';
import type { LogAnswer, LogLine } from '../wire.ts';
import { containerPath, getData } from './api.ts';
import { STATUS_LEVELS, spanText, timeText } from './format.ts';
import { useData } from './use-data.ts';
import { failureOf } from './use-monitor.ts';

const EVERY_MS = 6_000;

/** The results and changes of a container, the newest first. */
export function LogSection({
  containerKey,
  version,
  nowMs,
}: {
  readonly containerKey: string;
  readonly version: number;
  readonly nowMs: number;
}) {
  const [failedOnly, setFailedOnly] = useState(false);
  const query = failedOnly ? '&failed=1' : '';
  const path = containerPath(containerKey, `/log?${query.slice(1)}`);
  const { value, error } = useData<LogAnswer>(path, version, EVERY_MS);
  const [older, setOlder] = useState<Older>(NO_OLDER);
  useEffect(() => setOlder(NO_OLDER), [path]);
  const beforeMs = older.lines.length > 0 ? older.beforeMs : (value?.beforeMs ?? null);
  const loadOlder = (): void => {
    getData<LogAnswer>(
      containerPath(containerKey, `/log?before=${beforeMs}${query}`),
      new AbortController().signal,
    ).then(
      (more) => setOlder(({ lines }) => ({ lines: [...lines, ...more.lines], beforeMs: more.beforeMs, error: '' })),
      (failure: unknown) => setOlder((before) => ({ ...before, error: failureOf(failure).error })),
    );
  };
  const problem = error || older.error;
  return (
    <section aria-labelledby="log">
      <h3 id="log">Log</h3>
      <label class="check">
        <input type="checkbox" checked={failedOnly} onChange={(event) => setFailedOnly(event.currentTarget.checked)} />
        failed checks and changes only
      </label>
      {problem !== '' && <p class="alert">{problem}</p>}
      {value && <Lines lines={withOlder(value.lines, older.lines)} nowMs={nowMs} />}
      {beforeMs !== null && (
        <button type="button" onClick={loadOlder}>
          Older
        </button>
      )}
    </section>
  );
}

interface Older extends LogAnswer {
  readonly error: string;
}
const NO_OLDER: Older = { lines: [], beforeMs: null, error: '' };

/** New lines push the newest older ones down: each is shown once. */
function withOlder(lines: readonly LogLine[], older: readonly LogLine[]): readonly LogLine[] {
  const oldestMs = lines.at(-1)?.atMs ?? Number.POSITIVE_INFINITY;
  return [...lines, ...older.filter(({ atMs }) => atMs < oldestMs)];
}

function Lines({ lines, nowMs }: { readonly lines: readonly LogLine[]; readonly nowMs: number }) {
  if (lines.length === 0) return <p class="quiet">Nothing yet.</p>;
  return (
    <ol class="log">
      {lines.map((line) => (
        <li key={`${line.atMs} ${line.kind} ${line.word}`} class={levelOf(line)}>
          <p>
            <time dateTime={new Date(line.atMs).toISOString()}>{timeText(line.atMs, nowMs)}</time> <b>{wordOf(line)}</b>{' '}
            {line.durationMs !== null && <span class="quiet">in {spanText(line.durationMs)}</span>}
            {line.lagMs !== null && line.lagMs >= 1_000 && <span class="quiet">, {spanText(line.lagMs)} late</span>}
          </p>
          {line.text !== '' && <pre>{line.text.trimEnd()}</pre>}
        </li>
      ))}
    </ol>
  );
}

function levelOf({ kind, word }: LogLine): string {
  if (kind === 'result') return word === 'ok' ? 'off' : 'bad';
  return kind === 'change' ? ((STATUS_LEVELS as Readonly<Record<string, string>>)[word] ?? 'off') : 'busy';
}

function wordOf({ kind, word, exitCode }: LogLine): string {
  if (kind === 'action') return `${word} by the monitor`;
  if (kind === 'change') return `→ ${word}${word === 'ended' && exitCode !== null ? ` (${exitCode})` : ''}`;
  return word === 'ok' ? 'passed' : `failed (${exitCode})`;
}
