import fc from 'fast-check';
import { expect, test } from 'vitest';
import { aConfig, aRun } from '../../test/builders/health.ts';
import { type CheckedRun, type ObservedContainer, reconcile, type Step } from './reconcile.ts';

const anyConfig = fc
  .record({
    test: fc.constantFrom(['CMD', 'a'], ['CMD', 'b'], ['CMD', 'a', 'b']),
    intervalNs: fc.constantFrom(1e9, 2e9),
    retries: fc.constantFrom(1, 3),
  })
  .map((over) => aConfig(over));
const anyRun = fc.constantFrom('boot:1:1', 'boot:2:2').map((id) => aRun({ id }));
const anyObserved: fc.Arbitrary<ObservedContainer | undefined> = fc.option(
  fc.record({
    config: fc.option(anyConfig, { nil: undefined }),
    run: fc.option(anyRun, { nil: undefined }),
    isPaused: fc.boolean(),
  }),
  { nil: undefined },
);
const anyEngaged: fc.Arbitrary<CheckedRun | undefined> = fc.option(
  fc.record({ runId: anyRun.map(({ id }) => id), config: anyConfig, isPaused: fc.boolean() }),
  { nil: undefined },
);

/** The worker after the steps: the simplest model. */
function apply(worker: CheckedRun | undefined, steps: readonly Step[]): CheckedRun | undefined {
  let now = worker;
  for (const step of steps) {
    switch (step.kind) {
      case 'start':
        expect(now).toBeUndefined();
        now = { runId: step.run.id, config: step.config, isPaused: step.isPaused };
        break;
      case 'stop':
        expect(now).toBeDefined();
        now = undefined;
        break;
      default:
        if (!now) throw new Error(`${step.kind} without a worker`);
        now =
          step.kind === 'reconfigure' ? { ...now, config: step.config } : { ...now, isPaused: step.kind === 'pause' };
    }
  }
  return now;
}

test('leads from any state to the required one; then no step is left', () => {
  fc.assert(
    fc.property(anyObserved, anyEngaged, (container, worker) => {
      const after = apply(worker, reconcile(container, worker));
      const wanted =
        container?.config && container.run
          ? { runId: container.run.id, config: container.config, isPaused: container.isPaused }
          : undefined;
      expect(after).toEqual(wanted);
      expect(reconcile(container, after)).toEqual([]);
    }),
    { numRuns: 1000 },
  );
});

test('another test begins anew; other times do not', () => {
  const worker: CheckedRun = { runId: aRun().id, config: aConfig(), isPaused: false };
  const given = (config: Parameters<typeof aConfig>[0]): ObservedContainer => ({
    config: aConfig(config),
    run: aRun(),
    isPaused: false,
  });
  expect(reconcile(given({ test: ['CMD', 'x'] }), worker)).toMatchObject([{ kind: 'reconfigure', startsOver: true }]);
  expect(reconcile(given({ intervalNs: 1e9 }), worker)).toMatchObject([{ kind: 'reconfigure', startsOver: false }]);
});
