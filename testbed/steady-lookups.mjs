// Asks 127.0.0.11 for a name every 20 ms, each eighth time over TCP, each from a socket of its own, until its input ends. Prints
// how many were answered and refused, how many waited for more than 4 s, and the longest wait in milliseconds.
//   node steady-lookups.mjs NAME
import { createSocket } from 'node:dgram';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

const LIMIT_MS = 4_000;
const label = Buffer.from(process.argv[2] ?? '');
const query = Buffer.concat([
  Buffer.from('000101000001000000000000', 'hex'),
  Buffer.from([label.length]),
  label,
  Buffer.from('0000010001', 'hex'),
]);
const count = { answered: 0, refused: 0, late: 0, longestMs: 0 };

function overUdp(settle) {
  const socket = createSocket('udp4');
  socket.on('message', (bytes) => settle((bytes[3] & 15) === 0 && bytes.readUInt16BE(6) > 0 ? 'answered' : 'refused'));
  socket.on('error', () => settle('refused'));
  socket.connect(53, '127.0.0.11', () => socket.send(query));
  return () => socket.close();
}

function overTcp(settle) {
  const socket = connect({ host: '127.0.0.11', port: 53 });
  const length = Buffer.alloc(2);
  length.writeUInt16BE(query.length);
  socket.on('data', () => settle('answered'));
  socket.on('error', () => settle('refused'));
  socket.on('close', () => settle('refused'));
  socket.write(Buffer.concat([length, query]));
  return () => socket.destroy();
}

async function ask(transport) {
  const begun = performance.now();
  let close = () => {};
  const result = await new Promise((resolve) => {
    close = transport(resolve);
    setTimeout(resolve, LIMIT_MS, 'late').unref();
  });
  close();
  count[result] += 1;
  count.longestMs = Math.max(count.longestMs, Math.round(performance.now() - begun));
}

let isOver = false;
process.stdin.resume().on('end', () => {
  isOver = true;
});
const asked = [];
for (let turn = 0; !isOver; turn += 1) {
  asked.push(ask(turn % 8 ? overUdp : overTcp));
  await sleep(20);
}
await Promise.all(asked);
console.log(JSON.stringify(count));
