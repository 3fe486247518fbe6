// The cost of reading the response of an HTTP check, with the reader of src/probe and with `node:http` on a socket of
// ours.
//   node --import tsx bench/http-reader.ts [--rounds 30] [--exchanges 500]
// Needs nothing. The server is another process; the printed CPU time is that of this one. The rounds alternate, so that
// other load affects both alike. Then it shows how each of them treats responses that no good server sends.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { request } from 'node:http';
import { createConnection, createServer, type Socket } from 'node:net';
import { parseArgs } from 'node:util';
import { createBoundedOutput } from '../src/probe/bounded-output.ts';
import { createHttpResponseReader } from '../src/probe/http-response.ts';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '30' },
    exchanges: { type: 'string', default: '500' },
    serve: { type: 'boolean', default: false },
  },
});
const OK = 'HTTP/1.1 200 OK\r\n';
const GOOD = `${OK}Content-Type: text/plain\r\nServer: bench\r\nContent-Length: 3\r\nConnection: close\r\n\r\nup\n`;
const HEADERS = { Host: 'localhost', 'User-Agent': 'healthctl', Accept: '*/*', Connection: 'close' };
const REQUEST = `GET / HTTP/1.1\r\n${Object.entries(HEADERS)
  .map(([name, value]) => `${name}: ${value}\r\n`)
  .join('')}\r\n`;
/** A response without an end is read up to here. */
const MAX_BYTES = 64 * 1024;

type Read = (socket: Socket) => Promise<string>;

const ours: Read = (socket) =>
  new Promise((resolve) => {
    const reader = createHttpResponseReader();
    const look = (): void => {
      const state = reader.state();
      if (state.kind === 'reading') return;
      socket.destroy();
      resolve(state.kind === 'done' ? reader.text() : `refused: ${state.reason}`);
    };
    const end = (): void => {
      reader.end();
      look();
    };
    socket.on('data', (bytes: Buffer) => {
      reader.feed(bytes);
      look();
    });
    socket.once('end', end);
    socket.once('close', end);
    socket.on('error', (error) => resolve(`refused: ${error.message}`));
    socket.write(REQUEST);
  });

const nodes: Read = (socket) =>
  new Promise((resolve) => {
    const exchange = request({ createConnection: () => socket, path: '/', headers: HEADERS });
    exchange.once('response', (response) => {
      const body = createBoundedOutput();
      let bytesTaken = 0;
      const text = (): string => `HTTP ${response.statusCode} ${response.statusMessage}: ${body.text()}`;
      response.on('data', (bytes: Buffer) => {
        body.add(bytes);
        bytesTaken += bytes.length;
        if (bytesTaken < MAX_BYTES) return;
        socket.destroy();
        resolve(text());
      });
      response.once('end', () => {
        socket.destroy();
        resolve(text());
      });
      response.once('error', (error) => resolve(`refused: ${error.message}`));
    });
    exchange.on('error', (error) => resolve(`refused: ${error.message}`));
    exchange.end();
  });

const WAYS = { ours, 'node:http': nodes } as const;

async function cpuOfExchange(read: Read, port: number, exchanges: number): Promise<number> {
  const before = process.cpuUsage();
  for (let i = 0; i < exchanges; i += 1) {
    const text = await read(createConnection(port, '127.0.0.1'));
    if (!text.startsWith('HTTP 200 OK')) throw new Error(text);
  }
  const { user, system } = process.cpuUsage(before);
  return (user + system) / exchanges / 1000;
}

const median = (numbers: readonly number[]): number => numbers.toSorted((a, b) => a - b)[numbers.length >> 1] ?? 0;

async function measure(port: number): Promise<void> {
  const [rounds, exchanges] = [Number(values.rounds), Number(values.exchanges)];
  const [own, other, more]: [number[], number[], number[]] = [[], [], []];
  for (let round = -3; round < rounds; round += 1) {
    const a = await cpuOfExchange(ours, port, exchanges);
    const b = await cpuOfExchange(nodes, port, exchanges);
    if (round < 0) continue; // a warm-up round
    own.push(a);
    other.push(b);
    more.push(b - a);
  }
  const shown = (ms: readonly number[]): string =>
    `${median(ms).toFixed(3)} ms (${Math.min(...ms).toFixed(3)} to ${Math.max(...ms).toFixed(3)})`;
  console.log(`CPU time of an exchange, median of ${rounds} rounds of ${exchanges} (smallest to largest)`);
  console.log(`  ours       ${shown(own)}\n  node:http  ${shown(other)}\n  difference ${shown(more)}`);
}

/** Responses that no good server sends, followed by silence. */
const HOSTILE: Readonly<Record<string, string>> = {
  'bare line feeds': 'HTTP/1.1 200 OK\nContent-Length: 3\n\nup\n',
  'two lengths': `${OK}Content-Length: 3\r\nContent-Length: 4\r\n\r\nup\n`,
  'a head of 20 KiB': `${OK}${'x: y\r\n'.repeat(3400)}\r\n`,
  '1xx responses of 1 MiB, no other': `HTTP/1.1 103 Early Hints\r\nLink: ${'x'.repeat(970)}\r\n\r\n`.repeat(1024),
  'chunks of a byte, extensions of 1 MiB': `${OK}Transfer-Encoding: chunked\r\n\r\n${`1;${'x'.repeat(900)}\r\ny\r\n`.repeat(1160)}`,
  'another protocol': 'SSH-2.0-OpenSSH_9.2\r\n',
  'an alert of TLS': '\x15\x03\x01\0\x02\x02F',
  'HTTP/2': '\0\0\0\x04\0\0\0\0\0',
};

async function compare(): Promise<void> {
  console.log('\nHow each treats it, within half a second');
  for (const [name, text] of Object.entries(HOSTILE)) {
    console.log(`  ${name}`);
    for (const [way, read] of Object.entries(WAYS)) {
      const server = createServer((peer) => {
        peer.on('error', () => {}); // the reader may close early
        peer.write(text, 'latin1');
      }).listen(0, '127.0.0.1');
      await once(server, 'listening');
      const address = server.address();
      if (typeof address !== 'object' || address === null) throw new Error('no port');
      const socket = createConnection(address.port, '127.0.0.1');
      const tooLong = new Promise<string>((resolve) => setTimeout(() => resolve('reads on'), 500));
      const verdict = await Promise.race([read(socket), tooLong]);
      console.log(
        `    ${way.padEnd(10)} ${verdict.slice(0, 90).replaceAll('\n', ' ')}; ${socket.bytesRead} bytes read`,
      );
      socket.destroy();
      server.close();
    }
  }
}

if (values.serve) {
  const server = createServer((peer) => {
    peer.on('error', () => {}); // the client may close early
    peer.once('data', () => peer.end(GOOD));
  }).listen(0, '127.0.0.1', () => {
    const address = server.address();
    if (typeof address === 'object' && address !== null) process.send?.(address.port);
  });
  process.once('disconnect', () => process.exit());
} else {
  const child = spawn(process.execPath, [...process.execArgv, import.meta.filename, '--serve'], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const [port]: unknown[] = await once(child, 'message');
  await measure(Number(port));
  await compare();
  child.disconnect();
}
