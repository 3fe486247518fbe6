import { execFileSync } from 'node:child_process';
import { type IncomingMessage, request } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import { pack } from 'tar-stream';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type EngineBed, startEngine } from './support/engine.ts';
import { type Bed, openBed } from './support/harness.ts';

let bed: Bed;
let engine: EngineBed;
beforeAll(async () => {
  bed = await openBed();
  const image = await bed.image(
    {},
    { files: { 'opt/conf': { body: 'conf\n', mode: 0o4640 }, 'opt/link': { link: 'conf' } } },
  );
  engine = await startEngine(bed);
  await bed.ok(['create', '--name', 'made', image, 'cat', '/run/secrets/key']);
  await bed.ok(['run', '-d', '--name', 'up', image, 'sleep', '1000']);
});
afterAll(() => bed[Symbol.asyncDispose]());

function send(method: string, path: string, body?: Buffer): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/x-tar' };
    request({ socketPath: engine.socket, method, path, headers, agent: false }, resolve).on('error', reject).end(body);
  });
}

function statOf({ headers }: IncomingMessage): unknown {
  return JSON.parse(Buffer.from(`${headers['x-docker-container-path-stat']}`, 'base64').toString());
}

async function tarOf(name: string, body: string): Promise<Buffer> {
  const archive = pack();
  archive.entry({ name, mode: 0o400, mtime: new Date(0) }, body);
  archive.finalize();
  return buffer(archive);
}

test.each(['made', 'up'])('a path of %s is described and read', async (name) => {
  const head = await send('HEAD', `/v1.44/containers/${name}/archive?path=/opt/conf`);
  expect(head.statusCode).toBe(200);
  expect(statOf(head)).toMatchObject({ name: 'conf', size: 5, mode: 0o640 + 2 ** 23, linkTarget: '' });
  const link = await send('HEAD', `/containers/${name}/archive?path=opt/link`);
  expect(statOf(link)).toMatchObject({ name: 'link', mode: 0o777 + 2 ** 27, linkTarget: '/opt/conf' });
  const answer = await send('GET', `/containers/${name}/archive?path=/opt/`);
  expect(answer.headers['content-type']).toBe('application/x-tar');
  expect(statOf(answer)).toMatchObject({ name: 'opt', mode: 0o755 + 2 ** 31 });
  const names = execFileSync('tar', ['-tf', '-'], { input: await buffer(answer), encoding: 'utf8' });
  expect(names).toBe('opt/\nopt/conf\nopt/link\n');
});

test('a secret as compose sends it, and what is refused', async () => {
  const archive = await tarOf('/run/secrets/key', 'hush');
  expect((await send('PUT', '/containers/made/archive?path=/', gzipSync(archive))).statusCode).toBe(200);
  expect(await bed.ok(['start', '-a', 'made'])).toBe('hush');
  for (const [method, path, body, status, message] of [
    ['PUT', '/containers/made/archive?path=/nosuch', archive, 404, 'Could not find the file /nosuch in container made'],
    ['PUT', '/containers/made/archive?path=/opt/conf', archive, 400, 'extraction point is not a directory'],
    ['PUT', '/containers/made/archive?path=/opt/conf/', archive, 500, 'lstat /opt/conf/: not a directory'],
    ['PUT', '/containers/made/archive?path=/', Buffer.alloc(700, 'x'), 500, 'the tar archive is damaged'],
    ['GET', '/containers/up/archive?path=/nosuch', undefined, 404, 'Could not find the file /nosuch in container up'],
    ['GET', '/containers/up/archive', undefined, 400, 'bad parameter'],
    ['GET', '/containers/nosuch/archive?path=/', undefined, 404, 'No such container: nosuch'],
  ] as const) {
    const answer = await send(method, path, body);
    const said = (await buffer(answer)).toString();
    expect([answer.statusCode, said], `${method} ${path}`).toEqual([status, expect.stringContaining(message)]);
  }
  const over = await tarOf('opt', 'a file');
  const refused = await send('PUT', '/containers/up/archive?path=/&noOverwriteDirNonDir=true', over);
  expect([refused.statusCode, (await buffer(refused)).toString()]).toEqual([
    500,
    expect.stringContaining('cannot overwrite directory'),
  ]);
  expect((await send('HEAD', '/containers/up/archive?path=/nosuch')).statusCode).toBe(404);
});

test('a client that goes away while it reads leaves nothing open', async () => {
  const before = await bed.traces();
  await bed.ok(['exec', 'up', 'sh', '-c', 'dd if=/dev/zero of=/big bs=1M count=64 2>/dev/null']);
  const answer = await send('GET', '/containers/up/archive?path=/big');
  await new Promise((resolve) => answer.once('data', resolve));
  answer.destroy();
  await bed.ok(['exec', 'up', 'rm', '/big']);
  await bed.expectNothingLeft(before);
});
