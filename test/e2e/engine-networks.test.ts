import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type EngineBed, startEngine } from './support/engine.ts';
import { type Bed, openBed, until } from './support/harness.ts';
import { type NetworkHost, openNetworkHost } from './support/network-host.ts';

let bed: Bed;
let host: NetworkHost;
let engine: EngineBed;
let image: string;
beforeAll(async () => {
  bed = await openBed(['network = "bridge"']);
  host = await openNetworkHost(bed);
  image = await bed.image();
  engine = await startEngine(bed, [], (args) => host.spawn(...args));
});
afterAll(async () => {
  await bed[Symbol.asyncDispose]();
  await host[Symbol.asyncDispose]();
});

const filters = (value: unknown) => encodeURIComponent(JSON.stringify(value));
const namesOf = (list: unknown) => (list as { readonly Name: string }[]).map(({ Name }) => Name);

test('networks are created, listed, shown and removed', async () => {
  const live = await engine.open('GET', `/events?filters=${filters({ type: { network: true } })}`);
  let said = '';
  live.setEncoding('utf8').on('data', (more: string) => {
    said += more;
  });
  const body = {
    ...{ Name: 'app', Labels: { a: 'b' }, Options: { x: 'y' }, Attachable: true, EnableIPv4: true, EnableIPv6: false },
    IPAM: { Driver: 'default', Config: [{ Subnet: '10.97.1.0/24', Gateway: '10.97.1.1' }], Options: {} },
  };
  const { status, json } = await engine.ask('POST', '/networks/create', body);
  const { Id: id, Warning } = json as { Id: string; Warning: string };
  expect([status, id, Warning]).toEqual([201, expect.stringMatching(/^[0-9a-f]{64}$/), 'without effect: x=y']);
  for (const name of ['app', id, id.slice(0, 12)])
    expect((await engine.ask('GET', `/v1.51/networks/${name}`)).json).toMatchObject({
      ...{
        Name: 'app',
        Id: id,
        Driver: 'bridge',
        Scope: 'local',
        Attachable: true,
        Internal: false,
        Labels: { a: 'b' },
      },
      ...{ IPAM: { Config: [{ Subnet: '10.97.1.0/24', Gateway: '10.97.1.1' }] }, Containers: {} },
      Options: { x: 'y' },
    });
  expect(namesOf((await engine.ask('GET', '/networks')).json)).toEqual(['app', 'bridge', 'host', 'none']);
  const builtIn = await engine.ask('GET', `/networks/?filters=${filters({ type: ['builtin'], driver: ['bridge'] })}`);
  expect(builtIn.json).toEqual([
    expect.objectContaining({ Name: 'bridge', IPAM: expect.objectContaining({ Config: [expect.anything()] }) }),
  ]);
  expect(namesOf((await engine.ask('GET', `/networks?filters=${filters({ label: { 'a=b': true } })}`)).json)).toEqual([
    'app',
  ]);
  expect((await engine.ask('DELETE', '/networks/app')).status).toBe(204);
  await engine.ask('POST', '/networks/create', { Name: 'gone' });
  expect((await engine.ask('POST', '/networks/prune')).json).toEqual({ NetworksDeleted: ['gone'] });
  expect((await engine.ask('POST', '/networks/prune')).json).toEqual({ NetworksDeleted: null });
  const lines = () =>
    said
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
      .map(({ Action, Actor: { Attributes } }) => `${Action} ${Attributes.name} ${Attributes.type}`);
  await until(() => lines().length === 4);
  expect(lines()).toEqual(['create app bridge', 'destroy app bridge', 'create gone bridge', 'destroy gone bridge']);
  live.destroy();
});

describe('refusals have statuses and texts of Docker', () => {
  beforeAll(async () => {
    await engine.ask('POST', '/networks/create', { Name: 'taken', IPAM: { Config: [{ Subnet: '10.97.2.0/24' }] } });
  });
  const config = (over: Record<string, string>) => ({ Name: 'x', IPAM: { Config: [over] } });
  test.each<[string, unknown, number, string]>([
    ['/networks/create', { Name: 'taken' }, 409, 'network with name taken already exists'],
    ['/networks/create', {}, 400, 'invalid name: name is empty'],
    ['/networks/create', { Name: 'bridge' }, 403, 'operation is not permitted on predefined bridge network '],
    ['/networks/create', { Name: 'x', Driver: 'nosuch' }, 404, 'plugin "nosuch" not found'],
    ['/networks/create', { Name: 'x', Driver: 'host' }, 403, 'only one instance of "host" network is allowed'],
    [
      '/networks/create',
      config({ Subnet: '10.97.2.0/25' }),
      403,
      'invalid pool request: Pool overlaps with other one on this address space',
    ],
    [
      '/networks/create',
      config({ Subnet: '10.97.2' }),
      400,
      'invalid network config:\ninvalid subnet 10.97.2: invalid CIDR block notation',
    ],
    [
      '/networks/create',
      config({ Subnet: '10.97.3.0/24', Gateway: '10.98.0.1', IPRange: '10.97.3.0/16' }),
      400,
      "invalid network config:\n* invalid ip-range 10.97.3.0/16: CIDR block is bigger than its parent subnet 10.97.3.0/24\n* invalid gateway 10.98.0.1: parent subnet 10.97.3.0/24 doesn't contain this address",
    ],
    [
      '/networks/create',
      config({ Subnet: '10.97.3.1/24' }),
      400,
      'invalid network config:\ninvalid subnet 10.97.3.1/24: it should be 10.97.3.0/24',
    ],
    [
      '/networks/create',
      { Name: 3 },
      400,
      'invalid JSON: json: cannot unmarshal number into Go struct field CreateRequest.Name of type string',
    ],
    ['/networks/taken/connect', {}, 400, 'invalid name or ID supplied: ""'],
    ['/networks/taken/connect', { Container: 'nosuch' }, 404, 'No such container: nosuch'],
    ['/networks/taken/disconnect', { Container: 'nosuch', Force: true }, 404, 'endpoint nosuch not found'],
  ])('POST %s %j: %i', async (path, body, status, message) => {
    expect(await engine.ask('POST', path, body)).toMatchObject({ status, json: { message } });
  });

  test.each([
    ['GET', '/networks/nosuch', 404, 'network nosuch not found'],
    ['GET', '/networks/taken?scope=swarm', 404, 'network taken not found'],
    [
      'GET',
      '/networks/taken?verbose=x',
      400,
      'invalid value for verbose: x: strconv.ParseBool: parsing "x": invalid syntax',
    ],
    ['GET', `/networks?filters=${filters({ nosuch: ['1'] })}`, 400, "invalid filter 'nosuch'"],
    ['POST', `/networks/prune?filters=${filters({ name: ['1'] })}`, 400, "invalid filter 'name'"],
    ['DELETE', '/networks/nosuch', 404, 'network nosuch not found'],
    ['DELETE', '/networks/none', 403, 'none is a pre-defined network and cannot be removed'],
  ])('%s %s: %i', async (method, path, status, message) => {
    expect(await engine.ask(method, path)).toMatchObject({ status, json: { message } });
  });
});

test('options of an interface', async () => {
  await engine.ask('POST', '/networks/create', { Name: 'optional' });
  const DriverOpts = {
    'com.docker.network.endpoint.ifname': 'wan0',
    'com.docker.network.endpoint.sysctls': 'net.ipv4.conf.IFNAME.log_martians=1',
  };
  const body = {
    Image: image,
    Cmd: ['sleep', '600'],
    NetworkingConfig: { EndpointsConfig: { optional: { DriverOpts } } },
  };
  const { json } = await engine.ask('POST', '/containers/create', body);
  const { Id: id } = json as { Id: string };
  expect((await engine.ask('POST', `/containers/${id}/start`)).status).toBe(204);
  // A container with networks of its own is not on the default one.
  expect(await host.ok('exec', id, 'ls', '/sys/class/net')).toBe('lo\nwan0');
  expect(await host.ok('exec', id, 'cat', '/proc/sys/net/ipv4/conf/wan0/log_martians')).toBe('1');
  const wrong = { 'com.docker.network.endpoint.sysctls': 'net.core.somaxconn=1' };
  const refused = { Container: id, EndpointConfig: { DriverOpts: wrong } };
  expect(await engine.ask('POST', '/networks/bridge/connect', refused)).toMatchObject({
    status: 400,
    json: { message: expect.stringContaining("unrecognised network interface sysctl 'net.core.somaxconn=1'") },
  });
  await host.ok('rm', '-f', id);
});

test('a container without IPv6 on a network that has it, and a hardware address that was asked for', async () => {
  await engine.ask('POST', '/networks/create', { Name: 'dual', EnableIPv6: true });
  const create = async (over: Record<string, unknown>) => {
    const body = { Image: image, Cmd: ['sleep', '600'], ...over };
    const { json } = await engine.ask('POST', '/containers/create', body);
    const { Id: id } = json as { Id: string };
    expect((await engine.ask('POST', `/containers/${id}/start`)).status).toBe(204);
    return id;
  };
  const EndpointsConfig = { dual: { MacAddress: '02:42:0a:00:00:07' } };
  const Sysctls = { 'net.ipv6.conf.all.disable_ipv6': '1' };
  const plain = await create({ HostConfig: { NetworkMode: 'dual', Sysctls } });
  const both = await create({ HostConfig: { NetworkMode: 'dual' }, NetworkingConfig: { EndpointsConfig } });
  expect(await host.ok('exec', plain, 'ip', 'address')).not.toContain('inet6');
  expect(await host.ok('exec', both, 'ip', 'address', 'show', 'eth0')).toContain('inet6 fd');
  expect(JSON.parse(await host.ok('inspect', '-f', '{{json .Config}}', both))).toMatchObject({
    MacAddress: '02:42:0a:00:00:07',
  });
  await host.ok('rm', '-f', plain, both);
});

test('a start whose network cannot be set up fails in the words of Docker', async () => {
  const create = async (over: Record<string, unknown>) => {
    const { json } = await engine.ask('POST', '/containers/create', { Image: image, Cmd: ['sleep', '600'], ...over });
    return (json as { Id: string }).Id;
  };
  const first = await create({
    ExposedPorts: { '80/tcp': {} },
    HostConfig: { PortBindings: { '80/tcp': [{ HostPort: '8093' }], '81/tcp': [{ HostPort: '8094' }] } },
  });
  expect((await engine.ask('POST', `/containers/${first}/start`)).status).toBe(204);
  // What is not exposed is not published.
  expect(await host.ok('port', first)).toBe('80/tcp -> 0.0.0.0:8093');
  const second = await create({
    ExposedPorts: { '80/tcp': {} },
    HostConfig: { PortBindings: { '80/tcp': [{ HostPort: '8093' }] } },
  });
  expect(await engine.ask('POST', `/containers/${second}/start`)).toMatchObject({
    status: 500,
    json: {
      message: expect.stringMatching(
        /^failed to set up container networking: driver failed programming external connectivity on endpoint \S+ \([0-9a-f]{64}\): Bind for 0\.0\.0\.0:8093 failed: port is already allocated$/,
      ),
    },
  });
  const nowhere = await create({ HostConfig: { NetworkMode: 'nowhere' } });
  expect(await engine.ask('POST', `/containers/${nowhere}/start`)).toMatchObject({
    status: 404,
    json: { message: 'failed to set up container networking: network nowhere not found' },
  });
  await engine.ask('POST', '/networks/create', { Name: 'held', IPAM: { Config: [{ Subnet: '10.97.9.0/24' }] } });
  const EndpointsConfig = { held: { IPAMConfig: { IPv4Address: '10.97.9.7' } } };
  const [one, two] = [
    await create({ NetworkingConfig: { EndpointsConfig } }),
    await create({ NetworkingConfig: { EndpointsConfig } }),
  ];
  expect((await engine.ask('POST', `/containers/${one}/start`)).status).toBe(204);
  expect(await engine.ask('POST', `/containers/${two}/start`)).toMatchObject({
    status: 403,
    json: { message: 'failed to set up container networking: Address already in use' },
  });
  await host.ok('rm', '-f', first, second, nowhere, one, two);
});

test('a link on the default network follows its container, which has a further name', async () => {
  const run = async (name: string, HostConfig: object) => {
    const body = { Image: image, Cmd: ['sleep', '600'], HostConfig };
    const { Id: id } = (await engine.ask('POST', `/containers/create?name=${name}`, body)).json as { Id: string };
    expect((await engine.ask('POST', `/containers/${id}/start`)).status).toBe(204);
    return id;
  };
  const id = await run('db', {});
  await run('web', { Links: ['db:data'] });
  await engine.ask('POST', '/containers/db/rename?name=store');
  const web = (await engine.ask('GET', '/containers/web/json')).json;
  expect(web).toMatchObject({
    HostConfig: { Links: ['/store:/web/data'] },
    NetworkSettings: { Networks: { bridge: { Links: null } } },
  });
  expect((await engine.ask('GET', '/containers/web/data/json')).json).toMatchObject({ Id: id, Name: '/store' });
  const listed = (await engine.ask('GET', `/containers/json?filters=${filters({ name: ['store'] })}`)).json;
  expect(listed).toMatchObject([{ Names: ['/store', '/web/data'] }]);
  await host.ok('restart', '-t', '0', 'web');
  expect(await host.ok('exec', 'web', 'cat', '/etc/hosts')).toContain('\tdata ');
  // What a client makes from the document has the same link.
  await run('again', { Links: ['/store:/web/data'] });
  expect(await host.ok('exec', 'again', 'cat', '/etc/hosts')).toContain('\tdata ');
  await host.ok('rm', '-f', 'store');
  expect((await engine.ask('GET', '/containers/web/json')).json).toMatchObject({ HostConfig: { Links: [] } });
  await host.ok('rm', '-f', 'web', 'again');
});

test('containers are connected and disconnected', async () => {
  await engine.ask('POST', '/networks/create', { Name: 'one', IPAM: { Config: [{ Subnet: '10.97.4.0/24' }] } });
  await engine.ask('POST', '/networks/create', { Name: 'two' });
  const id = await host.ok('run', '-d', '--name', 'web', '--network', 'two', image, 'sleep', '600');
  const EndpointConfig = { Aliases: ['www'], IPAMConfig: { IPv4Address: '10.97.4.7' }, GwPriority: 1 };
  expect(await engine.ask('POST', '/networks/one/connect', { Container: 'web', EndpointConfig })).toMatchObject({
    ...{ status: 200, text: '' },
  });
  const { json: document } = await engine.ask('GET', '/networks/one');
  expect(document).toMatchObject({
    Containers: { [id]: { Name: 'web', IPv4Address: '10.97.4.7/24', IPv6Address: '' } },
  });
  expect((await engine.ask('POST', '/networks/one/connect', { Container: id })).json).toEqual({
    message: 'endpoint with name web already exists in network one',
  });
  expect(await engine.ask('POST', '/networks/one/connect', { Container: id })).toMatchObject({ status: 403 });
  expect(await engine.ask('DELETE', '/networks/one')).toMatchObject({
    status: 403,
    json: {
      message: expect.stringMatching(
        /^error while removing network: network one has active endpoints \(name:"web" id:"[0-9a-f]{12}"\)$/,
      ),
    },
  });
  expect(await engine.ask('POST', '/networks/one/disconnect', { Container: 'web' })).toMatchObject({
    status: 200,
    text: '',
  });
  expect(await engine.ask('POST', '/networks/one/disconnect', { Container: 'web' })).toMatchObject({
    status: 500,
    json: { message: `container ${id} is not connected to network one` },
  });
  const wrong = { Container: 'web', EndpointConfig: { IPAMConfig: { IPv4Address: '10.98.4.7' } } };
  expect(await engine.ask('POST', '/networks/one/connect', wrong)).toMatchObject({
    status: 400,
    json: { message: 'invalid endpoint settings:\nno configured subnet or ip-range contain the IP address 10.98.4.7' },
  });
  await host.ok('stop', '-t', '0', 'web');
  // Docker's API takes a network that does not exist yet for a container that does not run.
  expect(await engine.ask('POST', '/networks/later/connect', { Container: 'web' })).toMatchObject({ status: 200 });
  expect((await host.cli('start', 'web')).stderr).toContain('network later not found');
  expect(await engine.ask('POST', '/networks/later/disconnect', { Container: 'web' })).toMatchObject({ status: 200 });
  await host.ok('start', 'web');
  await host.ok('rm', '-f', 'web');
});
