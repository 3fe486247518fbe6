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
});
afterAll(() => bed[Symbol.asyncDispose]());

const filters = (value: object) => `filters=${encodeURIComponent(JSON.stringify(value))}`;
const namesIn = (json: unknown) => (json as { Volumes: { Name: string }[] }).Volumes.map(({ Name }) => Name);

test('a volume from its creation to its end', async () => {
  const since = Date.now() / 1000;
  const document = { Name: 'data', Driver: 'local', Scope: 'local', Labels: { a: 'b' }, Options: null };
  const create = () => engine.ask('POST', '/volumes/create', { Name: 'data', Labels: { a: 'b' } });
  expect(await create()).toMatchObject({ status: 201, json: document });
  expect(await create()).toMatchObject({ status: 201, json: document });
  expect(await engine.ask('GET', '/volumes/data')).toMatchObject({ status: 200, json: document });
  const id = await bed.ok(['create', '-v', 'data:/data', image, 'true']);
  expect(await engine.ask('DELETE', '/volumes/data')).toMatchObject({
    status: 409,
    json: { message: `remove data: volume is in use - [${id}]` },
  });
  expect(namesIn((await engine.ask('GET', `/volumes?${filters({ label: { 'a=b': true } })}`)).json)).toEqual(['data']);
  expect(namesIn((await engine.ask('GET', `/volumes?${filters({ dangling: ['true'] })}`)).json)).toEqual([]);
  await bed.ok(['rm', id]);
  expect(namesIn((await engine.ask('GET', `/volumes?${filters({ dangling: ['true'] })}`)).json)).toEqual(['data']);
  expect((await engine.ask('DELETE', '/volumes/data')).status).toBe(204);
  expect((await engine.ask('DELETE', '/volumes/data')).status).toBe(404);
  expect((await engine.ask('DELETE', '/volumes/data?force=1')).status).toBe(204);
  const past = await engine.ask(
    'GET',
    `/events?since=${since}&until=${Date.now() / 1000}&${filters({ type: ['volume'] })}`,
  );
  const events = past.text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(events.map(({ Action, Actor }) => [Action, Actor.ID])).toEqual([
    ['create', 'data'],
    ['destroy', 'data'],
  ]);
});

test('options of the driver', async () => {
  const DriverOpts = { type: 'tmpfs', device: 'tmpfs', o: 'size=1m' };
  const made = await engine.ask('POST', '/volumes/create', { Name: 'memory', DriverOpts });
  expect(made).toMatchObject({ status: 201, json: { Options: DriverOpts } });
  expect(await engine.ask('GET', '/volumes/memory')).toMatchObject({ json: { Options: DriverOpts } });
  for (const [given, reason] of [
    [{ colour: 'red' }, 'create bad: invalid option: "colour"'],
    [{ type: 'nfs' }, 'create bad: missing required option: "device"'],
  ] as const)
    expect(await engine.ask('POST', '/volumes/create', { Name: 'bad', DriverOpts: given })).toMatchObject({
      status: 400,
      json: { message: reason },
    });
  const Mounts = [
    {
      ...{ Type: 'volume', Source: 'kept', Target: '/m' },
      VolumeOptions: { DriverConfig: { Name: 'local', Options: DriverOpts } },
    },
  ];
  const { json } = await engine.ask('POST', '/containers/create', { Image: image, HostConfig: { Mounts } });
  const { Id } = json as { Id: string };
  expect(await engine.ask('GET', '/volumes/kept')).toMatchObject({ json: { Options: DriverOpts } });
  expect((await engine.ask('DELETE', `/containers/${Id}`)).status).toBe(204);
  for (const name of ['memory', 'kept']) expect((await engine.ask('DELETE', `/volumes/${name}`)).status).toBe(204);
});

test('a directory of the host that is missing is a refusal of the start', async () => {
  const DriverOpts = { type: 'none', o: 'bind', device: '/nonexistent' };
  await engine.ask('POST', '/volumes/create', { Name: 'lost', DriverOpts });
  const { json } = await engine.ask('POST', '/containers/create', { Image: image, HostConfig: { Binds: ['lost:/l'] } });
  const { Id } = json as { Id: string };
  expect(await engine.ask('POST', `/containers/${Id}/start`)).toMatchObject({
    status: 500,
    json: {
      message: expect.stringMatching(/^error while mounting volume '.*\/lost\/_data': failed to mount local volume/),
    },
  });
  expect((await engine.ask('DELETE', `/containers/${Id}`)).status).toBe(204);
  expect((await engine.ask('DELETE', '/volumes/lost')).status).toBe(204);
});

test('prune removes anonymous ones, of old clients all', async () => {
  const { json } = await engine.ask('POST', '/volumes/create', {});
  await engine.ask('POST', '/volumes/create', { Name: 'kept' });
  const { Name: anonymous } = json as { Name: string };
  expect(await engine.ask('POST', '/volumes/prune')).toMatchObject({ json: { VolumesDeleted: [anonymous] } });
  expect(await engine.ask('POST', '/v1.41/volumes/prune')).toMatchObject({ json: { VolumesDeleted: ['kept'] } });
  expect(await engine.ask('POST', `/volumes/prune?${filters({ nosuch: ['x'] })}`)).toMatchObject({
    status: 400,
    json: { message: "invalid filter 'nosuch'" },
  });
});

test('the processes of a container', async () => {
  const id = await bed.ok(['run', '-d', image, 'sleep', '1000']);
  const { json } = await engine.ask('GET', `/containers/${id}/top?ps_args=-o%20pid,comm`);
  expect(json).toMatchObject({ Titles: ['PID', 'COMMAND'], Processes: [[expect.stringMatching(/^\d+$/), 'sleep']] });
  await bed.ok(['kill', id]);
  expect((await engine.ask('GET', `/containers/${id}/top`)).status).toBe(409);
});
