import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Bed, openBed, until } from '../e2e/support/harness.ts';
import { type NetworkHost, openNetworkHost } from '../e2e/support/network-host.ts';

const CONTAINERS = 200;
const AT_ONCE = 8;
const KILLED = 40;
/** A `run -d` takes some 250 ms here: it is killed at any point, or after its end. */
const LATEST_KILL_MS = 400;

let bed: Bed;
let host: NetworkHost;
beforeAll(async () => {
  bed = await openBed(['autostart = false', 'network = "bridge"']);
  host = await openNetworkHost(bed);
  await bed.image();
  // What stays on a host: the bridge, portmap's chains, the directory of leases.
  await host.ok('run', '-d', '--name', 'first', '-p', '80', await bed.image(), 'sleep', '600');
  await host.ok('rm', '-f', 'first');
});
afterAll(async () => {
  await bed[Symbol.asyncDispose]();
  await host[Symbol.asyncDispose]();
});

async function expectRemains(before: unknown): Promise<void> {
  const isSame = async () => JSON.stringify(await host.remains()) === JSON.stringify(before);
  await until(isSame, { withinMs: 30_000 }).catch(() => undefined);
  expect(await host.remains()).toEqual(before);
}

/** Runs `work` for each name, AT_ONCE at the same time. */
async function each(names: readonly string[], work: (name: string) => Promise<unknown>): Promise<void> {
  const waiting = [...names];
  const worker = async (): Promise<void> => {
    for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) await work(name);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

test(`${CONTAINERS} containers are started and removed, and leave nothing on the host or in containerd`, async () => {
  const image = await bed.image();
  const [before, traces] = [await host.remains(), await bed.traces()];
  const names = Array.from({ length: CONTAINERS }, (_, index) => `many-${index}`);
  const started = performance.now();
  await each(names, (name) => {
    const ports = Number(name.slice('many-'.length)) % 10 === 0 ? ['-p', '80'] : [];
    return host.ok('run', '-d', '--name', name, ...ports, image, 'sleep', '3600');
  });
  const between = performance.now();
  const during = await host.remains();
  expect([during.records.length, during.links.length - before.links.length]).toEqual([CONTAINERS, CONTAINERS]);
  const addresses = new Set(during.leases);
  expect(addresses.size - before.leases.length).toBe(CONTAINERS);
  await each(names, (name) => host.ok('rm', '-f', name));
  console.log(
    `run: ${((between - started) / CONTAINERS).toFixed(0)} ms each, rm: ${((performance.now() - between) / CONTAINERS).toFixed(0)} ms`,
  );
  await expectRemains(before);
  await bed.expectNothingLeft(traces, 60_000);
});

test(`what ${KILLED} runs leave that are killed at any point is removed by the next`, async () => {
  const image = await bed.image();
  const before = await host.remains();
  for (let index = 0; index < KILLED; index += 1) {
    const running = host.spawn('run', '-d', '--name', `killed-${index}`, '-p', '7000:80', image, 'sleep', '3600');
    await new Promise((resolve) => setTimeout(resolve, (LATEST_KILL_MS * index) / KILLED));
    running.kill('SIGKILL');
    await running.exited;
    await host.cli('rm', '-f', `killed-${index}`);
  }
  await host.ok('run', '--rm', '-p', '7000:80', image, 'true');
  await expectRemains(before);
});
