// A session of dockerode, in its own words: what it sees goes to stdout. Played by test/long/clients.test.ts.
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import Docker from 'dockerode';

const docker = new Docker();
const say = (title, ...values) => console.log([title, ...values.map((value) => JSON.stringify(value))].join(' '));

/** Resolves when an event with this action comes. */
function follow(stream) {
  const seen = [];
  const waiting = [];
  let rest = '';
  stream.setEncoding('utf8').on('data', (chunk) => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop();
    seen.push(...lines.filter(Boolean).map((line) => JSON.parse(line)));
    for (const check of waiting) check();
  });
  const until = (action) =>
    new Promise((resolve) => {
      const check = () => {
        const event = seen.find((one) => one.Action === action);
        if (event) resolve(event);
      };
      waiting.push(check);
      check();
    });
  return { until, stop: () => stream.destroy() };
}

const filters = { type: ['container'], label: ['made=dockerode'] };
const events = follow(await docker.getEvents({ filters }));
const network = await docker.createNetwork({ Name: 'dockerode', Labels: { made: 'dockerode' } });
const container = await docker.createContainer({
  name: 'dockerode-web',
  Image: 'clients:1',
  Labels: { made: 'dockerode' },
  ExposedPorts: { '80/tcp': {} },
  Healthcheck: { Test: ['CMD-SHELL', 'test ! -e /tmp/bad'], Interval: 500e6, Retries: 1 },
  HostConfig: { PortBindings: { '80/tcp': [{ HostIp: '127.0.0.1', HostPort: '' }] }, NetworkMode: 'dockerode' },
  NetworkingConfig: { EndpointsConfig: { dockerode: { Aliases: ['api'] } } },
});
await container.start();
const healthy = await events.until('health_status: healthy');
say('event', healthy.status, healthy.Actor.Attributes.name, healthy.Actor.Attributes.made);
const { State, NetworkSettings } = await container.inspect();
say('health', State.Health.Status, State.Health.Log[0].ExitCode);
const [{ HostPort }] = NetworkSettings.Ports['80/tcp'];
say('port', await (await fetch(`http://127.0.0.1:${HostPort}/`)).text().then((body) => body.trim()));

/** Runs a command in the container. */
async function exec(Cmd, options = {}) {
  const made = await container.exec({ Cmd, AttachStdout: true, AttachStderr: true, AttachStdin: 'stdin' in options });
  const stream = await made.start(options.hijack ? { hijack: true, stdin: true } : {});
  const [out, err] = [new PassThrough(), new PassThrough()];
  docker.modem.demuxStream(stream, out, err);
  stream.on('end', () => [out, err].forEach((side) => void side.end()));
  if (options.stdin !== undefined) stream.end(options.stdin);
  const said = await Promise.all([text(out), text(err)]);
  return [...said, (await made.inspect()).ExitCode];
}
say('exec', await exec(['sh', '-c', 'echo out; echo err >&2; exit 3']));
say('exec with input', await exec(['cat'], { hijack: true, stdin: 'some input' }));

const ran = new PassThrough();
const output = text(ran);
const [result, once] = await docker.run('clients:1', ['wget', '-q', '-O', '-', 'http://api/'], ran, {
  Tty: true,
  HostConfig: { NetworkMode: 'dockerode' },
});
ran.end();
say('run in the network', result.StatusCode, (await output).trim());
await once.remove();

const archive = await container.getArchive({ path: '/etc/passwd' });
let bytes = Buffer.alloc(0);
for await (const chunk of archive) bytes = Buffer.concat([bytes, chunk]);
say('archive', bytes.subarray(0, 6).toString(), bytes.includes('root:x:0:0'));
await container.putArchive(bytes, { path: '/tmp' });
say('copied', (await exec(['grep', '-c', '^root:', '/tmp/passwd']))[0].trim());

say('top', (await container.top()).Titles.includes('CMD'));
say('stats', (await container.stats({ stream: false })).pids_stats.current > 0);
await exec(['touch', '/tmp/bad']);
await events.until('health_status: unhealthy');
const unhealthy = await docker.listContainers({ filters: { health: ['unhealthy'], label: ['made=dockerode'] } });
say(
  'listed',
  unhealthy.map(({ Names, Status }) => [Names, Status.replace(/^Up .*\(/, '(')]),
);

const other = await docker.createNetwork({ Name: 'dockerode-2' });
await other.connect({ Container: container.id, EndpointConfig: { Aliases: ['second'] } });
say('networks', Object.keys((await container.inspect()).NetworkSettings.Networks).sort());
await other.disconnect({ Container: container.id });
await other.remove();

const talker = await docker.createContainer({
  Image: 'clients:1',
  Cmd: ['sh', '-c', 'for n in 1 2 3; do echo line $n; sleep 0.2; done; echo end >&2; exit 5'],
});
const [stdout, stderr] = [new PassThrough(), new PassThrough()];
await talker.start();
const logs = await talker.logs({ follow: true, stdout: true, stderr: true });
docker.modem.demuxStream(logs, stdout, stderr);
logs.on('end', () => [stdout, stderr].forEach((side) => void side.end()));
say('logs', await text(stdout), await text(stderr));
say('wait', (await talker.wait()).StatusCode);
await talker.remove();

await container.stop({ t: 0 });
const died = await events.until('die');
say('died', died.Actor.Attributes.exitCode);
await container.remove();
await events.until('destroy');
events.stop();
await network.remove();
const missing = await docker
  .getContainer('dockerode-web')
  .inspect()
  .catch((error) => [error.statusCode, error.json.message]);
say('missing', missing);
