import { expect, test } from 'vitest';
import { openBed, until } from './support/harness.ts';

const limits = ['--memory', '32m', '--memory-swap', '32m'];
const greedy = 'exec tail /dev/zero';

// Docker 28.5.2 shows the same at each point.
test.each([true, false])(
  'OOMKilled is shown while a container runs, after its end, and reset at each start; with a monitor: %s',
  async (hasMonitor) => {
    await using bed = await openBed([`autostart = ${hasMonitor}`]);
    const image = await bed.image();
    const killed = (name: string) => bed.ok(['inspect', '--format', '{{.State.OOMKilled}}', name]);
    const check = ['--health-cmd', greedy, '--health-interval', '1h'];
    await bed.ok(['run', '-d', '--name', 'web', ...limits, ...check, image]);
    expect(await killed('web')).toBe('false');
    await bed.ok(['container', 'healthcheck', 'web']);
    await until(async () => (await killed('web')) === 'true');
    expect(
      await bed.ok(['inspect', '--format', '{{.State.Status}} {{(index .State.Health.Log 0).ExitCode}}', 'web']),
    ).toBe('running 137');
    await bed.ok(['stop', '-t', '0', 'web']);
    expect(await killed('web')).toBe('true');
    await bed.ok(['start', 'web']);
    expect(await killed('web')).toBe('false');

    await bed.cli(['run', '--name', 'short', ...limits, image, 'sh', '-c', greedy]);
    expect(await bed.ok(['inspect', '--format', '{{.State.ExitCode}} {{.State.OOMKilled}}', 'short'])).toBe('137 true');
  },
);

test('a later monitor records OOMKilled too', async () => {
  await using bed = await openBed(['autostart = false']);
  const image = await bed.image();
  await bed.ok(['run', '-d', '--name', 'web', ...limits, image]);
  await bed.cli(['exec', 'web', 'sh', '-c', greedy]);
  await bed.ok(['daemon', 'start']);
  await bed.ok(['stop', '-t', '0', 'web']);
  const id = await bed.ok(['inspect', '--format', '{{.Id}}', 'web']);
  const noted = () => bed.ok(['inspect', '--format', '{{.State.OOMKilled}}', 'web']);
  await bed.ctr('tasks', 'rm', id);
  await until(async () => (await noted()) === 'true');
});
