// A session of testcontainers for Node.js: what it sees goes to stdout. Played by test/long/clients.test.ts.
import { text } from 'node:stream/consumers';
import { GenericContainer, Network, Wait } from 'testcontainers';

const say = (title, ...values) => console.log([title, ...values.map((value) => JSON.stringify(value))].join(' '));

const network = await new Network().start();
const web = await new GenericContainer('clients:1')
  .withExposedPorts(80)
  .withNetwork(network)
  .withNetworkAliases('api')
  .withLabels({ made: 'testcontainers' })
  .withEnvironment({ COLOUR: 'blue' })
  .withCopyContentToContainer([{ content: 'copied', target: '/www/copied' }])
  .withHealthCheck({ test: ['CMD-SHELL', 'test ! -e /tmp/bad'], interval: 500, retries: 2 })
  .withWaitStrategy(Wait.forHealthCheck())
  .start();
const get = async (path) => (await fetch(`http://${web.getHost()}:${web.getMappedPort(80)}${path}`)).text();
say('healthy', await get('/'), await get('/copied'));
const { output, stdout, stderr, exitCode } = await web.exec(['sh', '-c', 'echo $COLOUR; echo err >&2; exit 4']);
say('exec', output.includes('blue'), stdout, stderr, exitCode);

const client = await new GenericContainer('clients:1')
  .withCommand(['sh', '-c', 'echo started; sleep 1; echo ready; sleep 100'])
  .withNetwork(network)
  .withWaitStrategy(Wait.forLogMessage('ready'))
  .start();
say('network', (await client.exec(['wget', '-q', '-O', '-', 'http://api/'])).output);
const logs = await client.logs();
setTimeout(() => logs.destroy(), 1000);
let lines = '';
logs.on('data', (line) => {
  lines += line;
});
await new Promise((resolve) => logs.once('close', resolve));
say('logs', lines);

const http = await new GenericContainer('clients:1')
  .withExposedPorts(80)
  .withWaitStrategy(Wait.forAll([Wait.forHttp('/', 80), Wait.forListeningPorts()]))
  .start();
say('http and ports');
await http.restart();
say('restarted', (await fetch(`http://${http.getHost()}:${http.getMappedPort(80)}/`)).status);
say('archive', (await text(await web.copyArchiveFromContainer('/etc/passwd'))).includes('root:x:0:0'));

const sick = await new GenericContainer('clients:1')
  .withHealthCheck({ test: ['CMD', 'false'], interval: 200, retries: 1 })
  .withWaitStrategy(Wait.forHealthCheck())
  .withStartupTimeout(20_000)
  .start()
  .catch((error) => error.message.replace(/[0-9a-f]{64}/, 'ID'));
say('unhealthy', sick);
await Promise.all([web, client, http].map((one) => one.stop()));
await network.stop();
say('stopped');
