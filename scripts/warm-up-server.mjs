// A stand-in for containerd, for scripts/make-cache.mjs, run as a worker: it has one container that runs, so that the code that reads
// containers is warm; every other call ends well, with one empty message.
import { createServer } from 'node:http2';
import { parentPort, workerData } from 'node:worker_threads';

/** Protocol buffers by hand: a varint, and fields by number (text and bytes length-delimited, numbers as varints, lists repeated). */
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
const storedConfig = {
  ImageId: `sha256:${id}`,
  Args: ['sleep', '1'],
  Config: { Image: 'demo', Tty: false, OpenStdin: false, Labels: { a: 'b' } },
  HostConfig: { NetworkMode: 'none', AutoRemove: false },
};
const container = message({
  1: id,
  2: map({
    'healthctl/owner': '0',
    'healthctl/started': JSON.stringify({ At: '2026-01-01T00:00:00Z', Run: 'x' }),
    'nerdctl/name': 'warm-up',
    'nerdctl/healthcheck': JSON.stringify({ Test: ['CMD', 'true'], Interval: 1e9, Retries: 3 }),
  }),
  3: 'docker.io/library/demo:latest',
  4: message({ 1: 'io.containerd.runc.v2' }),
  5: any('spec', { ociVersion: '1.0.2', process: { args: ['sleep', '1'], cwd: '/', user: { uid: 0, gid: 0 } } }),
  6: 'overlayfs',
  7: id,
  8: moment,
  9: moment,
  10: map({ 'healthctl.config.v1': any('healthctl.config.v1', storedConfig) }),
});
const task = message({ 1: id, 2: id, 3: process.pid, 4: 2, 5: '', 10: moment });

const ANSWERS = {
  '/containerd.services.containers.v1.Containers/ListStream': message({ 1: container }),
  '/containerd.services.containers.v1.Containers/Get': message({ 1: container }),
  '/containerd.services.tasks.v1.Tasks/List': message({ 1: task }),
  '/containerd.services.tasks.v1.Tasks/Get': message({ 1: task }),
  '/containerd.services.tasks.v1.Tasks/Start': message({ 1: 1 << 30 }),
};

const server = createServer();
server.on('stream', (stream, headers) => {
  stream.on('error', () => {});
  stream.resume();
  stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
  stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
  const answer = ANSWERS[headers[':path']] ?? Buffer.alloc(0);
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(answer.length, 1);
  stream.end(Buffer.concat([prefix, answer]));
});
server.listen(workerData, () => parentPort.postMessage('ready'));
