// A DNS server that knows every name of `.test`, for tests in network namespaces: `node fake-name-server.mjs ADDRESS…`.
// `big.test` is too long for UDP, `none.test` does not exist, `silent.test` gets no answer. It prints a line for each query:
// the address it was asked at, that of the client, the transport and the name.
import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';

const RECORD = Buffer.from('c00c00010001000000050004', 'hex');

function answer(query, transport) {
  const labels = [];
  let at = 12;
  for (; query[at] > 0; at += query[at] + 1) labels.push(query.toString('latin1', at + 1, at + 1 + query[at]));
  const type = query.readUInt16BE(at + 1);
  const name = labels.join('.').toLowerCase();
  const head = Buffer.from(query.subarray(0, at + 5));
  const isCut = name === 'big.test' && transport === 'udp';
  const count = type !== 1 || name === 'none.test' || isCut ? 0 : name === 'big.test' ? 100 : 1;
  head.writeUInt16BE(0x8180 | (isCut ? 0x0200 : 0) | (name === 'none.test' ? 3 : 0), 2);
  head.writeUInt16BE(count, 6);
  head.writeUInt16BE(0, 10);
  const records = Array.from({ length: count }, (_, index) => Buffer.concat([RECORD, Buffer.from([9, 9, 9, index])]));
  return { name, reply: name === 'silent.test' ? undefined : Buffer.concat([head, ...records]) };
}

for (const address of process.argv.slice(2)) {
  const tell = (...words) => process.stdout.write(`${[address, ...words].join(' ')}\n`);
  const socket = createSocket('udp4');
  socket.on('message', (query, client) => {
    const { name, reply } = answer(query, 'udp');
    tell(client.address, 'udp', name);
    if (reply) socket.send(reply, client.port, client.address);
  });
  socket.bind(53, address, () => tell('listens'));
  createServer((client) => {
    client.on('error', () => client.destroy());
    client.on('data', (bytes) => {
      const { name, reply } = answer(bytes.subarray(2), 'tcp');
      tell(client.remoteAddress, 'tcp', name);
      if (!reply) return;
      client.write(Buffer.concat([Buffer.from([reply.length >> 8, reply.length & 0xff]), reply]));
    });
  }).listen(53, address);
}
