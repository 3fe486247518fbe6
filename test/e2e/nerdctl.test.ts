import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { leaveNerdctlContainer, type NerdctlContainer } from '../../testbed/nerdctl-container.ts';
import { nerdctlStoreOf } from '../../testbed/nerdctl-recording.ts';
import { type Bed, until } from './support/harness.ts';
import { openNerdctlBed } from './support/nerdctl-bed.ts';

// healthctl with containers that have nerdctl's labels and files.
let bed: Bed;
let image: string;
let dataRoot: string;
let close: () => Promise<void>;
beforeAll(async () => {
  ({ bed, image, dataRoot, close } = await openNerdctlBed());
});
afterAll(() => close());

async function nerdctlRun(
  given: string | { readonly name: string; readonly version: '2.1.5' },
  ...command: string[]
): Promise<NerdctlContainer> {
  const container = typeof given === 'string' ? { name: given } : given;
  const made = leaveNerdctlContainer({ ...bed, dataRoot }, { id: randomBytes(32).toString('hex'), ...container });
  const labels = Object.entries(made.labels).flatMap(([key, value]) => ['--label', `${key}=${value}`]);
  await bed.ctr('containers', 'create', ...labels, '--', image, made.id, ...command);
  return made;
}

test('lists, starts, checks, stops and removes a container of nerdctl, and leaves nothing of it', async () => {
  await bed.ok(['rm', await bed.ok(['create', image, 'true'])]); // makes the directories that stay
  const before = await bed.traces();
  const name = bed.name('theirs');
  const { id, paths } = await nerdctlRun(name, 'sh', '-c', 'echo out; echo err >&2; exec sleep 600');
  expect(await bed.ok(['ps', '--all', '--format', '{{.Names}} {{.State}} {{.Networks}}'])).toBe(
    `${name} created bridge`,
  );
  await bed.ok(['start', name]);
  expect(await bed.ok(['inspect', '--format', '{{.Id}} {{.Name}} {{.State.Status}}', name])).toBe(
    `${id} /${name} running`,
  );
  // Its output goes to nerdctl's logger.
  await until(() => readFileSync(paths.log, 'utf8').split('\n').sort().join(' ') === ' err out');
  expect((await bed.cli(['logs', name])).stderr).toContain(`try: nerdctl logs ${name}`);
  expect(await bed.ok(['healthcheck', 'run', name])).toBe('');
  expect(readFileSync(join(paths.stateDir, 'health.json'), 'utf8')).toContain('checked');
  expect(await bed.ok(['exec', name, 'hostname'])).not.toBe('');
  expect((await bed.cli(['create', '--name', name, image])).stderr).toContain(`"/${name}" is already in use`);
  await bed.ok(['stop', '-t', '1', name]);
  // Only containers of healthctl are pruned.
  expect(await bed.ok(['container', 'prune', '--force'])).toBe('Total reclaimed space: 0B');
  await bed.ok(['start', name]);
  const renamed = bed.name('renamed');
  await bed.ok(['rename', name, renamed]);
  const newName = join(paths.name, '..', renamed);
  expect([existsSync(paths.name), readFileSync(newName, 'utf8')]).toEqual([false, id]);
  await bed.ok(['rm', '--force', renamed]);
  for (const path of [newName, paths.hosts, paths.stateDir]) expect(existsSync(path), path).toBe(false);
  await bed.expectNothingLeft(before);
});

test('reserves the name of a container of ours for nerdctl too, and frees it', async () => {
  const names = join(nerdctlStoreOf({ dataRoot, address: bed.address }), 'names', bed.namespace);
  const [name, other] = [bed.name('ours'), bed.name('ours')];
  const id = await bed.ok(['create', '--name', name, image, 'true']);
  expect(readFileSync(join(names, name), 'utf8')).toBe(id);
  await bed.ok(['rename', name, other]);
  expect([existsSync(join(names, name)), readFileSync(join(names, other), 'utf8')]).toEqual([false, id]);
  const { Labels } = JSON.parse(await bed.ctr('containers', 'info', id));
  expect(Labels).toMatchObject({
    'nerdctl/name': other,
    'nerdctl/namespace': bed.namespace,
    'nerdctl/state-dir': join(bed.runRoot, Labels['nerdctl/state-dir'].slice(bed.runRoot.length)),
    'nerdctl/log-uri': expect.stringMatching(new RegExp(`^file://${bed.dataRoot}/.*/${id}/stdout\\.log$`)),
  });
  // nerdctl has reserved a name and not made its container yet, or has died before: a reservation without a container
  // does not count.
  writeFileSync(join(names, 'stale'), 'f'.repeat(64));
  const taker = await bed.ok(['create', '--name', 'stale', image, 'true']);
  expect(readFileSync(join(names, 'stale'), 'utf8')).toBe(taker);
  await bed.ok(['rm', other, taker]);
  expect([existsSync(join(names, other)), existsSync(join(names, 'stale'))]).toEqual([false, false]);
});

test('reserves a name also where nerdctl 2.1.5 stores names, and respects its reservations', async () => {
  const theirs = bed.name('theirs');
  const made = await nerdctlRun({ name: theirs, version: '2.1.5' }, 'sleep', '600');
  const store = nerdctlStoreOf({ dataRoot, address: bed.address });
  const names = join(store, bed.namespace);
  expect(readFileSync(made.paths.name, 'utf8')).toBe(made.id);
  await bed.ctr('containers', 'label', made.id, 'nerdctl/name='); // only the reservation is left
  expect((await bed.cli(['create', '--name', theirs, image, 'true'])).stderr).toContain(
    `"/${theirs}" is already in use`,
  );
  expect(existsSync(join(store, 'names', bed.namespace, theirs))).toBe(false); // both reservations are removed
  const [name, other] = [bed.name('ours'), bed.name('ours')];
  const id = await bed.ok(['create', '--name', name, image, 'true']);
  expect(readFileSync(join(names, name), 'utf8')).toBe(id);
  await bed.ok(['rename', name, other]);
  expect([existsSync(join(names, name)), readFileSync(join(names, other), 'utf8')]).toEqual([false, id]);
  await bed.ok(['rm', other, made.id]);
  expect(existsSync(join(names, other))).toBe(false);
});

test("a container of ours has what nerdctl's rm, rename and start need, from its creation on", async () => {
  const store = nerdctlStoreOf({ dataRoot, address: bed.address });
  for (const name of ['web--1', 'my__db', `l${'o'.repeat(79)}`]) {
    const id = await bed.ok(['create', '--name', name, '--annotation', 'nerdctl/networks=["x"]', image, 'true']);
    const { Spec } = JSON.parse(await bed.ctr('containers', 'info', id));
    expect(Spec.annotations).toMatchObject({ 'nerdctl/networks': '["none"]', 'nerdctl/namespace': bed.namespace });
    const mounted: readonly { readonly source: string; readonly destination: string }[] = Spec.mounts;
    const sources = mounted.filter(({ destination }) => destination.startsWith('/etc/')).map(({ source }) => source);
    expect([sources.length, sources.filter((path) => !existsSync(path))], name).toEqual([3, []]);
    const hosts = join(store, 'etchosts', bed.namespace, id);
    const meta = () => JSON.parse(readFileSync(join(hosts, 'meta.json'), 'utf8'));
    expect([meta(), existsSync(join(hosts, 'hosts'))]).toEqual([expect.objectContaining({ ID: id, Name: name }), true]);
    const renamed = bed.name('renamed');
    await bed.ok(['rename', name, renamed]);
    expect(meta()).toMatchObject({ ID: id, Name: renamed });
    await bed.ok(['rename', renamed, name]);
    const note = join(store, 'names', bed.namespace, name);
    expect(readFileSync(note, 'utf8')).toBe(id);
    // Each command of nerdctl makes this directory.
    const own = join(store, 'containers', bed.namespace, id);
    mkdirSync(own, { recursive: true });
    await bed.ok(['rm', name]);
    for (const path of [note, hosts, own]) expect(existsSync(path), path).toBe(false);
  }
});

test('shows ports, address and hardware address of a container of nerdctl, and its stop frees the ports', async () => {
  const name = bed.name('theirs');
  const { id, paths } = await nerdctlRun(name, 'sleep', '600');
  const mapping = { HostPort: 8085, ContainerPort: 80, Protocol: 'tcp', HostIP: '127.0.0.1' };
  writeFileSync(join(paths.stateDir, 'network-config.json'), JSON.stringify({ portMappings: [mapping] }));
  const result = {
    cniVersion: '1.0.0',
    interfaces: [{ name: 'nerdctl0' }, { name: 'eth0', mac: 'aa:bb:cc:dd:ee:ff', sandbox: '/proc/1/ns/net' }],
    ips: [{ interface: 1, address: '10.4.0.9/24', gateway: '10.4.0.1' }],
  };
  writeFileSync(join(paths.hosts, 'meta.json'), JSON.stringify({ ID: id, Networks: { bridge: result }, Name: name }));
  await bed.ok(['start', name]);
  const portsOf = () => bed.ok(['ps', '--all', '--filter', `name=${name}`, '--format', '{{.Ports}}']);
  expect(await portsOf()).toBe('127.0.0.1:8085->80/tcp');
  expect(await bed.ok(['ps', '--filter', 'publish=8085', '--format', '{{.Names}}'])).toBe(name);
  expect(await bed.ok(['port', name])).toBe('80/tcp -> 127.0.0.1:8085');
  const { IPAddress, MacAddress, Ports, Networks } = JSON.parse(
    await bed.ok(['inspect', '--format', '{{json .NetworkSettings}}', name]),
  );
  expect([IPAddress, MacAddress, Networks.bridge.Gateway]).toEqual(['10.4.0.9', 'aa:bb:cc:dd:ee:ff', '10.4.0.1']);
  expect(Ports).toEqual({ '80/tcp': [{ HostIp: '127.0.0.1', HostPort: '8085' }] });
  // nerdctl's hook leaves a process that holds the sockets.
  const reserver = spawn('sleep', ['infinity'], { stdio: 'ignore' });
  const gone = once(reserver, 'exit');
  const run = join('/run/nerdctl', bed.namespace, id);
  const note = (pid: number | undefined) => {
    mkdirSync(run, { recursive: true });
    writeFileSync(join(run, 'port-reserver.pid'), `${pid}`);
  };
  try {
    note(reserver.pid);
    await bed.ok(['stop', '-t', '0', name]);
    expect([(await gone)[1], existsSync(run)]).toEqual(['SIGKILL', false]);
    expect(await portsOf()).toBe('');
    // A pid that now belongs to another process is not killed.
    await bed.ok(['start', name]);
    note(process.pid);
    await bed.ok(['kill', name]);
    expect(existsSync(run)).toBe(false);
    await bed.ok(['rm', name]);
  } finally {
    reserver.kill('SIGKILL');
    rmSync(join('/run/nerdctl', bed.namespace), { recursive: true, force: true });
  }
});

test("ignores labels that name files other than nerdctl's", async () => {
  const name = bed.name('hostile');
  const proof = join(bed.directory, 'proof');
  const evil = join(bed.directory, 'evil');
  writeFileSync(evil, `#!/bin/sh\ntouch ${proof}\n`, { mode: 0o755 });
  const { id, paths } = await nerdctlRun(name, 'sh', '-c', 'echo hi; exec sleep 600');
  for (const uri of [
    `binary://${evil}?_NERDCTL_INTERNAL_LOGGING=${dataRoot}`,
    `file://${bed.directory}/written`,
    'x',
  ]) {
    await bed.ctr('containers', 'label', id, `nerdctl/log-uri=${uri}`, 'nerdctl/name=../../x');
    const { stderr } = await bed.cli(['start', id]);
    expect(stderr).toContain('the output of container');
    expect(await bed.ok(['inspect', '--format', '{{.State.Status}}', id])).toBe('running');
    await bed.ok(['kill', id]);
    await bed.ok(['wait', id]);
  }
  expect([existsSync(proof), existsSync(join(bed.directory, 'written'))]).toEqual([false, false]);
  await bed.ok(['rm', id]);
  expect([existsSync(paths.stateDir), existsSync(paths.name)]).toEqual([false, true]); // no longer the container's name
});

test('lists a container of Kubernetes by its pod, and checks it', async () => {
  const labels = {
    'io.cri-containerd.kind': 'container',
    'io.kubernetes.pod.namespace': 'default',
    'io.kubernetes.pod.name': 'web-0',
    'io.kubernetes.container.name': 'app',
    'nerdctl/healthcheck': '{"Test":["CMD-SHELL","echo from the pod"]}',
  };
  const id = randomBytes(32).toString('hex');
  const flags = Object.entries(labels).flatMap(([key, value]) => ['--label', `${key}=${value}`]);
  await bed.ctr('run', '--detach', ...flags, image, id, 'sleep', '600');
  const name = 'k8s://default/web-0/app';
  expect(await bed.ok(['ps', '--format', '{{.Names}}'])).toBe(name);
  expect(await bed.ok(['inspect', '--format', '{{.Id}}', name])).toBe(id);
  await bed.ok(['healthcheck', 'run', name]);
  expect(await bed.ok(['ps', '--format', '{{.Status}}'])).toContain('(healthy)');
  expect((await bed.cli(['inspect', 'k8s://default/web-1/app'])).stderr).toContain('k8s://default/web-1/app');
  await bed.ok(['rm', '--force', id]);
});
