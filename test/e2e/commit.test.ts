import { afterAll, beforeAll, expect, test } from 'vitest';
import { type EngineBed, startEngine } from './support/engine.ts';
import { type Bed, openBed, until } from './support/harness.ts';

let bed: Bed;
let image: string;
let engine: EngineBed;
beforeAll(async () => {
  bed = await openBed();
  image = await bed.image({ Labels: { of: 'image' } });
  engine = await startEngine(bed);
});
afterAll(() => bed[Symbol.asyncDispose]());

const inspect = (name: string, format: string) => bed.ok(['image', 'inspect', '--format', format, name]);
const ended = async (id: string) =>
  until(async () => (await bed.ok(['inspect', '--format', '{{.State.Status}}', id])) === 'exited');

test('an image of a container has what it wrote, and its config with changes', async () => {
  const script = 'echo new >/written; rm /etc/group';
  const check = ['--health-cmd', 'true', '--health-interval', '5s'];
  const id = await bed.ok(['run', '-d', '-e', 'A=1', '-l', 'of=run', ...check, image, 'sh', '-c', script]);
  await ended(id);
  const changes = ['-c', 'CMD ["cat", "/written"]', '-c', 'ENV B=$A-2'];
  const committed = await bed.ok(['commit', '-a', 'me', '-m', 'mine', ...changes, id, 'demo/commit:1']);
  expect(committed).toBe(await inspect('demo/commit:1', '{{.Id}}'));
  expect(
    await inspect('demo/commit:1', '{{.Author}} {{.Comment}} {{.Config.Labels.of}} {{.Config.Healthcheck}}'),
  ).toMatch(/^me mine run \{\[CMD-SHELL true\] 5s /);
  expect(await inspect('demo/commit:1', '{{json .Config.Env}}')).toContain('"A=1"');
  expect(await inspect('demo/commit:1', '{{json .Config.Env}}')).toContain('"B=1-2"');
  expect(await bed.ok(['run', '--rm', 'demo/commit:1'])).toBe('new');
  expect(await bed.ok(['run', '--rm', 'demo/commit:1', 'sh', '-c', 'ls /etc/group 2>&1 || true'])).toContain(
    'No such file',
  );
  const history = await bed.ok(['image', 'history', '--no-trunc', '--format', '{{.CreatedBy}}', 'demo/commit:1']);
  expect(history).toBe(`sh -c ${script}\nhealthctl tests`);
});

test('a running container is committed through the API, and runs on', async () => {
  const id = await bed.ok(['run', '-d', image, 'sh', '-c', 'echo x >/x; sleep 600']);
  await until(async () => (await bed.ok(['exec', id, 'ls', '/'])).includes('x'));
  const { status, json } = await engine.ask('POST', `/commit?container=${id}&repo=demo/running&tag=1`, {
    User: 'probe',
    Env: [],
  });
  expect([status, json]).toEqual([201, { Id: expect.stringMatching(/^sha256:/) }]);
  expect(await bed.ok(['inspect', '--format', '{{.State.Status}}', id])).toBe('running');
  expect(await bed.ok(['run', '--rm', 'demo/running:1', 'sh', '-c', 'cat /x; id -un'])).toBe('x\nprobe');
  await bed.ok(['rm', '-f', id]);
});

test('what was refused leaves nothing', async () => {
  const id = await bed.ok(['create', image, 'true']);
  const before = await bed.traces();
  expect(await bed.cli(['commit', '-c', 'RUN x', id])).toMatchObject({
    code: 1,
    stderr: 'healthctl: RUN is not a valid change command\n',
  });
  expect(await engine.ask('POST', '/commit?container=nosuch')).toMatchObject({
    status: 404,
    json: { message: 'No such container: nosuch' },
  });
  await bed.expectNothingLeft(before);
  expect(await bed.ok(['commit', id])).toMatch(/^sha256:/);
  expect(await bed.ok(['images', '-q', '--filter', 'dangling=true'])).toMatch(/^[0-9a-f]{12}$/);
});
