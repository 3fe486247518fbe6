// The data of the web page, for many containers with a week of history: how long an answer takes, how long it holds up the
// thread that makes the checks, and the most memory, with the list and five containers open. The client is another
// process, as a browser is. Needs no containerd; build first.
//   node --import tsx bench/page.ts [--containers 200] [--max]
import { execFileSync, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { systemClock } from '../src/lib/clock.ts';
import { silentLogger } from '../src/lib/logger.ts';
import type { KnownContainer } from '../src/monitor/host-model.ts';
import { createHistoryThread } from '../src/page/history-thread.ts';
import { createPage } from '../src/page/page.ts';
import { type HostAnswer, RANGES, type RangeName } from '../src/page/wire.ts';
import { compactRecordOf } from '../src/record/compact-record.ts';
import { limitYoungHeap, releaseMemory, residentBytes } from '../src/system/memory.ts';
import { aRecord, aTask } from '../test/builders/container.ts';
import { aConfig, aRun } from '../test/builders/health.ts';
import { type PastLife, writePast } from '../testbed/past-week.ts';

limitYoungHeap(); // as the monitor does
const { values } = parseArgs({
  options: {
    containers: { type: 'string', default: '200' },
    max: { type: 'boolean', default: false },
    write: { type: 'string' },
    client: { type: 'string' },
  },
});
const count = Number(values.containers);
/** With --max, the bench fails beyond these. */
const MAX = { heldUpMs: 20, memoryMiB: 30 };
const [DAY, EVERY_MS] = [86_400_000, 30_000];
/** Containers that are open at once, each with its log. */
const VIEWS = 5;
const script = fileURLToPath(new URL('../dist/page-history.cjs', import.meta.url));
const keys = Array.from({ length: count }, (_, index) => `default/c${index}`);
if (values.write !== undefined) await writeWeek(values.write);
else if (values.client !== undefined) answerAsClient(Number(values.client));
else {
  const dir = mkdtempSync(join(tmpdir(), 'healthctl-bench-page-'));
  try {
    // In another process: its garbage would hide what the page takes.
    const args = [...process.execArgv, fileURLToPath(import.meta.url), '--containers', values.containers];
    execFileSync(process.execPath, [...args, '--write', dir], { stdio: 'inherit' });
    const failures = await measure(dir);
    for (const failure of failures) console.log(`too much: ${failure}`);
    process.exitCode = values.max && failures.length > 0 ? 1 : 0;
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

/** Every minute has its cell, as with any shorter interval. */
function writeWeek(dir: string): Promise<void> {
  const lives = keys.map(
    (key, index): PastLife => ({
      ...{ key, name: key.slice(8), image: 'demo:1', durationMs: (atMs) => 10 + ((atMs / 1_000 + index * 7) % 40) },
      phases: [
        { agoMs: 7 * DAY, phase: 'healthy' },
        { agoMs: 3_600_000 + index * 1_000, phase: 'unhealthy', reason: 'connection refused', exitCode: 1 },
        { agoMs: 1_800_000 + index * 1_000, phase: 'healthy' },
      ],
    }),
  );
  return writePast(dir, lives, { untilMs: Date.now(), lengthMs: 7 * DAY, everyMs: EVERY_MS });
}

async function measure(dir: string): Promise<readonly string[]> {
  const model = new Map(keys.map((key) => [key, container(key.slice(8))]));
  const thread = createHistoryThread({ script, dir, flush: async () => {}, clock: systemClock, log: silentLogger });
  const failures: string[] = [];
  /** The least of several: the machine may be busy. */
  const heldUp = new Map<RangeName, number>();
  const page = createPage({
    ...{ clock: systemClock, log: silentLogger, isRestarting: () => false },
    history: thread,
    model: { all: () => model.values(), get: (key) => model.get(key) },
    host: () => ({}) as HostAnswer,
    configOf: async () => ({ config: null }),
  });
  const server = createServer((request, response) =>
    page.handle(request, response, { assets: new Map(), hosts: [], token: undefined }),
  ).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = startClient((server.address() as AddressInfo).port);
  await client.lengthAt('/data/host'); // loads what the first answer needs
  releaseMemory();
  const memory = watchMemory();
  for (const range of Object.keys(RANGES) as RangeName[]) {
    for (const which of ['first', 'shared', 'shared', 'shared']) {
      const delays = watchDelays();
      const beganMs = performance.now();
      const length = await client.lengthAt(`/data/containers?range=${range}`);
      const tookMs = performance.now() - beganMs;
      const heldUpMs = await delays();
      const kib = (length / 1024).toFixed(0);
      console.log(
        `${range} ${which.padEnd(6)} ${tookMs.toFixed(0).padStart(5)} ms, ${kib.padStart(4)} KiB, longest hold-up ${heldUpMs.toFixed(1)} ms`,
      );
      heldUp.set(range, Math.min(heldUp.get(range) ?? Number.POSITIVE_INFINITY, heldUpMs));
    }
  }
  for (const [range, ms] of heldUp)
    if (ms > MAX.heldUpMs) failures.push(`${range}: checks are held up for ${ms.toFixed(1)} ms`);
  for (const range of Object.keys(RANGES) as RangeName[]) {
    const views = keys.slice(0, VIEWS).map((key) => `/data/containers/${encodeURIComponent(key)}`);
    await Promise.all(views.flatMap((view) => [`${view}?range=${range}`, `${view}/log`]).map(client.lengthAt));
  }
  client.stop();
  server.close();
  server.closeAllConnections();
  const mostMiB = memory.mostMiB();
  console.log(`memory with the list and ${VIEWS} containers open: at most ${mostMiB.toFixed(1)} MiB more`);
  if (mostMiB > MAX.memoryMiB) failures.push(`memory grows by ${mostMiB.toFixed(1)} MiB`);
  await page.stop();
  await sleep(1_000);
  releaseMemory();
  console.log(`afterwards: ${memory.nowMiB().toFixed(1)} MiB more`);
  memory.stop();
  return failures;
}

interface Client {
  /** Gets what is at a path. @returns the number of characters */
  lengthAt(path: string): Promise<number>;
  stop(): void;
}

function startClient(port: number): Client {
  const args = ['--client', String(port)];
  const child = fork(fileURLToPath(import.meta.url), args, { execArgv: process.execArgv });
  const waiting = new Map<number, (got: Got) => void>();
  let asked = 0;
  child.on('message', (got: Got) => waiting.get(got.number)?.(got));
  return {
    lengthAt: async (path) => {
      const number = ++asked;
      const answer = new Promise<Got>((resolve) => waiting.set(number, resolve));
      child.send({ number, path });
      const { length, failure } = await answer;
      waiting.delete(number);
      if (failure !== undefined) throw new Error(`${path}: ${failure}`);
      return length;
    },
    stop: () => child.disconnect(),
  };
}

interface Got {
  readonly number: number;
  readonly length: number;
  readonly failure?: string;
}

/** In the client's process. */
function answerAsClient(port: number): void {
  const get = async ({ number, path }: { readonly number: number; readonly path: string }): Promise<Got> => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`);
    const { length } = await response.text();
    return { number, length, ...(response.ok ? {} : { failure: String(response.status) }) };
  };
  process.on('message', (wanted: { readonly number: number; readonly path: string }) => {
    get(wanted).then(
      (got) => process.send?.(got),
      (error) => process.send?.({ number: wanted.number, length: 0, failure: String(error) }),
    );
  });
}

/** The growth of the process's memory from now on. */
function watchMemory() {
  const beforeBytes = residentBytes() ?? 0;
  const nowMiB = (): number => ((residentBytes() ?? 0) - beforeBytes) / 2 ** 20;
  let most = 0;
  const timer = setInterval(() => {
    most = Math.max(most, nowMiB());
  }, 20);
  return { nowMiB, mostMiB: () => most, stop: () => clearInterval(timer) };
}

/** @returns ends it: how late a timer of 1 ms was at most */
function watchDelays(): () => Promise<number> {
  let [most, isOver] = [0, false];
  const watch = async (): Promise<number> => {
    while (!isOver) {
      const beganMs = performance.now();
      await sleep(1);
      most = Math.max(most, performance.now() - beganMs - 1);
    }
    return most;
  };
  const watching = watch();
  return () => {
    isOver = true;
    return watching;
  };
}

function container(id: string): KnownContainer {
  return {
    ...{ namespace: 'default', id, damage: undefined, processJson: undefined },
    ...{ isStartSeen: true, isOutOfMemory: false },
    record: compactRecordOf(aRecord({ id, labels: { 'nerdctl/name': id } })),
    ...{ config: aConfig(), task: aTask(), run: aRun(), stored: { log: [], state: undefined } },
  };
}
