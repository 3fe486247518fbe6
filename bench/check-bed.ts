import { join } from 'node:path';
import { type CheckSubject, check } from '../src/check/check.ts';
import { type CheckConfig, checkKindOf } from '../src/health/config.ts';
import { systemClock as clock } from '../src/lib/clock.ts';
import { LABELS } from '../src/lib/labels.ts';
import type { Prober } from '../src/probe/prober.ts';
import { createFileHealthStore } from '../src/store/file-health-store.ts';

/** Checks without containerd and probe: the monitor's own code, with the real store in a directory. */
export function createCheckBed(root: string, intervalS: number) {
  const config: CheckConfig = {
    test: ['CMD', 'true'],
    kind: checkKindOf(['CMD', 'true']),
    intervalNs: intervalS * 1e9,
    timeoutNs: 30e9,
    startPeriodNs: 0,
    startIntervalNs: 5e9,
    retries: 3,
  };
  const labelsOf = new Map<string, Record<string, string>>();
  const store = createFileHealthStore({
    dirs: { hostId: '1935db59', runRoot: join(root, 'run'), nerdctlDataRoot: join(root, 'nerdctl') },
    clock,
    log: { warn: (text) => console.error(text), debug: () => {} },
    writeMirror: async ({ id }, json) => {
      labelsOf.set(id, { ...labelsOf.get(id), [LABELS.nerdctlHealthstate]: json });
    },
    exists: async () => true,
  });
  const prober: Prober = {
    probe: async () => {
      const now = clock.now();
      return { outcome: { kind: 'exited', code: 0, output: 'ok\n' }, startMs: now, endMs: now };
    },
  };
  const startedAtMs = clock.now() - 3_600_000; // overdue: the first checks are spread over the interval
  const subjectOf = (id: string): CheckSubject => {
    const run = { id: `boot:${id}`, startedAtMs };
    const labels = labelsOf.get(id) ?? {};
    const started = { ever: true, lastRun: run.id } as const;
    return { namespace: 'bench', id, labels, task: { kind: 'running', run }, started, config, processJson: '{}' };
  };
  const checkOf = (id: string, signal?: AbortSignal) => {
    const describe = async () => subjectOf(id);
    const findTask = async () => (await describe()).task;
    return check({ clock, store, prober, describe, findTask }, subjectOf(id), signal);
  };
  return { config, store, checkOf };
}
