// Tells at which moment results of healthctl can be read: when rename(2) puts the file in its place. A process of its own, in a session of
// its own at a high priority, so that it is awake at once where the checks take all processors; health-files.ts starts it. It ends when its
// parent does.
import { type FSWatcher, watch, writeFileSync } from 'node:fs';
import { setPriority } from 'node:os';
import { basename, dirname } from 'node:path';
import { errnoOf } from '../../src/lib/errors.ts';
import { readResults } from './health-files.ts';
import type { SeenResults } from './result.ts';

/** What it is asked to watch, in its only message: files by the id of the container. */
export type WatchRequest = readonly (readonly [id: string, file: string])[];

/** What it tells: that it watches all of them, then the results of a container each time that its file was replaced. */
export type WatchReport = 'ready' | SeenResults;

const HIGHEST_PRIORITY = -20;
setPriority(HIGHEST_PRIORITY);
try {
  writeFileSync('/proc/self/autogroup', `${HIGHEST_PRIORITY}`);
} catch (error) {
  if (errnoOf(error) !== 'ENOENT') throw error; // a kernel that makes no groups of sessions
}

const watchers: FSWatcher[] = [];
process.once('message', (files: WatchRequest) => {
  for (const [id, file] of files) {
    const tell = (keptMs: number | undefined) => send({ id, results: readResults(file), keptMs });
    const name = basename(file);
    watchers.push(watch(dirname(file), (_, changed) => changed === name && tell(Date.now())));
    tell(undefined);
  }
  send('ready');
});
process.once('disconnect', () => {
  for (const watcher of watchers) watcher.close();
});

function send(report: WatchReport): void {
  process.send?.(report);
}
