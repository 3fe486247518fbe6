import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Bed, openBed, until } from './support/harness.ts';

// A monitor that was stopped, frozen or swapped out: its timers fire before it reads what arrived meanwhile.
let bed: Bed;
let image: string;
beforeAll(async () => {
  bed = await openBed(['autostart = true']);
  image = await bed.image();
});
afterAll(() => bed[Symbol.asyncDispose]());

const MODES = ['fresh', 'resident'];

test('checks that ended in time while the monitor was stopped are no timeouts', async () => {
  const check = [
    '--health-cmd',
    'sleep 0.3',
    '--health-interval',
    '100ms',
    '--health-timeout',
    '3s',
    '--health-retries',
    '1',
  ];
  const names = [0, 1, 2].flatMap(() => MODES.map((mode) => ({ mode, name: bed.name(mode) })));
  const run = ({ mode, name }: (typeof names)[number]) =>
    bed.ok(['run', '-d', '--name', name, ...check, '--health-exec', mode, image, 'sleep', '600']);
  await Promise.all(names.map(run));
  const healthOf = async ({ name }: { name: string }) =>
    JSON.parse(await bed.ok(['inspect', '--format', '{{json .State.Health}}', name]));
  for (const each of names) await until(async () => (await healthOf(each)).Status === 'healthy', { withinMs: 30_000 });
  const pid = JSON.parse(await bed.ok(['daemon', 'status', '--format', '{{json .}}'])).pid;
  for (let round = 0; round < 2; round += 1) {
    process.kill(pid, 'SIGSTOP');
    await new Promise((resolve) => setTimeout(resolve, 4_500));
    process.kill(pid, 'SIGCONT');
    const since = Date.now();
    for (const each of names) {
      const isCheckedAgain = async () =>
        (await healthOf(each)).Log.some(({ Start }: { Start: string }) => Date.parse(Start) > since);
      await until(isCheckedAgain, { withinMs: 30_000 });
      const { Status, Log } = await healthOf(each);
      const codes = Log.map(({ ExitCode }: { ExitCode: number }) => ExitCode);
      expect({ ...each, Status, codes }).toEqual({ ...each, Status: 'healthy', codes: codes.map(() => 0) });
    }
  }
});
