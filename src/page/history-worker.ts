import { parentPort, workerData } from 'node:worker_threads';
import { openHistoryReader } from '../history/reader.ts';
import { messageOf } from '../lib/errors.ts';
import { answerQuery } from './history-queries.ts';
import type { WorkerAnswer, WorkerQuestion } from './history-thread.ts';

// The thread that reads the history, so that no check waits for it: the script of the Worker of history-thread.ts. It
// answers one question after the other.

const { dir } = workerData as { readonly dir: string };
const port = parentPort;
const reader = openHistoryReader(dir, {
  onFault: (text) => port?.postMessage({ warning: text } satisfies WorkerAnswer),
});
/** There with `--expose-gc`, as the monitor is started. */
const { gc } = globalThis as { readonly gc?: () => void };
port?.on('message', ({ number, query }: WorkerQuestion) => {
  try {
    port.postMessage({ number, answer: answerQuery(reader, query) } satisfies WorkerAnswer);
  } catch (error) {
    port.postMessage({ number, failure: messageOf(error) } satisfies WorkerAnswer);
  }
  // Otherwise the garbage of several questions, some 10 MB, comes together before V8 collects it.
  gc?.();
});
