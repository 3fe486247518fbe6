// A stand-in for containerd, for scripts/make-cache.mjs, which runs it as a worker. It has one running container and
// one image, and lets commands create and start containers named fresh, so that V8 compiles the code for all of that.
// Every other call succeeds with one empty message. If given a socket of the monitor, it also stands in for the
// monitor.
import { createHash } from 'node:crypto';
import { createServer as createMonitor } from 'node:http';
import { createServer } from 'node:http2';
import { parentPort, workerData } from 'node:worker_threads';
import { summaryOf } from './lib/warm-up-summary.mjs';

/**
 * Protocol buffers by hand: a varint, and fields by number (text and bytes length-delimited, numbers as varints, lists
 * repeated).
 */
function varint(value) {
  const bytes = [];
  for (; value > 127; value = Math.floor(value / 128)) bytes.push((value % 128) | 128);
  return Buffer.from([...bytes, value]);
}

function message(fields) {
  const parts = Object.entries(fields).flatMap(([number, values]) =>
    [values].flat().map((value) => {
      if (typeof value === 'number') return Buffer.concat([varint(number * 8), varint(value)]);
      const bytes = Buffer.from(value);
      return Buffer.concat([varint(number * 8 + 2), varint(bytes.length), bytes]);
    }),
  );
  return Buffer.concat(parts);
}

const map = (entries) => Object.entries(entries).map(([key, value]) => message({ 1: key, 2: value }));
const any = (type, value) => message({ 1: type, 2: JSON.stringify(value) });
const moment = message({ 1: 1_767_225_600, 2: 1 });

const id = 'a'.repeat(64);
const LABELS = {
  'healthctl/owner': '0',
  'nerdctl/healthcheck': JSON.stringify({ Test: ['CMD', 'true'], Interval: 1e9, Retries: 3 }),
};
const STARTED = { 'healthctl/started': JSON.stringify({ At: '2026-01-01T00:00:00Z', Run: 'x' }) };
const storedConfig = {
  ImageId: `sha256:${id}`,
  Args: ['sleep', '1'],
  Config: { Image: 'demo', Tty: false, OpenStdin: false, Labels: { a: 'b' } },
  HostConfig: { NetworkMode: 'none', AutoRemove: false },
};
const containerOf = (containerId, labels) =>
  message({
    1: containerId,
    2: map({ ...LABELS, ...labels }),
    3: 'docker.io/library/demo:latest',
    4: message({ 1: 'io.containerd.runc.v2' }),
    5: any('spec', { ociVersion: '1.0.2', process: { args: ['sleep', '1'], cwd: '/', user: { uid: 0, gid: 0 } } }),
    6: 'overlayfs',
    7: containerId,
    8: moment,
    9: moment,
    10: map({ 'healthctl.config.v1': any('healthctl.config.v1', storedConfig) }),
  });
const container = containerOf(id, { 'nerdctl/name': 'warm-up', ...STARTED });
const task = message({ 1: id, 2: id, 3: process.pid, 4: 2, 5: '', 10: moment });

const digestOf = (bytes) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
const descriptorOf = (mediaType, bytes) => ({ mediaType, digest: digestOf(bytes), size: bytes.length });
const layer = Buffer.from('layer');
const config = Buffer.from(
  JSON.stringify({
    architecture: 'amd64',
    os: 'linux',
    config: { Cmd: ['sleep', '1'], Env: ['PATH=/bin'], Healthcheck: { Test: ['CMD-SHELL', 'true'] } },
    rootfs: { type: 'layers', diff_ids: [digestOf(layer)] },
  }),
);
const OCI = 'application/vnd.oci.image';
const manifest = Buffer.from(
  JSON.stringify({
    schemaVersion: 2,
    mediaType: `${OCI}.manifest.v1+json`,
    config: descriptorOf(`${OCI}.config.v1+json`, config),
    layers: [descriptorOf(`${OCI}.layer.v1.tar`, layer)],
  }),
);
const BLOBS = new Map([config, manifest].map((bytes) => [digestOf(bytes), bytes]));
const target = message({ 1: `${OCI}.manifest.v1+json`, 2: digestOf(manifest), 3: manifest.length });
const image = message({ 1: 'docker.io/library/demo:latest', 3: target, 7: moment, 8: moment });
const mounts = message({ 1: message({ 1: 'bind', 2: workerData.rootfs, 4: ['rbind', 'ro'] }) });

/** The monitor's answer to `ps`. */
const summary = summaryOf({
  id,
  labels: { ...LABELS, ...STARTED, 'nerdctl/name': 'warm-up' },
  storedConfig,
  pid: process.pid,
});

const NOT_FOUND = 5;
const NOTHING = Symbol('a stream without a message');
/** About another container than the running one: the command created it. */
const isFresh = (request) => !request.includes(id);
const idIn = (request) => /[0-9a-f]{64}/.exec(request)?.[0] ?? '';

/** By the last part of the service's name and the method: the answer to a request, or a status other than 0. */
const ANSWERS = {
  'Containers/ListStream': (request) => (request.includes('fresh') ? NOTHING : message({ 1: container })),
  'Containers/Get': (request) => message({ 1: isFresh(request) ? containerOf(idIn(request), {}) : container }),
  'Containers/Create': (request) => message({ 1: containerOf(idIn(request), {}) }),
  'Tasks/List': () => message({ 1: task }),
  'Tasks/Get': (request) => (isFresh(request) ? NOT_FOUND : message({ 1: task })),
  'Tasks/Create': (request) => message({ 1: idIn(request), 2: process.pid }),
  'Tasks/Start': () => message({ 1: 1 << 30 }),
  'Images/Get': () => message({ 1: image }),
  'Content/Read': (request) => message({ 2: BLOBS.get(`sha256:${idIn(request)}`) ?? '' }),
  'Snapshots/Prepare': () => mounts,
  'Snapshots/Mounts': () => mounts,
};

const server = createServer();
server.on('stream', async (stream, headers) => {
  stream.on('error', () => {});
  const chunks = [];
  stream.on('data', (chunk) => chunks.push(chunk));
  await new Promise((end) => stream.on('end', end));
  const method = headers[':path'].split('.').at(-1);
  const answer = ANSWERS[method]?.(Buffer.concat(chunks).toString('latin1')) ?? Buffer.alloc(0);
  const status = typeof answer === 'number' ? answer : 0;
  stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
  stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': `${status}` }));
  if (status !== 0 || answer === NOTHING) return stream.end();
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(answer.length, 1);
  stream.end(Buffer.concat([prefix, answer]));
});
const ready = () => parentPort.postMessage('ready');
server.listen(workerData.socket, () => {
  if (workerData.monitor === undefined) return ready();
  createMonitor((_, response) => {
    const body = JSON.stringify([summary]);
    response.writeHead(200, { 'healthctl-api': '1', 'content-length': Buffer.byteLength(body) }).end(body);
  }).listen(workerData.monitor, ready);
});
