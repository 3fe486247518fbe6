import { useEffect, useRef, useState } from 'preact/hooks';
import type { LogAnswer, LogLine } from '../wire.ts';
import { containerPath, getData } from './api.ts';
import { STATUS_LEVELS, spanText, timeText } from './format.ts';
import { NO_LOG, withNewest, withOlder } from './known-log.ts';
import { useData } from './use-data.ts';
import { failureOf } from './use-monitor.ts';

const EVERY_MS = 6_000;

export interface LogSectionProps {
  readonly containerKey: string;
  readonly version: number;
  readonly nowMs: number;
}

/** The results and changes of a container, the newest first. */
export function LogSection({ containerKey, version, nowMs }: LogSectionProps) {
  const [failedOnly, setFailedOnly] = useState(false);
  const path = containerPath(containerKey, '/log');
  const query = failedOnly ? 'failed=1' : '';
  return (
    <section aria-labelledby="log">
      <h3 id="log">Log</h3>
      <label class="check">
        <input type="checkbox" checked={failedOnly} onChange={(event) => setFailedOnly(event.currentTarget.checked)} />
        failed checks and changes only
      </label>
      {/* A log of its own for each question: no answer to another one can come into it. */}
      <Log key={`${path} ${query}`} path={path} query={query} version={version} nowMs={nowMs} />
    </section>
  );
}

interface LogProps extends Pick<LogSectionProps, 'version' | 'nowMs'> {
  readonly path: string;
  readonly query: string;
}

function Log({ path, query, version, nowMs }: LogProps) {
  const { value, error } = useData<LogAnswer>(`${path}?${query}`, version, EVERY_MS);
  const [known, setKnown] = useState(NO_LOG);
  const [failure, setFailure] = useState('');
  const asking = useRef<AbortController | undefined>(undefined);
  useEffect(() => () => asking.current?.abort(), []);
  useEffect(() => {
    if (value) setKnown((before) => withNewest(before, value));
  }, [value]);
  const { lines, beforeMs } = known;
  const loadOlder = (): void => {
    if (asking.current || beforeMs === null) return;
    const over = new AbortController();
    asking.current = over;
    setKnown((before) => ({ ...before, older: 'asked' }));
    const end = (text: string): void => {
      asking.current = undefined;
      setFailure(text);
    };
    getData<LogAnswer>(`${path}?before=${beforeMs}&${query}`, over.signal).then(
      (more) => {
        setKnown((before) => withOlder(before, more, beforeMs));
        end('');
      },
      (reason: unknown) => {
        if (over.signal.aborted) return;
        setKnown((before) => ({ ...before, older: 'there' }));
        end(failureOf(reason).error);
      },
    );
  };
  const problem = error || failure;
  return (
    <>
      {problem !== '' && <p class="alert">{problem}</p>}
      {known === NO_LOG ? problem === '' && <p class="quiet">Loading …</p> : <Lines lines={lines} nowMs={nowMs} />}
      {beforeMs !== null && (
        <button type="button" onClick={loadOlder}>
          Older
        </button>
      )}
    </>
  );
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
