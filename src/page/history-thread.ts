import { Worker } from 'node:worker_threads';
import type { Clock } from '../lib/clock.ts';
import { HealthctlError, messageOf } from '../lib/errors.ts';
import type { ServiceLogger } from '../lib/logger.ts';
import type { AnswerTo, HistoryAnswers, HistoryQueries, HistoryQuery } from './history-queries.ts';

export interface WorkerQuestion {
  readonly number: number;
  readonly query: HistoryQuery;
}
type NumberedAnswer =
  | { readonly number: number; readonly answer: HistoryAnswers[HistoryQuery['kind']] }
  | { readonly number: number; readonly failure: string };
export type WorkerAnswer = NumberedAnswer | { readonly warning: string };

export interface HistoryThreadDeps {
  /** The script of the thread: history-worker.ts, built. */
  readonly script: string;
  /** The directory of the history. */
  readonly dir: string;
  /** Writes what the monitor has recorded since the last write; called before each question. Never fails. */
  readonly flush: () => Promise<void>;
  readonly clock: Pick<Clock, 'after'>;
  readonly log: ServiceLogger;
}

/** A thread takes some 20 MB with 200 containers, which are freed when no question came for this long. */
const IDLE_MS = 30_000;
/** Longer than any history takes to read. */
const ANSWER_LIMIT_MS = 20_000;
/** Questions that wait: each client of the page asks one or two. */
const MAX_WAITING = 32;
/** A week of 200 containers, read one cell at a time, takes far less. */
const RESOURCE_LIMITS = { maxOldGenerationSizeMb: 64, maxYoungGenerationSizeMb: 1, stackSizeMb: 2 };

interface Waiting {
  readonly resolve: (answer: HistoryAnswers[HistoryQuery['kind']]) => void;
  readonly reject: (error: Error) => void;
}

/** Reads the history in a thread of its own, which lives while the page is looked at. */
export function createHistoryThread(deps: HistoryThreadDeps): HistoryQueries {
  const { clock, flush } = deps;
  const waiting = new Map<number, Waiting>();
  let worker: Worker | undefined;
  let lastNumber = 0;
  let ending: { cancel(): void } | undefined;
  let isStopped = false;

  /** The thread has ended, or is ended. */
  const drop = (ended: Worker, why: string): void => {
    if (worker !== ended) return;
    worker = undefined;
    for (const { reject } of waiting.values())
      reject(new HealthctlError('UNAVAILABLE', `the history cannot be read now: ${why}`));
    waiting.clear();
  };
  const end = async (why: string): Promise<void> => {
    ending?.cancel();
    const ended = worker;
    if (!ended) return;
    drop(ended, why);
    await ended.terminate();
  };
  const take = (answer: NumberedAnswer): void => {
    const asked = waiting.get(answer.number);
    waiting.delete(answer.number);
    if ('failure' in answer) asked?.reject(new HealthctlError('UNAVAILABLE', answer.failure));
    else asked?.resolve(answer.answer);
  };
  return {
    ask: async <Query extends HistoryQuery>(query: Query) => {
      if (waiting.size >= MAX_WAITING)
        throw new HealthctlError('UNAVAILABLE', 'too many others are reading the history');
      await flush();
      if (isStopped) throw new HealthctlError('UNAVAILABLE', 'the history cannot be read now: the monitor ends');
      ending?.cancel();
      worker ??= startWorker(deps, { take, drop });
      const number = ++lastNumber;
      const answer = new Promise<HistoryAnswers[HistoryQuery['kind']]>((resolve, reject) => {
        waiting.set(number, { resolve, reject });
      });
      worker.postMessage({ number, query } satisfies WorkerQuestion);
      const late = clock.after(ANSWER_LIMIT_MS, () => void end('it took too long'));
      try {
        return (await answer) as AnswerTo<Query>;
      } finally {
        late.cancel();
        ending?.cancel();
        if (worker && waiting.size === 0) ending = clock.after(IDLE_MS, () => void end('idle'));
      }
    },
    stop: () => {
      isStopped = true;
      return end('the monitor ends');
    },
  };
}

function startWorker(
  { script, dir, log }: HistoryThreadDeps,
  on: { readonly take: (answer: NumberedAnswer) => void; readonly drop: (ended: Worker, why: string) => void },
): Worker {
  const made = new Worker(script, { workerData: { dir }, resourceLimits: RESOURCE_LIMITS });
  made.on('message', (answer: WorkerAnswer) => {
    if ('warning' in answer) log.warn(answer.warning);
    else on.take(answer);
  });
  made.on('error', (error) => {
    log.warn(`the page cannot read the history: ${messageOf(error)}`);
    on.drop(made, messageOf(error));
  });
  made.on('exit', () => on.drop(made, 'its thread has ended'));
  made.unref();
  return made;
}
