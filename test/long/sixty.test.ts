import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { DaemonStatus } from '../../src/daemon/api/answers.ts';
import { hostIdOf } from '../../src/lib/dirs.ts';
import { failUnlessBusy } from '../../testbed/judged.ts';
import { openBed, until } from '../e2e/support/harness.ts';

const CONTAINERS = 60;
const WATCHED_MS = 120_000;

test(`${CONTAINERS} containers for ${WATCHED_MS / 1000} seconds: all are checked on schedule, and no check leaves anything`, async (context) => {
  await using bed = await openBed();
  const image = await bed.image();
  const monitor = bed.spawn(['daemon', 'run', '--log-format', 'text']);
  await until(async () => (await bed.cli(['daemon', 'status'])).code === 0, { withinMs: 15_000 });
  const names = Array.from({ length: CONTAINERS }, () => bed.name('sixty'));
  const check = ['--health-cmd', '["true"]', '--health-interval', '10s', '--health-start-interval', '1s'];
  for (const name of names)
    await bed.ok(['run', '-d', '--name', name, ...check, '--health-start-period', '30s', image, 'sleep', '3600']);
  const healthy = async () => (await bed.ok(['ps', '-q', '--filter', 'health=healthy'])).split('\n').length;
  await until(async () => (await healthy()) === CONTAINERS, { withinMs: 120_000 });

  const status = async (): Promise<DaemonStatus> => JSON.parse(await bed.ok(['daemon', 'status', '--format', 'json']));
  const descriptors = () => readdirSync(`/proc/${monitor.pid}/fd`).length;
  const scratch = () =>
    readdirSync(join(bed.runRoot, hostIdOf(bed.address), bed.namespace), { recursive: true, encoding: 'utf8' }).filter(
      (path) => path.includes('healthctl-check-'),
    );
  await until(() => scratch().length === 0, { withinMs: 30_000 });
  const [before, { checksMade }] = [descriptors(), await status()];
  await new Promise((resolve) => setTimeout(resolve, WATCHED_MS));
  const made = (await status()).checksMade - checksMade;
  // An interval begins at the end of a check, which is later on a busy machine: so some containers have less than
  // twelve checks, and none has more.
  expect(made).toBeLessThanOrEqual(CONTAINERS * 13);
  if (made <= CONTAINERS * 8) await failUnlessBusy(context, `${made} checks of ${CONTAINERS} containers`);
  expect(await healthy()).toBe(CONTAINERS);
  await until(() => scratch().length === 0 && descriptors() <= before, { withinMs: 30_000 });
  await bed.ok(['rm', '-f', ...names]);
  monitor.kill('SIGTERM');
  expect((await monitor.exited).code).toBe(0);
});
