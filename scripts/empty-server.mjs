// A gRPC server for scripts/make-cache.mjs, run as a worker: every call ends well, with one empty message.
import { createServer } from 'node:http2';
import { parentPort, workerData } from 'node:worker_threads';

const server = createServer();
server.on('stream', (stream) => {
  stream.on('error', () => {});
  stream.resume();
  stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
  stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
  stream.end(Buffer.alloc(5));
});
server.listen(workerData, () => parentPort.postMessage('ready'));
