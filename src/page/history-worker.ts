import { parentPort, workerData } from 'node:worker_threads';
import { messageOf } from '../lib/errors.ts';
import { answerQuery } from './history-queries.ts';
import type { WorkerAnswer, WorkerQuestion } from './history-thread.ts';

// The thread that reads the history, so that no check waits for it: the script of the Worker of history-thread.ts.

const { dir } = workerData as { readonly dir: string };
const port = parentPort;
const reported = new Set<string>();
port?.on('message', ({ number, query }: WorkerQuestion) => {
  const onFault = (text: string): void => {
    if (!reported.has(text)) port.postMessage({ warning: text } satisfies WorkerAnswer);
    reported.add(text);
  };
  try {
    port.postMessage({ number, answer: answerQuery(dir, query, onFault) } satisfies WorkerAnswer);
  } catch (error) {
    port.postMessage({ number, failure: messageOf(error) } satisfies WorkerAnswer);
  }
});
