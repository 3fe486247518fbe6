import { afterAll, beforeAll, expect, test } from 'vitest';
import { type EngineBed, startEngine } from './support/engine.ts';
import { type Bed, openBed } from './support/harness.ts';

let bed: Bed;
let engine: EngineBed;
beforeAll(async () => {
  bed = await openBed();
  const image = await bed.image();
  engine = await startEngine(bed);
  await bed.ok(['run', '-d', '--name', 'up', '-m', '64m', '--cpus', '0.5', image, 'sleep', '1000']);
  await bed.ok(['create', '--name', 'made', '--pids-limit', '32', image, 'sleep', '1000']);
});
afterAll(() => bed[Symbol.asyncDispose]());

const shown = async (name: string, ...keys: string[]) =>
  JSON.parse(await bed.ok(['inspect', '-f', `[${keys.map((key) => `{{json .HostConfig.${key}}}`).join(',')}]`, name]));
const figures = async (name: string) =>
  (await engine.ask('GET', `/containers/${name}/stats?stream=0&one-shot=1`)).json as {
    memory_stats: { limit: number };
    pids_stats: { limit?: number };
  };

test('a running container is limited at once, and its document says so', async () => {
  expect(await bed.ok(['update', '-m', '100m', '--pids-limit', '20', '--cpus', '1', 'up'])).toBe('up');
  expect(await figures('up')).toMatchObject({ memory_stats: { limit: 100 << 20 }, pids_stats: { limit: 20 } });
  expect(await shown('up', 'Memory', 'MemorySwap', 'PidsLimit', 'NanoCpus')).toEqual([100 << 20, 128 << 20, 20, 1e9]);
  await bed.ok(['restart', '-t', '0', 'up']);
  expect(await figures('up')).toMatchObject({ memory_stats: { limit: 100 << 20 }, pids_stats: { limit: 20 } });
});

test('through the API zero means unchanged, but of processes no limit', async () => {
  const update = (body: object, version = '') => engine.ask('POST', `${version}/containers/made/update`, body);
  const nothing = {
    Memory: 0,
    MemorySwap: 0,
    CpuShares: 0,
    CpusetCpus: '',
    PidsLimit: null,
    RestartPolicy: { Name: '' },
  };
  expect(await update(nothing)).toMatchObject({ status: 200, json: { Warnings: null } });
  await update({ PidsLimit: 16 }, '/v1.24');
  expect(await shown('made', 'PidsLimit', 'Memory')).toEqual([32, 0]);
  await update({ PidsLimit: 0, CpuShares: 512, RestartPolicy: { Name: 'on-failure', MaximumRetryCount: 3 } });
  expect(await shown('made', 'PidsLimit', 'CpuShares', 'RestartPolicy')).toEqual([
    0,
    512,
    { Name: 'on-failure', MaximumRetryCount: 3 },
  ]);
  await bed.ok(['start', 'made']);
  expect((await figures('made')).pids_stats.limit ?? Number.POSITIVE_INFINITY).toBeGreaterThan(1e6);
});

test('what Docker refuses', async () => {
  const { json, status } = await engine.ask('POST', '/containers/made/update', { Memory: 64 << 20 });
  expect([status, (json as { message: string }).message]).toEqual([
    409,
    expect.stringMatching(/^Cannot update container [0-9a-f]{64}: Memory limit should be smaller than already set/),
  ]);
  expect((await engine.ask('POST', '/containers/made/update', { Memory: 1, MemorySwap: 2 })).status).toBe(400);
  expect((await engine.ask('POST', '/containers/nosuch/update', {})).status).toBe(404);
  expect(await bed.cli(['update', '--cpus', '999', 'up'])).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('CPUs'),
  });
  expect(await bed.cli(['update', 'up'])).toMatchObject({ code: 1 });
});
