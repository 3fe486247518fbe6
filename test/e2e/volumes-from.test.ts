import { afterAll, beforeAll, expect, test } from 'vitest';
import { type EngineBed, startEngine } from './support/engine.ts';
import { type Bed, openBed } from './support/harness.ts';

let bed: Bed;
let image: string;
let engine: EngineBed;
beforeAll(async () => {
  bed = await openBed();
  image = await bed.image();
  engine = await startEngine(bed);
  const mounts = ['-v', 'named:/named', '-v', '/anonymous', '-v', `${bed.directory}:/host:ro`];
  await bed.ok(['run', '--name', 'source', ...mounts, image, 'sh', '-c', 'echo 1 >/named/f; echo 2 >/anonymous/f']);
});
afterAll(() => bed[Symbol.asyncDispose]());

test('a container has the mounts of another one, and its own come first', async () => {
  const own = ['--volumes-from', 'source', '-v', 'other:/named'];
  const script = 'ls /named; cat /anonymous/f; touch /anonymous/new; test -d /host/run && touch /host/x';
  const { code, stdout, stderr } = await bed.cli(['run', '--name', 'user', ...own, image, 'sh', '-c', script]);
  expect([code, stdout, stderr]).toEqual([1, '2\n', expect.stringContaining('Read-only file system')]);
  const [document] = JSON.parse(await bed.ok(['inspect', 'user']));
  expect(document.HostConfig).toMatchObject({ VolumesFrom: ['source'], Binds: ['other:/named'] });
  expect(document.Mounts.map(({ Destination }: { Destination: string }) => Destination).sort()).toEqual([
    '/anonymous',
    '/host',
    '/named',
  ]);
  // They belong to the other container.
  await bed.ok(['rm', '-v', 'user']);
  const again = ['run', '--rm', '--volumes-from', 'source:ro', image];
  expect(await bed.ok([...again, 'ls', '/anonymous', '/named'])).toBe('/anonymous:\nf\nnew\n\n/named:\nf');
  expect(await bed.cli([...again, 'touch', '/named/x'])).toMatchObject({ code: 1 });
});

test('through the API, and what is refused', async () => {
  const create = (from: string) =>
    engine.ask('POST', '/containers/create', { Image: image, Cmd: ['true'], HostConfig: { VolumesFrom: [from] } });
  const { status, json } = await create('source:ro');
  expect(status).toBe(201);
  const { json: document } = await engine.ask('GET', `/containers/${(json as { Id: string }).Id}/json`);
  expect(document).toMatchObject({ HostConfig: { VolumesFrom: ['source:ro'], Binds: null } });
  expect((document as { Mounts: object[] }).Mounts).toHaveLength(3);
  expect(await create('nosuch')).toMatchObject({ status: 400, json: { message: 'No such container: nosuch' } });
  expect(await create('source:x')).toMatchObject({ status: 400, json: { message: 'invalid mode: x' } });
});
