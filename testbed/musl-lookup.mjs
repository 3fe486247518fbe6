// Looks a name up as musl's resolver does: asks all servers of /etc/resolv.conf at the same time from one socket, again after
// half of five seconds, and takes the first answer. Prints the address.
//   node musl-lookup.mjs NAME
import { createSocket } from 'node:dgram';
import { readFileSync } from 'node:fs';

const servers = [...readFileSync('/etc/resolv.conf', 'latin1').matchAll(/^nameserver (\S+)$/gm)].map(
  ([, server]) => server,
);
const labels = (process.argv[2] ?? '').split('.');
const name = labels.map((label) => Buffer.concat([Buffer.from([label.length]), Buffer.from(label)]));
const query = Buffer.concat([
  Buffer.from('000101000001000000000000', 'hex'),
  ...name,
  Buffer.from('0000010001', 'hex'),
]);
const socket = createSocket('udp4');
// Not connected: it is not told that nobody listens.
socket.on('message', (bytes) => {
  const isFinal = (bytes[3] & 15) === 0 || (bytes[3] & 15) === 3;
  if (!isFinal) return;
  console.log([...bytes.subarray(-4)].join('.'));
  process.exit();
});
function send() {
  for (const server of servers) socket.send(query, 53, server);
}
send();
setTimeout(send, 2_500);
setTimeout(() => process.exit(1), 5_000);
