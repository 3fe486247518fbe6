import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import type { DaemonStatus } from '../../src/daemon/api/answers.ts';
import { startProgram } from '../../testbed/program.ts';
import { type Bed, openBed, until } from '../e2e/support/harness.ts';

// Whether the memory of a monitor levels off. Two hours: HEALTHCTL_SOAK_MINUTES=120 npm run test:long --
// test/long/memory.test.ts

const MINUTES = Number(process.env.HEALTHCTL_SOAK_MINUTES ?? 12);
const EVERY_MS = 5_000;
/** A page more or less in each heap is no growth. */
const SLACK_MIB = 2;
const SERVERS = fileURLToPath(new URL('../../testbed/network-servers.mjs', import.meta.url));

const HTTPD = ['httpd', '-f', '-p', '8080', '-h', '/www'];
/** Sixty containers, each checked every second. */
const LOADS: readonly { readonly count: number; readonly flags: readonly string[]; readonly command: string[] }[] = [
  { count: 8, flags: ['--health-cmd', 'echo ok; test -d /tmp'], command: ['sleep', '86400'] },
  { count: 12, flags: ['--health-exec', 'resident', '--health-cmd', 'echo ok'], command: ['sleep', '86400'] },
  { count: 14, flags: ['--health-http', 'http://localhost:8080/healthz'], command: HTTPD },
  { count: 14, flags: ['--health-tcp', 'localhost:8080'], command: HTTPD },
  { count: 12, flags: ['--health-grpc', 'localhost:50051'], command: ['sleep', '86400'] },
];

test(`the memory of a monitor levels off: 60 containers for ${MINUTES} minutes`, {
  timeout: (MINUTES + 10) * 60_000,
}, async () => {
  await using bed = await openBed();
  const image = await bed.image({}, { files: { 'www/healthz': 'all is well\n' } });
  // As a command starts it: with the flags of Node.js that limit its memory.
  await bed.ok(['daemon', 'start']);
  const status = async (): Promise<DaemonStatus> => JSON.parse(await bed.ok(['daemon', 'status', '--format', 'json']));
  const grpc = await runAll(bed, image);
  try {
    const healthy = async () => (await bed.ok(['ps', '-q', '--filter', 'health=healthy'])).split('\n').length;
    await until(async () => (await healthy()) === 60, { withinMs: 120_000, everyMs: 1_000 });
    const { pid } = await status();
    const samples: number[] = [];
    const { checksMade } = await status();
    for (const end = Date.now() + MINUTES * 60_000; Date.now() < end; ) {
      await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
      samples.push(residentMib(pid));
    }
    expect((await status()).checksMade - checksMade).toBeGreaterThan(MINUTES * 60 * 30);
    const quarter = Math.floor(samples.length / 4);
    const quarters = [0, 1, 2, 3].map((index) => mean(samples.slice(index * quarter, (index + 1) * quarter)));
    const means = quarters.map((mib) => mib.toFixed(1)).join(', ');
    console.log(
      `resident memory, mean of each quarter of ${MINUTES} minutes: ${means} MiB; most ${Math.max(...samples)}`,
    );
    const [, second = 0, , last = 0] = quarters;
    expect(last, `mean of each quarter in MiB: ${means}`).toBeLessThan(second + SLACK_MIB);
  } finally {
    grpc.kill('SIGKILL');
  }
});

/** @returns the server for the gRPC probes, in the network that their containers share */
async function runAll(bed: Bed, image: string) {
  let server: ReturnType<typeof startProgram> | undefined;
  for (const { count, flags, command } of LOADS) {
    const isGrpc = flags[0] === '--health-grpc';
    let first: string | undefined;
    for (let made = 0; made < count; made += 1) {
      const name = bed.name('m');
      const shared = isGrpc && first !== undefined ? ['--network', `container:${first}`] : [];
      await bed.ok(['run', '-d', '--name', name, ...flags, '--health-interval', '1s', ...shared, image, ...command]);
      first ??= name;
    }
    if (!isGrpc || first === undefined) continue;
    const pid = await bed.ok(['inspect', '--format', '{{.State.Pid}}', first]);
    server = startProgram(['nsenter', '-t', pid, '-n', process.execPath, SERVERS], {
      env: { PATH: process.env.PATH ?? '', GRPC_PORT: '50051' },
    });
    await server.prints(/\}\n/);
  }
  if (!server) throw new Error('no server for gRPC');
  return server;
}

function residentMib(pid: number): number {
  return Math.round(Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 102.4) / 10;
}

const mean = (numbers: readonly number[]): number => numbers.reduce((sum, one) => sum + one, 0) / numbers.length;
