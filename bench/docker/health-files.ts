import { fork } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { errnoOf } from '../../src/lib/errors.ts';
import { type Result, resultOf, type SeenResults } from './result.ts';
import type { WatchReport, WatchRequest } from './result-watcher.ts';
import type { Following } from './side.ts';

const WATCHER = fileURLToPath(new URL('result-watcher.ts', import.meta.url));

/** The results in a `health.json`; empty if there is none yet. */
export function readResults(file: string): readonly Result[] {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return [];
    throw error;
  }
  const lines = text.trim().split('\n');
  return lines.map((line) => resultOf(JSON.parse(line)));
}

/** Resolves when all of these files are watched. */
export async function watchFiles(files: WatchRequest, onResults: (seen: SeenResults) => void): Promise<Following> {
  const child = fork(WATCHER, { detached: true });
  const failed = new Promise<never>((_, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => reject(new Error(`the watcher of results ended with ${code ?? signal}`)));
  });
  failed.catch(() => undefined); // seen by those who wait for it
  const ready = new Promise<void>((resolve) => {
    child.on('message', (report: WatchReport) => (report === 'ready' ? resolve() : onResults(report)));
  });
  child.send(files);
  await Promise.race([ready, failed]);
  return { failed, stop: async () => child.disconnect() };
}
