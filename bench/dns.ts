// The cost of a lookup of a service's name at 127.0.0.11, in a network namespace: a client in a process of its own asks at a
// steady rate, then as fast as it gets answers.
//   node --import tsx bench/dns.ts [--seconds 10] [--rate 1000] [--at-once 16]
// Needs root and busybox. Prints lookups per second, their times, and CPU time of the server per lookup.
import { createSocket } from 'node:dgram';
import { loadavg } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { createAnswerer } from '../src/dns/answer.ts';
import { openListener } from '../src/dns/listener.ts';
import { processOfRun } from '../src/health/state.ts';
import { systemClock as clock } from '../src/lib/clock.ts';
import { openNetworkNamespace } from '../src/system/netns.ts';
import { startNetworkServers } from '../testbed/network-servers.ts';
import { mustRun } from '../testbed/program.ts';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '10' },
    rate: { type: 'string', default: '1000' },
    'at-once': { type: 'string', default: '16' },
    client: { type: 'boolean', default: false },
  },
});
const [seconds, rate, atOnce] = [values.seconds, values.rate, values['at-once']].map(Number) as [
  number,
  number,
  number,
];

/** The time of each lookup, in milliseconds. */
interface Times {
  readonly sent: number;
  readonly paced: readonly number[];
  readonly fast: readonly number[];
}

/** Asks from sockets in turn; the id tells which lookup an answer belongs to. */
async function ask(): Promise<Times> {
  const socket = createSocket('udp4');
  const query = Buffer.from('000001000001000000000000037765620000010001', 'hex');
  const begun = new Map<number, number>();
  let times: number[] = [];
  let onAnswer: () => void = () => {};
  socket.on('message', (bytes) => {
    times.push(performance.now() - (begun.get(bytes.readUInt16BE(0)) ?? Number.NaN));
    onAnswer();
  });
  await new Promise<void>((resolve) => socket.connect(53, '127.0.0.11', resolve));
  let id = 0;
  const send = (): void => {
    id = (id + 1) % 65_536;
    const message = Buffer.from(query);
    message.writeUInt16BE(id, 0);
    begun.set(id, performance.now());
    socket.send(message);
  };
  for (let index = 0; index < 2_000; index += 1) {
    send(); // a warm-up
    await clock.sleep(1);
  }
  times = [];
  let sent = 0;
  const endAt = performance.now() + seconds * 1_000;
  for (let at = performance.now(); performance.now() < endAt; await clock.sleep(1))
    for (; sent < ((performance.now() - at) * rate) / 1_000; sent += 1) send();
  await clock.sleep(500);
  const paced = times;
  times = [];
  onAnswer = () => performance.now() < endAt + seconds * 1_000 + 500 && send();
  for (let index = 0; index < atOnce; index += 1) send();
  await clock.sleep(seconds * 1_000 + 500);
  socket.close();
  return { sent, paced, fast: times };
}

function textOf(times: readonly number[], seconds: number): string {
  const sorted = times.toSorted((a, b) => a - b);
  const at = (part: number) => (sorted[Math.floor(sorted.length * part)] ?? Number.NaN).toFixed(2);
  return `${String(Math.round(times.length / seconds)).padStart(6)} lookups/s   p50 ${at(0.5)} ms   p99 ${at(0.99)} ms`;
}

async function serve(): Promise<void> {
  await using servers = await startNetworkServers();
  const main = processOfRun(servers.runId);
  const namespace = main && openNetworkNamespace(main);
  if (!namespace) throw new Error('the servers are gone');
  const addresses = new Map([['web', { v4: ['10.0.0.2', '10.0.0.3', '10.0.0.4'], v6: [] }]]);
  for (let index = 0; index < 500; index += 1) addresses.set(`c${index}`, { v4: ['10.0.0.9'], v6: [] });
  const zone = { networks: [{ network: 'app', addresses, owners: new Map<string, string>() }], links: new Map() };
  const answerer = createAnswerer({ zone: () => zone, servers: () => [], forwarder: { ask: async () => undefined } });
  const onFault = (error: unknown) => console.error(error);
  const listener = openListener(namespace, { answerer, rate: { admit: () => true }, clock, onFault });
  namespace.close();
  const cpu = process.cpuUsage();
  const self = [process.execPath, '--import', 'tsx', fileURLToPath(import.meta.url)];
  const flags = ['--client', '--seconds', `${seconds}`, '--rate', `${rate}`, '--at-once', `${atOnce}`];
  const output = await mustRun(['nsenter', `--net=/proc/${main.pid}/ns/net`, ...self, ...flags], {
    env: process.env as Record<string, string>,
  });
  const { user, system } = process.cpuUsage(cpu);
  listener.close();
  const { sent, paced, fast } = JSON.parse(output) as Times;
  console.log(`load average ${loadavg()[0]?.toFixed(1)}`);
  console.log(`${`${rate} a second`.padEnd(20)} ${textOf(paced, seconds)}   ${paced.length} of ${sent} answered`);
  console.log(`${`${atOnce} at once`.padEnd(20)} ${textOf(fast, seconds)}`);
  console.log(`CPU per lookup       ${((user + system) / (2_000 + paced.length + fast.length)).toFixed(1)} µs`);
}

if (values.client) console.log(JSON.stringify(await ask()));
else await serve();
