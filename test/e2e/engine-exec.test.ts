import { afterAll, beforeAll, expect, test } from 'vitest';
import { type EngineBed, startEngine } from './support/engine.ts';
import { type Bed, openBed, until } from './support/harness.ts';
import { hijack } from './support/hijack.ts';

let bed: Bed;
let image: string;
let engine: EngineBed;
let id: string;
beforeAll(async () => {
  bed = await openBed();
  image = await bed.image();
  engine = await startEngine(bed);
  id = await bed.ok(['run', '-d', '--name', 'web', image, 'sleep', '1000']);
});
afterAll(() => bed[Symbol.asyncDispose]());

const OUTPUTS = { AttachStdout: true, AttachStderr: true };
async function create(body: object, container = id): Promise<string> {
  const { status, json } = await engine.ask('POST', `/containers/${container}/exec`, { ...OUTPUTS, ...body });
  expect(status).toBe(201);
  return String((json as { Id: string }).Id);
}
const start = (exec: string, body: object = {}, options = {}) =>
  hijack(engine.socket, `/exec/${exec}/start`, { body, ...options });
const documentOf = async (exec: string) => (await engine.ask('GET', `/exec/${exec}/json`)).json;

test('output in frames, the exit code afterwards, and one run only', async () => {
  const exec = await create({ Cmd: ['sh', '-c', 'echo out; echo err >&2; exit 3'] });
  expect(await documentOf(exec)).toMatchObject({ ID: exec, ContainerID: id, Running: false, ExitCode: null, Pid: 0 });
  const client = await start(exec);
  expect(client.head).toMatch(
    /^HTTP\/1.1 101 UPGRADED\r\nContent-Type: application\/vnd.docker.multiplexed-stream\r\n/,
  );
  expect(client.head).toContain('Api-Version: 1.51');
  await client.ended;
  expect(client.frames()).toMatchObject({ stdout: 'out\n', stderr: 'err\n' });
  expect(await documentOf(exec)).toMatchObject({ Running: false, ExitCode: 3, Pid: expect.any(Number) });
  const again = await start(exec);
  await again.ended;
  expect(again.frames().stdout).toBe(`exec command ${exec} has already run\r\n`);
});

test('input to its end, without an upgrade, and a terminal of the given size', async () => {
  const input = await start(await create({ Cmd: ['cat'], AttachStdin: true }));
  input.end('typed');
  await input.ended;
  expect(input.frames().stdout).toBe('typed');
  const plain = await start(await create({ Cmd: ['echo', 'out'] }), {}, { isUpgrade: false });
  await plain.ended;
  expect(plain.head).toContain('HTTP/1.1 200 OK\r\n');
  expect(plain.frames().stdout).toBe('out\n');
  const tty = await create({ Cmd: ['sh', '-c', 'stty size; read a; stty size'], Tty: true, AttachStdin: true });
  const terminal = await start(tty, { Tty: true, ConsoleSize: [10, 20] });
  await until(() => terminal.bytes().includes('10 20'));
  expect(await engine.ask('POST', `/exec/${tty}/resize?h=30&w=40`)).toMatchObject({ status: 200, text: '' });
  terminal.write('\r');
  await terminal.ended;
  expect(terminal.bytes().toString()).toContain('30 40\r\n');
});

test('user, directory and variables', async () => {
  const program = { Cmd: ['sh', '-c', 'id -u; pwd; echo $A'], User: '1234', WorkingDir: '/tmp', Env: ['A=b'] };
  const client = await start(await create(program));
  await client.ended;
  expect(client.frames().stdout).toBe('1234\n/tmp\nb\n');
});

test.each([
  ['hk-nosuch', 127, 'exec: "hk-nosuch": executable file not found in $PATH'],
  ['/etc', 126, 'permission denied'],
])('the program %s cannot be run: %i', async (program, code, text) => {
  const exec = await create({ Cmd: [program] });
  const client = await start(exec);
  await client.ended;
  const { stdout } = client.frames();
  expect(stdout).toContain('OCI runtime exec failed: exec failed: ');
  expect(stdout.endsWith(`${text}\r\n`)).toBe(true);
  expect(await documentOf(exec)).toMatchObject({ Running: false, ExitCode: code });
  const detached = await create({ Cmd: [program] });
  const answer = await engine.ask('POST', `/exec/${detached}/start`, { Detach: true });
  expect(answer).toMatchObject({ status: 400, json: { message: expect.stringContaining(text) } });
});

test('detached, it runs on; its container shows it, and its end is known', async () => {
  const exec = await create({ Cmd: ['sh', '-c', 'sleep 1; exit 4'] });
  expect(await engine.ask('POST', `/exec/${exec}/start`, { Detach: true })).toMatchObject({ status: 200, text: '' });
  expect(await documentOf(exec)).toMatchObject({ Running: true, ExitCode: null });
  expect((await engine.ask('GET', `/containers/${id}/json`)).json).toMatchObject({ ExecIDs: [exec] });
  await until(async () => ((await documentOf(exec)) as { Running: boolean }).Running === false);
  expect(await documentOf(exec)).toMatchObject({ ExitCode: 4 });
});

test('the keys that detach leave it running, with its exit code', async () => {
  const exec = await create({
    Cmd: ['sh', '-c', 'read a; yes | head -c 200000; exit 5'],
    Tty: true,
    AttachStdin: true,
  });
  const client = await start(exec, { Tty: true });
  client.write('\x10\x11');
  await client.ended;
  expect(await documentOf(exec)).toMatchObject({ Running: true });
});

test('events have the command', async () => {
  const since = Date.now() / 1000;
  const exec = await create({ Cmd: ['sh', '-c', 'exit 6'] });
  await (await start(exec)).ended;
  const events = await engine.ask('GET', `/events?since=${since}&until=${Date.now() / 1000 + 0.3}`);
  const told = events.text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
    .filter(({ Actor }) => Actor.Attributes.execID === exec);
  expect(told.map(({ Action, Actor }) => [Action, Actor.Attributes.exitCode])).toEqual([
    ['exec_create: sh -c exit 6', undefined],
    ['exec_start: sh -c exit 6', undefined],
    ['exec_die', '6'],
  ]);
});

test('what is refused', async () => {
  const refused = async (container: string, body: object = { Cmd: ['true'] }) => {
    const { status, json } = await engine.ask('POST', `/containers/${container}/exec`, body);
    return [status, (json as { message: string }).message];
  };
  expect(await refused(id, { Cmd: [] })).toEqual([400, 'No exec command specified']);
  expect(await refused(id, { Cmd: ['true'], User: 'nosuch' })).toEqual([
    400,
    'unable to find user nosuch: no matching entries in passwd file',
  ]);
  expect(await refused('nosuch')).toEqual([404, 'No such container: nosuch']);
  expect(await engine.ask('POST', '/exec/nosuch/start', {})).toMatchObject({
    status: 404,
    json: { message: 'No such exec instance: nosuch' },
  });
  const other = await bed.ok(['run', '-d', image, 'sleep', '1000']);
  const waits = await create({ Cmd: ['true'] }, other);
  await bed.ok(['pause', other]);
  expect(await refused(other)).toEqual([409, `Container ${other} is paused, unpause the container before exec`]);
  await bed.ok(['unpause', other]);
  await bed.ok(['kill', other]);
  await until(async () => (await engine.ask('GET', `/exec/${waits}/json`)).status === 404);
  expect(await refused(other)).toEqual([409, `container ${other} is not running`]);
  await bed.ok(['rm', other]);
});

test('the end of the container ends its execs', async () => {
  const other = await bed.ok(['run', '-d', image, 'sleep', '1000']);
  const exec = await create({ Cmd: ['sleep', '1000'] }, other);
  const client = await start(exec);
  await bed.ok(['kill', other]);
  await client.ended;
  expect(await documentOf(exec)).toMatchObject({ Running: false, ExitCode: 137 });
  expect(await engine.ask('POST', `/exec/${exec}/resize?h=1&w=2`)).toMatchObject({
    status: 409,
    json: { message: `container ${other} is not running` },
  });
  await bed.ok(['rm', other]);
});

test('a client that goes, or never reads, leaves nothing when its exec has ended', async () => {
  const before = await bed.traces();
  const flood = await create({ Cmd: ['sh', '-c', 'yes | head -c 3000000; exit 7'] });
  const stalled = await start(flood);
  stalled.pause();
  const [gone, half] = await Promise.all(
    ['gone', 'half'].map(async () => start(await create({ Cmd: ['cat'], AttachStdin: true }))),
  );
  gone?.destroy();
  half?.end();
  await half?.ended;
  stalled.destroy();
  await until(async () => ((await documentOf(flood)) as { Running: boolean }).Running === false);
  expect(await documentOf(flood)).toMatchObject({ ExitCode: 7 });
  await bed.expectNothingLeft(before);
});

test('the monitor ends while clients are attached', async () => {
  const client = await start(await create({ Cmd: ['cat'], AttachStdin: true }));
  const refused = await hijack(engine.socket, '/nosuch', { body: {} });
  engine.monitor.kill('SIGTERM');
  expect((await engine.monitor.exited).code).toBe(0);
  await Promise.all([client.ended, refused.ended]);
});
