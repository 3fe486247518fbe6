import { OUTPUT_STREAMS, type OutputStream } from '../../container/logs/output-files.ts';
import { type OutputSource, sharedOutputs } from '../../container/logs/output-source.ts';
import {
  type LogReader,
  type LogSubject,
  type LogsRequest,
  logSubjectOf,
  readLogs,
} from '../../container/logs/show-logs.ts';
import { logConfigOf } from '../../record/log-config.ts';
import { storedConfigOf } from '../../record/stored-config.ts';
import type { ContainerView } from '../../record/view.ts';
import { EngineError } from '../errors.ts';
import { FRAMES, frameHeader, RAW } from '../frames.ts';
import type { EngineDeps } from '../host.ts';
import type { Query } from '../query.ts';
import type { Call, Route, StreamedAnswer } from '../route.ts';
import { parseUnixTime } from '../unix-time.ts';
import { isSince } from '../version.ts';
import { foundView } from './found.ts';

/** `/containers/{id}/logs`. */
export function logRoutes(deps: Pick<EngineDeps, 'ctx'>): readonly Route[] {
  let source: OutputSource | undefined;
  const handle = (call: Call): Promise<undefined> => {
    source ??= sharedOutputs(deps.ctx);
    return sendLogs(deps, call, source);
  };
  return [{ method: 'GET', path: '/containers/{id}/logs', handle }];
}

async function sendLogs(deps: Pick<EngineDeps, 'ctx'>, call: Call, source: OutputSource): Promise<undefined> {
  const { query, version, signal } = call;
  const shown = OUTPUT_STREAMS.filter((stream) => query.flag(stream));
  if (shown.length === 0) throw new EngineError(400, 'Bad parameters: you must choose at least one stream');
  const { request, subject, isFramed } = await askedLogs(deps, call);
  const answer = call.stream({ contentType: isFramed && isSince(version, 42) ? FRAMES : RAW });
  // That times are not exact concerns the client, which cannot be told.
  const { log } = deps.ctx;
  const ctx = { ...deps.ctx, log: { ...log, warn: log.debug } };
  await readLogs(ctx, { ...readerOf({ answer, shown, isFramed, signal }), source }, subject, request);
  return undefined;
}

interface AskedLogs {
  readonly request: LogsRequest;
  readonly subject: LogSubject;
  readonly isFramed: boolean;
}

async function askedLogs({ ctx }: Pick<EngineDeps, 'ctx'>, call: Call): Promise<AskedLogs> {
  const view = await foundView({ ctx }, call);
  if (!hasLog(view)) throw new EngineError(501, 'configured logging driver does not support reading');
  const request = logsRequestFrom(call.query);
  return { request, subject: logSubjectOf(ctx, view, request), isFramed: !hasTerminal(view) };
}

export const hasTerminal = ({ record }: ContainerView): boolean => storedConfigOf(record)?.Config.Tty === true;

/** Whether its output is kept. */
export const hasLog = ({ record }: ContainerView): boolean =>
  logConfigOf(storedConfigOf(record)?.HostConfig ?? {}).driver !== 'none';

/** A `tail` that is no number is all, and an `until` of zero is none (moby: daemon/logs.go). */
function logsRequestFrom(query: Query): LogsRequest {
  const [sinceMs, untilMs] = [query.text('since'), query.text('until')].map(parseUnixTime);
  const tail = query.text('tail');
  return {
    tail: /^\+?\d{1,15}$/.test(tail) ? Number(tail) : 'all',
    follow: query.flag('follow'),
    timestamps: query.flag('timestamps'),
    details: query.flag('details'),
    sinceMs,
    untilMs: untilMs === 0 ? undefined : untilMs,
  };
}

/** What the client does not want is read, because it counts for `tail`, and dropped. */
function readerOf(options: {
  readonly answer: StreamedAnswer;
  readonly shown: readonly OutputStream[];
  readonly isFramed: boolean;
  readonly signal: AbortSignal;
}): LogReader {
  const { answer, shown, isFramed, signal } = options;
  const writeOf = (stream: OutputStream): LogReader['write'][OutputStream] => {
    if (!shown.includes(stream)) return async () => undefined;
    if (!isFramed) return (bytes) => answer.write(bytes);
    return (bytes) => {
      // Not awaited: the two parts of a frame are written in one turn, so that nothing comes in between.
      void answer.write(frameHeader(stream, bytes.length));
      return answer.write(bytes);
    };
  };
  return { write: { stdout: writeOf('stdout'), stderr: writeOf('stderr') }, signal };
}
