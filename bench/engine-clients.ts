// What idle clients of Docker's API cost the monitor: memory of each that follows events, or the output of a container, and
// how much later checks are made. Needs root, containerd and runc.
//   node --import tsx bench/engine-clients.ts [--what events|logs] [--clients 1000] [--containers 20] [--seconds 60]
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { DaemonStatus } from '../src/daemon/api/answers.ts';
import { dockerArchive } from '../testbed/image-archive.ts';
import { startContainerd } from '../testbed/private-containerd.ts';
import { writeSeccomp } from './docker/bed.ts';
import { startHealthctl } from './docker/healthctl-side.ts';
import { IMAGE, must, RESIDENT, removeAll, runMany } from './docker/measures.ts';
import type { Side } from './docker/side.ts';

const { values } = parseArgs({
  options: {
    what: { type: 'string', default: 'events' },
    clients: { type: 'string', default: '1000' },
    containers: { type: 'string', default: '20' },
    seconds: { type: 'string', default: '60' },
  },
});
const [clients, containers, seconds] = [values.clients, values.containers, values.seconds].map(Number) as [
  number,
  number,
  number,
];
const directory = mkdtempSync(join(tmpdir(), 'healthctl-bench-clients-'));
const socketPath = join(directory, 'docker.sock');
const containerd = await startContainerd();
const stops = [containerd.stop, async () => rmSync(directory, { recursive: true, force: true })];
try {
  const side = await startHealthctl(containerd, writeSeccomp(containerd.directory), { dockerSocket: socketPath });
  stops.unshift(side.stop);
  const archive = join(directory, 'image.tar');
  writeFileSync(archive, await dockerArchive({ name: IMAGE, config: {} }));
  must(side, 'load', '-q', '-i', archive);
  const [first = ''] = await runMany(side, {
    ...RESIDENT,
    containers,
    flags: [...RESIDENT.flags, '--health-interval', '1s'],
  });
  const path = values.what === 'logs' ? `/containers/${first}/logs?follow=1&stdout=1&stderr=1` : '/events';
  await measure(side, path);
  removeAll(side);
} finally {
  for (const stop of stops) await stop();
}

async function measure(side: Side, path: string): Promise<void> {
  // Sums up the checks of the last 2048, so the clients' own are most of it at the end.
  await sleep(15_000);
  await sleep(seconds * 1_000);
  const before = statusOf(side);
  const sockets = await Promise.all(Array.from({ length: clients }, () => follow(path)));
  await sleep(12_000); // a monitor collects garbage ten seconds after its memory has grown
  await sleep(seconds * 1_000);
  const during = statusOf(side);
  for (const socket of sockets) socket.destroy();
  await sleep(5_000);
  const after = statusOf(side);
  const kib = (during.memoryBytes - before.memoryBytes) / clients / 1024;
  console.log(`${side.versions}, ${clients} clients, ${containers} containers checked every second, load average ${loadavg()[0]?.toFixed(1)}
memory of a client that follows ${values.what.padEnd(22)}${kib.toFixed(1)} KiB
memory of the monitor before, with them, afterwards    ${[before, during, after].map(({ memoryBytes }) => `${(memoryBytes / 1e6).toFixed(0)} MB`).join(', ')}
descriptors before, with them, afterwards              ${[before, during, after].map(({ descriptors }) => descriptors.open).join(', ')}
later than due, p99, before and with them, ms          ${[before, during].map(({ lag }) => lag?.p99Ms.toFixed(1)).join(', ')}`);
}

function statusOf(side: Side): DaemonStatus {
  return JSON.parse(must(side, 'daemon', 'status', '--format', 'json'));
}

async function follow(path: string): Promise<Socket> {
  const socket = connect(socketPath);
  await once(socket, 'connect');
  socket.write(`GET /v1.51${path} HTTP/1.1\r\nHost: docker\r\n\r\n`);
  await once(socket, 'data');
  socket.resume();
  return socket;
}
