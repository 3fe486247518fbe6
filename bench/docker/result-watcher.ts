// Reports when results of healthctl can be read: when rename(2) puts the file in its place. health-files.ts starts it
// as a process of its own, in a session of its own with a high priority, so that it is awake at once even if the checks
// use all processors. It ends with its parent.
import { type FSWatcher, watch, writeFileSync } from 'node:fs';
import { setPriority } from 'node:os';
import { basename, dirname } from 'node:path';
import { errnoOf } from '../../src/lib/errors.ts';
import { readResults } from './health-files.ts';
import type { SeenResults } from './result.ts';

/** The only message that it receives: the files to watch, by the id of the container. */
export type WatchRequest = readonly (readonly [id: string, file: string])[];

/** What it sends: that it watches all files; then the results of a container each time its file is replaced. */
export type WatchReport = 'ready' | SeenResults;

const HIGHEST_PRIORITY = -20;
setPriority(HIGHEST_PRIORITY);
try {
  writeFileSync('/proc/self/autogroup', `${HIGHEST_PRIORITY}`);
} catch (error) {
  if (errnoOf(error) !== 'ENOENT') throw error; // a kernel without autogroup
}

const watchers: FSWatcher[] = [];
process.once('message', (files: WatchRequest) => {
  for (const [id, file] of files) {
    const sendResults = (storedMs: number | undefined) => send({ id, results: readResults(file), storedMs });
    const name = basename(file);
    watchers.push(watch(dirname(file), (_, changed) => changed === name && sendResults(Date.now())));
    sendResults(undefined);
  }
  send('ready');
});
process.once('disconnect', () => {
  for (const watcher of watchers) watcher.close();
});

function send(report: WatchReport): void {
  process.send?.(report);
}
