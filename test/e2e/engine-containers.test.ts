import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type EngineBed, startEngine } from './support/engine.ts';
import { type Bed, openBed, until } from './support/harness.ts';

let bed: Bed;
let image: string;
let engine: EngineBed;
beforeAll(async () => {
  bed = await openBed();
  image = await bed.image({ Healthcheck: { Test: ['CMD-SHELL', 'test ! -e /tmp/bad'], Interval: 1e9, Retries: 2 } });
  engine = await startEngine(bed);
});
afterAll(() => bed[Symbol.asyncDispose]());

const ask = (method: string, path: string, body?: unknown) => engine.ask(method, path, body);

/** Creates a container with `sleep`; returns its id. */
async function create(body: object = {}, name = bed.name()): Promise<string> {
  const { HostConfig, ...rest } = body as { HostConfig?: object };
  const answer = await ask('POST', `/containers/create?name=${name}`, {
    ...{ Image: image, Cmd: ['sleep', '600'], ...rest },
    HostConfig: { NetworkMode: 'none', ...HostConfig },
  });
  expect(answer.status, answer.text).toBe(201);
  return (answer.json as { Id: string }).Id;
}

// biome-ignore lint/suspicious/noExplicitAny: a document of Docker
const inspect = async (id: string): Promise<any> => (await ask('GET', `/containers/${id}/json`)).json;

test('a life: each step is 204, or 304 when there is nothing to do', async () => {
  const id = await create({ Healthcheck: { Test: ['CMD', 'true'] }, StopTimeout: 0 });
  const post = async (verb: string) => (await ask('POST', `/containers/${id}/${verb}`)).status;
  expect(await post('stop')).toBe(304);
  expect(await post('start')).toBe(204);
  expect(await post('start')).toBe(304);
  expect((await inspect(id)).State.Health).toMatchObject({ Status: 'starting', FailingStreak: 0 });
  expect(await post('pause')).toBe(204);
  expect(await ask('POST', `/containers/${id}/pause`)).toMatchObject({
    status: 409,
    json: { message: `Container ${id} is already paused` },
  });
  expect(await post('unpause')).toBe(204);
  expect(await ask('POST', `/containers/${id}/unpause`)).toMatchObject({
    status: 500,
    json: { message: `Container ${id} is not paused` },
  });
  expect(await post('rename?name=other')).toBe(204);
  expect((await inspect('other')).Id).toBe(id);
  expect(await post('restart?t=0')).toBe(204);
  expect(await ask('POST', `/containers/${id}/kill?signal=NOSUCH`)).toMatchObject({
    status: 400,
    json: { message: `cannot kill container: ${id}: invalid signal: NOSUCH` },
  });
  expect(await ask('DELETE', `/containers/${id}`)).toMatchObject({
    status: 409,
    json: {
      message: `cannot remove container "${id}": container is running: stop the container before removing or force remove`,
    },
  });
  expect(await post('stop?t=0')).toBe(204);
  expect(await post('stop')).toBe(304);
  expect((await ask('POST', `/containers/${id}/stop?t=x`)).status).toBe(500);
  expect((await ask('DELETE', `/containers/${id}?force=1`)).status).toBe(204);
  expect((await ask('DELETE', `/containers/${id}?force=1`)).status).toBe(404);
});

test('a container that was started again still says when its run before ended', async () => {
  const id = await create({ StopTimeout: 0 });
  const post = async (verb: string) => expect((await ask('POST', `/containers/${id}/${verb}`)).status).toBe(204);
  await post('start');
  expect((await inspect(id)).State.FinishedAt).toBe('0001-01-01T00:00:00Z');
  await post('kill');
  await until(async () => !(await inspect(id)).State.Running);
  const ended: string = (await inspect(id)).State.FinishedAt;
  await post('start');
  // The monitor notes ends in whole milliseconds.
  const shown = async () => Date.parse((await inspect(id)).State.FinishedAt);
  await until(async () => (await shown()) === Date.parse(ended));
  await post('restart?t=0');
  await until(async () => (await shown()) > Date.parse(ended));
  expect((await inspect(id)).State).toMatchObject({ Status: 'running', ExitCode: 0 });
  expect((await ask('DELETE', `/containers/${id}?force=1`)).status).toBe(204);
});

test('an image is found by its id, whole or not, with or without the algorithm', async () => {
  const { Id } = (await ask('GET', `/images/${encodeURIComponent(image)}/json`)).json as { Id: string };
  const digits = Id.replace('sha256:', '');
  for (const Image of [Id, digits, digits.slice(0, 12)]) {
    const id = await create({ Image });
    expect((await inspect(id)).Image).toBe(Id);
    expect((await ask('DELETE', `/containers/${id}`)).status).toBe(204);
  }
});

test('a container that is none, by each verb', async () => {
  for (const verb of ['start', 'stop', 'restart', 'pause', 'unpause', 'rename?name=x'])
    expect(await ask('POST', `/containers/nosuch/${verb}`)).toMatchObject({
      status: 404,
      json: { message: 'No such container: nosuch' },
    });
  expect(await ask('POST', '/containers/nosuch/kill')).toMatchObject({
    status: 404,
    json: { message: 'cannot kill container: nosuch: No such container: nosuch' },
  });
});

describe('a create that is refused', () => {
  test.each<[what: string, query: string, body: unknown, status: number, message: RegExp | string]>([
    ['a bad name', 'name=a%20b', {}, 400, 'Invalid container name (a b), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed'],
    ['no such image', '', { Image: 'nosuch:9' }, 404, 'No such image: nosuch:9'],
    ['no image', '', { Image: '' }, 400, 'no command specified'],
    [
      'a wrong type',
      '',
      { Cmd: { a: 1 } },
      400,
      'invalid JSON: json: cannot unmarshal object into Go value of type string',
    ],
    [
      'a wrong memory',
      '',
      { HostConfig: { Memory: '1g' } },
      400,
      'invalid JSON: json: cannot unmarshal string into Go struct field .HostConfig.Memory of type int64',
    ],
    [
      'a short interval',
      '',
      { Healthcheck: { Test: ['CMD', 'true'], Interval: 999_999 } },
      400,
      'Interval in Healthcheck cannot be less than 1ms',
    ],
    ['negative retries', '', { Healthcheck: { Retries: -1 } }, 400, 'Retries in Healthcheck cannot be negative'],
    [
      'an interval as text',
      '',
      { Healthcheck: { Interval: '1s' } },
      400,
      'invalid JSON: json: cannot unmarshal string into Go struct field .Healthcheck.Interval of type time.Duration',
    ],
    [
      'a link to what is missing',
      '',
      { HostConfig: { NetworkMode: 'default', Links: ['nosuch:db'] } },
      400,
      'could not get container for nosuch: No such container: nosuch',
    ],
    [
      'a network of a missing container',
      '',
      { HostConfig: { NetworkMode: 'container:nosuch' } },
      400,
      'No such container: nosuch',
    ],
    [
      'a volume of another driver',
      '',
      { HostConfig: { Mounts: [{ Type: 'volume', Target: '/x', VolumeOptions: { DriverConfig: { Name: 'nfs' } } }] } },
      404,
      'error looking up volume plugin nfs: plugin "nfs" not found',
    ],
    [
      'what is not in a volume',
      '',
      { HostConfig: { Mounts: [{ Type: 'volume', Source: 'vol', Target: '/x', VolumeOptions: { Subpath: '../a' } }] } },
      400,
      'invalid mount config for type "volume": subpath must be a relative path within the volume',
    ],
    [
      'a missing bind',
      '',
      { HostConfig: { Mounts: [{ Type: 'bind', Source: '/no/such', Target: '/x' }] } },
      400,
      'invalid mount config for type "bind": bind source path does not exist: /no/such',
    ],
    [
      'a relative bind',
      '',
      { HostConfig: { Binds: ['./a:/x'] } },
      400,
      /^create \.\/a: ".\/a" includes invalid characters/,
    ],
    ['a port too high', '', { HostConfig: { PortBindings: { '80/tcp': [{ HostPort: '65536' }] } } }, 400, /"65536"/],
    [
      'a port that is none',
      '',
      { HostConfig: { PortBindings: { http: [] } } },
      400,
      'invalid port specification: "http"',
    ],
    ['less than no memory', '', { HostConfig: { Memory: -1 } }, 400, 'Minimum memory limit allowed is 6MB'],
    [
      'options of storage',
      '',
      { HostConfig: { StorageOpt: { size: '1g' } } },
      500,
      /^--storage-opt is supported only for/,
    ],
    [
      'options of another mount',
      '',
      { HostConfig: { Mounts: [{ Type: 'bind', Source: '/tmp', Target: '/x', VolumeOptions: {} }] } },
      400,
      'VolumeOptions must not be specified on mount type "bind"',
    ],
    [
      'a name in the UTS namespace of the host',
      '',
      { Hostname: 'x', HostConfig: { UTSMode: 'host' } },
      400,
      'conflicting options: hostname and the UTS mode',
    ],
    [
      'links of the host',
      '',
      { HostConfig: { NetworkMode: 'host', Links: ['a:b'] } },
      400,
      /^conflicting options: host type/,
    ],
    ['another runtime', '', { HostConfig: { Runtime: 'nosuch' } }, 400, 'unknown or invalid runtime name: nosuch'],
    ['another platform', 'platform=linux/s390x', {}, 404, /was found but its platform \(.*\) does not match/],
    [
      'a bad policy',
      '',
      { HostConfig: { RestartPolicy: { Name: 'sometimes' } } },
      400,
      "invalid restart policy: unknown policy 'sometimes'; use one of 'no', 'always', 'on-failure', or 'unless-stopped'",
    ],
    [
      'restart and remove',
      '',
      { HostConfig: { AutoRemove: true, RestartPolicy: { Name: 'always' } } },
      400,
      "can't create 'AutoRemove' container with restart policy",
    ],
    [
      'two checks',
      '',
      { Healthcheck: { Test: ['CMD', 'true'] }, Labels: { 'healthctl.health.tcp': ':80' } },
      400,
      'the label healthctl.health.tcp conflicts with Healthcheck.Test: leave one out',
    ],
    ['a line in a host', '', { HostConfig: { ExtraHosts: ['a:1.2.3.4\n6.6.6.6 b'] } }, 400, /^bad format for add-host/],
    [
      'a GPU',
      '',
      { HostConfig: { DeviceRequests: [{ Driver: 'nvidia', Count: 1 }] } },
      400,
      /could not select device driver "nvidia"/,
    ],
  ])('%s', async (_what, query, body, status, message) => {
    const before = await bed.traces();
    const answer = await ask('POST', `/containers/create?${query}`, { Image: image, ...(body as object) });
    const expected = typeof message === 'string' ? message : expect.stringMatching(message);
    expect(answer).toMatchObject({ status, json: { message: expected } });
    await bed.expectNothingLeft(before);
  });

  test('a name that is taken, with and without its slash', async () => {
    const name = bed.name();
    const id = await create({}, name);
    for (const given of [name, `/${name}`])
      expect(await ask('POST', `/containers/create?name=${given}`, { Image: image })).toMatchObject({
        status: 409,
        json: {
          message: `Conflict. The container name "/${name}" is already in use by container "${id}". You have to remove (or rename) that container to be able to reuse that name.`,
        },
      });
  });
});

test('the check is merged with that of the image, and shown as it was set', async () => {
  const shown = async (Healthcheck?: unknown) => (await inspect(await create({ Healthcheck }))).Config.Healthcheck;
  const own = { Test: ['CMD-SHELL', 'test ! -e /tmp/bad'], Interval: 1e9, Retries: 2 };
  expect(await shown()).toEqual(own);
  expect(await shown(null)).toEqual(own);
  expect(await shown({})).toEqual(own);
  expect(await shown({ Interval: 3e9 })).toEqual({ ...own, Interval: 3e9 });
  expect(await shown({ Test: ['CMD', 'true'] })).toEqual({ ...own, Test: ['CMD', 'true'] });
  expect(await shown({ Test: ['NONE'] })).toEqual({ ...own, Test: ['NONE'] });
  const plain = await bed.image();
  const ofPlain = async (Healthcheck?: unknown) =>
    (await inspect(await create({ Image: plain, Healthcheck }))).Config.Healthcheck;
  expect(await ofPlain()).toBeUndefined();
  expect(await ofPlain({})).toEqual({});
  expect(await ofPlain({ Interval: 1e9 })).toEqual({ Interval: 1e9 });
  expect(await ofPlain({ Test: ['HTTP', 'x'] })).toEqual({ Test: ['HTTP', 'x'] });
});

test('native checks by labels of the request, never of the image', async () => {
  const id = await create({
    Labels: { 'healthctl.health.tcp': 'localhost:8080', 'healthctl.health.on-failure': 'restart' },
  });
  const { Config } = await inspect(id);
  expect(Config.Healthcheck.Test).toEqual(['TCP', 'localhost:8080']);
  expect(await bed.ok(['inspect', '--format', '{{.Config.Healthcheck.OnFailure}}', id])).toBe('restart');
  const labelled = await bed.image({ Labels: { 'healthctl.health.tcp': ':9' } });
  expect((await inspect(await create({ Image: labelled }))).Config.Healthcheck).toBeUndefined();
});

test('the document gives back what was asked for', async () => {
  const HostConfig = {
    ...{ Memory: 64 << 20, CapAdd: ['CAP_NET_ADMIN'], Dns: [], ReadonlyRootfs: true },
    RestartPolicy: { Name: 'on-failure', MaximumRetryCount: 2 },
  };
  const id = await create({ Env: ['A=b'], Entrypoint: ['sleep'], Cmd: ['60'], WorkingDir: '/tmp', HostConfig });
  const document = await inspect(id);
  expect(document).toMatchObject({
    ...{ Path: 'sleep', Args: ['60'], State: { Status: 'created' } },
    HostConfig: { ...HostConfig, MemorySwap: 128 << 20, CapDrop: null, Binds: null, NetworkMode: 'none' },
    Config: { Entrypoint: ['sleep'], Cmd: ['60'], WorkingDir: '/tmp', OnBuild: null },
  });
  expect(document.Config.Env).toContain('A=b');
  expect(document.HostConfig.MaskedPaths).toContain('/proc/kcore');
});

test('a bind makes its missing directory on the host where that was asked for', async () => {
  const Source = join(bed.directory, 'made/deep');
  const Mounts = [
    { Type: 'bind', Source, Target: '/x', BindOptions: { Propagation: 'rslave', CreateMountpoint: true } },
  ];
  const { HostConfig } = await inspect(await create({ HostConfig: { Mounts } }));
  expect([existsSync(Source), HostConfig.Mounts]).toEqual([true, Mounts]);
});

test('a container whose policy restarts it is never shown as ended before the last time', async () => {
  const HostConfig = { RestartPolicy: { Name: 'on-failure', MaximumRetryCount: 1 } };
  const id = await create({ Cmd: ['false'], HostConfig });
  await ask('POST', `/containers/${id}/start`);
  const shown = async () => (await inspect(id)) as { State: { Status: string }; RestartCount: number };
  let seen = await shown();
  for (; seen.State.Status !== 'exited'; seen = await shown());
  expect(seen.RestartCount).toBe(1);
  await ask('DELETE', `/containers/${id}`);
});

test('events tell what users do with a container', async () => {
  const id = await create();
  await ask('POST', `/containers/${id}/start`);
  await ask('GET', `/containers/${id}/top`);
  await ask('POST', `/containers/${id}/update`, { RestartPolicy: { Name: 'no' } });
  await ask('GET', `/containers/${id}/archive?path=/bin/sh`);
  await ask('GET', `/containers/${id}/export`);
  const filters = encodeURIComponent(
    JSON.stringify({ container: [id], event: ['top', 'update', 'archive-path', 'export'] }),
  );
  const told = async () => {
    const { text } = await ask('GET', `/events?since=0&until=${Date.now() / 1000}&filters=${filters}`);
    return text.split('\n').flatMap((line) => (line === '' ? [] : (JSON.parse(line) as { Action: string }).Action));
  };
  await until(async () => (await told()).length >= 4);
  expect(await told()).toEqual(['top', 'update', 'archive-path', 'export']);
  await ask('DELETE', `/containers/${id}?force=1`);
});

test('an image is found by its id, whole or not, with and without the algorithm', async () => {
  const { Id: id } = (await ask('GET', `/images/${image}/json`)).json as { Id: string };
  const hex = id.slice('sha256:'.length);
  for (const Image of [id, hex, hex.slice(0, 12)]) {
    const made = await create({ Image });
    expect((await inspect(made)).Image).toBe(id);
    await ask('DELETE', `/containers/${made}`);
  }
  expect(await ask('POST', '/containers/create', { Image: '0'.repeat(64) })).toMatchObject({
    status: 404,
    json: { message: `No such image: ${'0'.repeat(64)}` },
  });
});

test('a program that is missing: 400, and the container stays created', async () => {
  const id = await create({ Cmd: ['/no/such/program'] });
  const answer = await ask('POST', `/containers/${id}/start`);
  expect(answer).toMatchObject({
    status: 400,
    json: { message: expect.stringContaining('exec: "/no/such/program": stat /no/such/program: no such file') },
  });
  const { State } = await inspect(id);
  expect([State.Status, State.ExitCode, State.Error !== '']).toEqual(['created', 127, true]);
});

test('a network that is missing is an error of the start', async () => {
  const id = await create({ HostConfig: { NetworkMode: 'nosuch-net' } });
  expect(await ask('POST', `/containers/${id}/start`)).toMatchObject({
    status: 404,
    json: { message: 'failed to set up container networking: network nosuch-net not found' },
  });
});

test('lists: entries, filters in both forms, the newest first', async () => {
  const labels = { group: bed.name('g') };
  const [first, second] = [await create({ Labels: labels }), await create({ Labels: { ...labels, role: 'web' } })];
  await ask('POST', `/containers/${second}/start`);
  const list = async (filters: object, query = 'all=1') => {
    const merged = encodeURIComponent(JSON.stringify(filters));
    return (await ask('GET', `/containers/json?${query}&filters=${merged}`)).json as { Id: string }[];
  };
  const ids = async (...args: Parameters<typeof list>) => (await list(...args)).map(({ Id }) => Id);
  const group = `group=${labels.group}`;
  expect(await ids({ label: { [group]: true } })).toEqual([second, first]);
  expect(await ids({ label: [group] }, '')).toEqual([second]);
  expect(await ids({ label: [group] }, 'limit=1')).toEqual([second]);
  expect(await ids({ label: [group], status: ['created'] }, '')).toEqual([first]);
  expect(await ids({ label: [group], since: [first] })).toEqual([second]);
  await until(async () => (await ids({ label: [group], health: ['healthy'] })).length === 1, { withinMs: 15_000 });
  const [entry] = await list({ label: [group] }, '');
  expect(entry).toMatchObject({
    ...{ Id: second, Image: image, Command: 'sleep 600', State: 'running', Ports: [], Mounts: [] },
    Status: expect.stringMatching(/^Up .* \(healthy\)$/),
    ...{ HostConfig: { NetworkMode: 'none' }, Labels: { ...labels, role: 'web' } },
  });
  for (const [filters, message] of [
    ['{"nosuch":["x"]}', "invalid filter 'nosuch'"],
    ['health=x', 'invalid filter'],
    ['{"health":["x"]}', /^invalid filter 'health=x': invalid value/],
  ] as const) {
    const expected = typeof message === 'string' ? message : expect.stringMatching(message);
    expect(await ask('GET', `/containers/json?filters=${encodeURIComponent(filters)}`)).toMatchObject({
      status: 400,
      json: { message: expected },
    });
  }
});

test('prune removes what has ended, and tells it', async () => {
  const label = bed.name('p');
  const id = await create({ Labels: { [label]: '' } });
  const filters = encodeURIComponent(JSON.stringify({ label: [label] }));
  const prune = async () => (await ask('POST', `/containers/prune?filters=${filters}`)).json;
  expect(await prune()).toMatchObject({ ContainersDeleted: [id] });
  expect(await prune()).toEqual({ ContainersDeleted: null, SpaceReclaimed: 0 });
});

test('a start takes no configuration, and no network of a container that does not run', async () => {
  const create = async (body: object) => {
    const { json } = await ask('POST', '/containers/create', { Image: image, ...body });
    return (json as { Id: string }).Id;
  };
  const donor = await create({});
  const { json } = await ask('GET', `/containers/${donor}/json`);
  const joined = await create({ HostConfig: { NetworkMode: `container:${donor}` } });
  expect(await ask('POST', `/containers/${joined}/start`, { Binds: [] })).toMatchObject({
    status: 400,
    json: { message: expect.stringContaining('starting container with non-empty request body') },
  });
  const name = (json as { Name: string }).Name.slice(1);
  expect(await ask('POST', `/containers/${joined}/start`, {})).toMatchObject({
    status: 409,
    json: { message: `cannot join network namespace of a non running container: container ${name} is created` },
  });
  for (const id of [joined, donor]) expect((await ask('DELETE', `/containers/${id}`)).status).toBe(204);
});

test('a container that removes itself goes after a start that failed, too', async () => {
  const { json } = await ask('POST', '/containers/create', {
    ...{ Image: image, Cmd: ['/nosuch'], Volumes: { '/v': {} }, HostConfig: { AutoRemove: true } },
  });
  const { Id } = json as { Id: string };
  expect((await ask('POST', `/containers/${Id}/start`)).status).toBe(400);
  expect((await ask('GET', `/containers/${Id}/json`)).status).toBe(404);
  expect((await ask('GET', '/volumes')).json).toMatchObject({ Volumes: [] });
});

test('a kill of a container that waits for its restart cancels that', async () => {
  const HostConfig = { RestartPolicy: { Name: 'always' } };
  const { json } = await ask('POST', '/containers/create', { Image: image, Cmd: ['false'], HostConfig });
  const { Id } = json as { Id: string };
  const state = async () => (await ask('GET', `/containers/${Id}/json`)).json as { State: Record<string, unknown> };
  expect((await ask('POST', `/containers/${Id}/start`)).status).toBe(204);
  await until(async () => (await state()).State.Restarting === true);
  expect((await ask('POST', `/containers/${Id}/kill`)).status).toBe(204);
  await until(async () => (await state()).State.Status === 'exited');
  expect((await ask('POST', `/containers/${Id}/stop`)).status).toBe(304);
  expect((await ask('DELETE', `/containers/${Id}`)).status).toBe(204);
});

test('what is asked for without effect gives warnings, and is shown as it was given', async () => {
  const HostConfig = { BlkioWeight: 300, CapAdd: ['net_admin'], Privileged: true };
  const { status, json } = await ask('POST', '/containers/create', { Image: image, Env: ['A=1', 'B'], HostConfig });
  expect([status, json]).toEqual([
    201,
    { Id: expect.any(String), Warnings: [expect.stringContaining('Block I/O weight')] },
  ]);
  const { Id } = json as { Id: string };
  expect((await ask('GET', `/containers/${Id}/json`)).json).toMatchObject({
    HostConfig: { CapAdd: ['net_admin'], SecurityOpt: ['label=disable'], PortBindings: null },
    Config: { Env: ['A=1', 'B', expect.stringMatching(/^PATH=/)] },
  });
  expect((await ask('DELETE', `/containers/${Id}`)).status).toBe(204);
});
