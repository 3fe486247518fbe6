import type { IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
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

const create = (...args: string[]) => bed.ok(['create', image, ...args]);
/** The wait has begun when this resolves. */
const beginWait = (id: string, condition = ''): Promise<IncomingMessage> =>
  engine.open('POST', `/containers/${id}/wait?condition=${condition}`);
const resultOf = async (answer: IncomingMessage) => JSON.parse(await text(answer));

test('the head comes before the start, and the code of the next exit after it', async () => {
  const id = await create('sh', '-c', 'exit 5');
  const next = await beginWait(id, 'next-exit');
  expect(next).toMatchObject({ statusCode: 200, headers: { 'content-type': 'application/json' } });
  expect(await resultOf(await beginWait(id))).toEqual({ StatusCode: 0 });
  await bed.ok(['start', id]);
  expect(await resultOf(next)).toEqual({ StatusCode: 5 });
  expect(await resultOf(await beginWait(id, 'not-running'))).toEqual({ StatusCode: 5 });
});

test('the removal of a container, by a user or at its end', async () => {
  const id = await create('true');
  const removed = await beginWait(id, 'removed');
  await bed.ok(['rm', id]);
  expect(await resultOf(removed)).toEqual({ StatusCode: 0 });
  const name = bed.name();
  await bed.ok(['create', '--rm', '--name', name, image, 'sh', '-c', 'exit 6']);
  const byItself = await beginWait(name, 'removed');
  await bed.ok(['start', name]);
  expect(await resultOf(byItself)).toEqual({ StatusCode: 6 });
});

test('a container whose start failed', async () => {
  const id = await create('nosuch');
  await bed.cli(['start', id]);
  expect(await resultOf(await beginWait(id))).toEqual({
    Error: { Message: expect.stringContaining('executable file not found in $PATH') },
    StatusCode: 127,
  });
});

test('a client of API 1.29 gets the head with the result', async () => {
  const id = await bed.ok(['run', '-d', image, 'sleep', '60']);
  const asked = engine.ask('POST', `/v1.29/containers/${id}/wait?condition=any`);
  await bed.ok(['kill', id]);
  expect(await asked).toMatchObject({ status: 200, json: { StatusCode: 137 } });
});

test('what cannot be waited for', async () => {
  const id = await create('true');
  expect(await engine.ask('POST', `/containers/${id}/wait?condition=healthy`)).toMatchObject({
    status: 400,
    json: { message: 'invalid condition: "healthy"' },
  });
  expect(await engine.ask('POST', '/containers/nosuch/wait?condition=removed')).toMatchObject({
    status: 404,
    json: { message: 'No such container: nosuch' },
  });
});

test('a client that goes leaves no subscription', async () => {
  const before = await bed.traces();
  const id = await create('true');
  for (const condition of ['next-exit', 'removed', 'next-exit'])
    (await beginWait(id, condition)).on('error', () => {}).destroy();
  await bed.ok(['rm', id]);
  await bed.expectNothingLeft(before);
});
