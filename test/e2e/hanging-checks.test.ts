import { availableParallelism } from 'node:os';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Bed, openBed, until } from './support/harness.ts';

let bed: Bed;
let image: string;
beforeAll(async () => {
  bed = await openBed(['autostart = true']);
  image = await bed.image();
});
afterAll(() => bed[Symbol.asyncDispose]());

const resultsOf = async (name: string): Promise<number> =>
  Number(await bed.ok(['inspect', '--format', '{{len .State.Health.Log}}', name]));

test('hanging checks of one mechanism do not delay checks of others', async () => {
  const names = Array.from({ length: 4 * availableParallelism() + 1 }, () => bed.name('hangs'));
  const hanging = ['--health-cmd', 'sleep 1000', '--health-interval', '200ms', '--health-timeout', '300s'];
  for (const name of names) await bed.ok(['run', '-d', '--name', name, ...hanging, image, 'sleep', '600']);
  const every = ['--health-interval', '300ms'];
  const [command, native, resident] = [bed.name('command'), bed.name('native'), bed.name('resident')];
  await bed.ok(['run', '-d', '--name', command, ...every, '--health-cmd', 'true', image, 'sleep', '600']);
  const server = ['httpd', '-f', '-p', '8080'];
  await bed.ok(['run', '-d', '--name', native, ...every, '--health-tcp', 'localhost:8080', image, ...server]);
  const stays = ['--health-exec', 'resident', '--health-cmd', 'true'];
  await bed.ok(['run', '-d', '--name', resident, ...every, ...stays, image, 'sleep', '600']);
  for (const name of [command, native, resident])
    await until(async () => (await resultsOf(name)) >= 3, { withinMs: 60_000 });
  expect(await Promise.all(names.map(resultsOf))).toEqual(names.map(() => 0));
});
