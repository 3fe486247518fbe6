// What the history adds to the monitor's CPU for a check without its probe: the same checks with the history and without,
// in turn in one process. Needs no containerd.
//   node --import tsx bench/bundled.ts bench/history-check.ts [--containers 500] [--rounds 40] [--dir /dev/shm] [--max]
// A round checks each container once, and ends with a write of the results, as the monitor writes them every five seconds.
// With --max, it fails if the median ratio is above the target.
import { mkdtempSync, rmSync } from 'node:fs';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createHistoryRecorder, NO_HISTORY } from '../src/history/recorder.ts';
import { openHistoryStore } from '../src/history/store.ts';
import { systemClock as clock } from '../src/lib/clock.ts';
import { silentLogger as log } from '../src/lib/logger.ts';
import { createHistoryNotes } from '../src/monitor/duties/record-history.ts';
import type { KnownContainer } from '../src/monitor/host-model.ts';
import { compactRecordOf } from '../src/record/compact-record.ts';
import { aRecord, aTask } from '../test/builders/container.ts';
import { aResult, aRun, aState } from '../test/builders/health.ts';
import { createCheckBed } from './check-bed.ts';
import { quantile, spread } from './docker/table.ts';

const { values } = parseArgs({
  options: {
    containers: { type: 'string', default: '500' },
    rounds: { type: 'string', default: '40' },
    dir: { type: 'string', default: '/dev/shm' },
    max: { type: 'boolean', default: false },
  },
});
const count = Number(values.containers);
const rounds = Number(values.rounds);
/** More CPU for each check with the history. */
const MAX_RATIO = 1.05;

const root = mkdtempSync(join(values.dir, 'healthctl-bench-'));
try {
  const { config, checkOf } = createCheckBed(root, 5);
  const containers = Array.from({ length: count }, (_, index): KnownContainer => {
    const id = `c${index}`;
    return {
      ...{ namespace: 'bench', id, damage: undefined, processJson: undefined, isStartSeen: true, isOutOfMemory: false },
      record: compactRecordOf(aRecord({ id, labels: { 'nerdctl/name': id } })),
      ...{ config, task: aTask({ containerId: id }), run: aRun(), stored: { log: [aResult()], state: aState() } },
    };
  });
  const recorder = createHistoryRecorder({
    ...{ clock, log, recentChanges: () => [] },
    openStore: () =>
      openHistoryStore({ dir: join(root, 'history'), limits: { maxAgeMs: 1e9, maxBytes: 256 << 20 }, clock, log }),
  });
  await recorder.start();
  /** @returns microseconds for a check */
  const round = async (to: typeof recorder): Promise<number> => {
    const notes = createHistoryNotes(to, []);
    const before = process.cpuUsage();
    for (const container of containers) {
      const report = await checkOf(container.id);
      if (report.kind !== 'recorded') throw new Error(`a check was not recorded: ${report.kind}`);
      notes.onResult(container, { ...report, lagMs: 1 });
      notes.onChange(container);
    }
    await to.flush();
    const { user, system } = process.cpuUsage(before);
    return (user + system) / count;
  };
  for (let warmUp = 0; warmUp < 10; warmUp += 1) await round(warmUp % 2 === 0 ? recorder : NO_HISTORY);
  const [on, off]: [number[], number[]] = [[], []];
  for (let pair = 0; pair < rounds; pair += 1) {
    const isOnFirst = pair % 2 === 0;
    if (isOnFirst) on.push(await round(recorder));
    off.push(await round(NO_HISTORY));
    if (!isOnFirst) on.push(await round(recorder));
  }
  await recorder.stop();
  const ratios = on.map((us, index) => us / (off[index] ?? Number.NaN));
  const ratio = quantile(ratios, 0.5);
  const [lower, upper] = [0.25, 0.75].map((share) => quantile(ratios, share).toFixed(3));
  console.log(`${rounds} pairs of ${count} checks, load average ${loadavg()[0]?.toFixed(1)}
with the history     ${spread(on)} us for a check
without              ${spread(off)} us
ratio                ${ratio.toFixed(3)}, half of the pairs from ${lower} to ${upper}`);
  if (values.max && ratio > MAX_RATIO) process.exitCode = 1;
} finally {
  rmSync(root, { recursive: true, force: true });
}
