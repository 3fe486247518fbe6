import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../src/lib/clock.ts';
import { silentLogger } from '../../src/lib/logger.ts';
import {
  type Attachment,
  forgetAttachment,
  isHeld,
  listAttachments,
  type Membership,
  readAttachment,
  writeAttachment,
} from '../../src/network/attachment.ts';
import { configOf } from '../../src/network/bridge-config.ts';
import { hostsText, updateHostsFile } from '../../src/network/hosts-file.ts';
import { knownNetworks } from '../../src/network/known-networks.ts';
import { type NetworkContext, networkPathsOf, withNetworkLock } from '../../src/network/network-context.ts';
import { networkDocument } from '../../src/network/network-document.ts';
import {
  createNetwork,
  findNetwork,
  forgetNetwork,
  listNetworks,
  type NewNetwork,
  needNetwork,
} from '../../src/network/network-record.ts';
import { readBootId, readStat } from '../../src/system/proc.ts';
import { listProcesses } from '../../testbed/processes.ts';
import { runProgram } from '../../testbed/program.ts';

const root = mkdtempSync(join(tmpdir(), 'healthctl-networks-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

let ctx: NetworkContext;
beforeEach(() => {
  const dataRoot = mkdtempSync(join(root, 'd-'));
  ctx = {
    dirs: { dataRoot, runRoot: dataRoot, hostId: 'h' },
    clock: systemClock,
    log: silentLogger,
    settings: { defaultNetwork: 'bridge', bridgeSubnet: undefined, cniBinDir: undefined },
  };
});
const options = { internal: false, labels: { a: 'b' } };
const modeOf = (path: string): string => (statSync(path).mode & 0o777).toString(8);

function aMembership(over: Partial<Membership> = {}): Membership {
  return {
    ...{ network: 'app', networkId: 'n1', interfaceName: 'eth0', plugins: [{ type: 'bridge' }], names: ['web'] },
    ...{ links: [], gatewayPriority: 0, internal: false, hasIpv6: false, sysctls: [] },
    ...over,
  };
}

function anAttachment(over: Partial<Attachment> = {}): Attachment {
  const { pid } = process;
  return {
    ...{ namespace: 'default', id: 'c1', name: 'web', hostname: 'web' },
    holder: { bootId: readBootId(), pid, startTimeTicks: readStat(pid)?.startTimeTicks ?? 0 },
    ...{ ports: [], hostsPath: '/x', extraHosts: [], memberships: [aMembership()] },
    ...over,
  };
}

describe('stored networks', () => {
  test('are found as they were created, have subnets that do not overlap, and are private', async () => {
    const [a, b] = await withNetworkLock(ctx, async (locked) => [
      createNetwork(locked, { name: 'a', ...options }),
      createNetwork(locked, { name: 'b', ...options }),
    ]);
    expect(listNetworks(ctx)).toEqual([a, b]);
    expect(findNetwork(ctx, 'a')).toEqual(a);
    expect(a?.subnet).not.toBe(b?.subnet);
    expect(a?.bridge.length).toBeLessThanOrEqual(15);
    const { networks, root: directory } = networkPathsOf(ctx.dirs);
    expect([modeOf(directory), modeOf(networks), modeOf(join(networks, 'a.json'))]).toEqual(['700', '700', '600']);
    if (a) await withNetworkLock(ctx, async (locked) => forgetNetwork(locked, a));
    expect(listNetworks(ctx)).toEqual([b]);
  });

  test('keep their address range; range and gateway need a subnet', async () => {
    const create = (over: Partial<NewNetwork>) =>
      withNetworkLock(ctx, async (locked) => createNetwork(locked, { name: 'a', ...options, ...over }));
    for (const alone of [{ ipRange: '10.201.0.0/25' }, { gateway: '10.201.0.1' }]) {
      const message = 'every ip-range or gateway must have a corresponding subnet';
      await expect(create(alone)).rejects.toMatchObject({ code: 'INVALID', message });
    }
    const made = await create({
      subnet: '10.201.0.0/24',
      ipRange: '10.201.0.128/25',
      gateway: '10.201.0.7',
      mtu: 1400,
    });
    expect(made).toMatchObject({ ipRange: '10.201.0.128/25', gateway: '10.201.0.7' });
    expect(findNetwork(ctx, 'a')).toEqual(made);
    expect(configOf(made, { leases: '/leases', wish: { isAsked: false }, hasDefaultRoute: true })).toMatchObject({
      mtu: 1400,
      ipam: {
        ranges: [
          [{ subnet: '10.201.0.0/24', rangeStart: '10.201.0.128', rangeEnd: '10.201.0.254', gateway: '10.201.0.7' }],
        ],
      },
    });
    const [known] = knownNetworks(ctx);
    expect(known && networkDocument(known, []).IPAM.Config).toEqual([
      { Subnet: '10.201.0.0/24', IPRange: '10.201.0.128/25', Gateway: '10.201.0.7' },
    ]);
  });

  test('are listed in the order of their creation, to the millisecond', async () => {
    for (const [name, nowMs] of [
      ['a', 320],
      ['b', 321],
    ] as const) {
      const at = { ...ctx, clock: { ...ctx.clock, now: () => nowMs } };
      await withNetworkLock(at, async (locked) => createNetwork(locked, { name, ...options }));
    }
    expect(listNetworks(ctx).map(({ name }) => name)).toEqual(['a', 'b']);
  });

  test('include the default network once it is needed, with the configured subnet', async () => {
    ctx = { ...ctx, settings: { ...ctx.settings, bridgeSubnet: '10.201.0.0/24' } };
    const made = await withNetworkLock(ctx, async (locked) => needNetwork(locked, 'bridge'));
    expect(made).toMatchObject({ subnet: '10.201.0.0/24', gateway: '10.201.0.1' });
    expect(await withNetworkLock(ctx, async (locked) => needNetwork(locked, 'bridge'))).toEqual(made);
    const other = withNetworkLock(ctx, async (locked) => needNetwork(locked, 'other'));
    await expect(other).rejects.toMatchObject({ code: 'NOT_FOUND', message: 'network other not found' });
  });

  test('do not include damaged records, and names cannot lead out of the directory', async () => {
    await withNetworkLock(ctx, async (locked) => createNetwork(locked, { name: 'a', ...options }));
    writeFileSync(join(networkPathsOf(ctx.dirs).networks, 'b.json'), '{"Name":"b"');
    writeFileSync(join(networkPathsOf(ctx.dirs).networks, 'c.json'), '{"Name":"../c","Id":"x"}');
    expect(listNetworks(ctx).map(({ name }) => name)).toEqual(['a']);
    for (const name of ['../lock', '.', '', 'a/b']) expect(findNetwork(ctx, name), name).toBeUndefined();
  });
});

describe('stored attachments', () => {
  test('are read as they were written, are private, and can be removed', async () => {
    const attachment = anAttachment();
    await withNetworkLock(ctx, async (locked) => writeAttachment(locked, attachment));
    expect(readAttachment(ctx, attachment)).toEqual(attachment);
    expect(listAttachments(ctx)).toEqual([attachment]);
    const { attached } = networkPathsOf(ctx.dirs);
    expect(readdirSync(attached).map((name) => modeOf(join(attached, name)))).toEqual(['600']);
    await withNetworkLock(ctx, async (locked) => forgetAttachment(locked, attachment));
    expect([readAttachment(ctx, attachment), listAttachments(ctx)]).toEqual([undefined, []]);
  });

  test('of several networks have the first where earlier versions wrote the only one', async () => {
    const second = aMembership({ network: 'back', networkId: 'n2', interfaceName: 'eth1', gatewayPriority: 2 });
    const attachment = anAttachment({ memberships: [aMembership(), second] });
    await withNetworkLock(ctx, async (locked) => writeAttachment(locked, attachment));
    expect(readAttachment(ctx, attachment)).toEqual(attachment);
    const path = join(networkPathsOf(ctx.dirs).attached, 'default:c1.json');
    const { others, interfaceName, links, gatewayPriority, internal, hasIpv6, sysctls, ...old } = JSON.parse(
      readFileSync(path, 'utf8'),
    );
    expect(old).toMatchObject({ network: 'app', networkId: 'n1', plugins: [{ type: 'bridge' }], names: ['web'] });
    writeFileSync(path, JSON.stringify(old));
    expect(readAttachment(ctx, attachment)).toEqual(anAttachment());
    expect([others, interfaceName, links, gatewayPriority, internal, hasIpv6, sysctls]).toEqual([
      ...[[expect.objectContaining({ network: 'back' })], 'eth0', [], 0, false, false, []],
    ]);
  });

  test('do not include damaged records', async () => {
    await withNetworkLock(ctx, async () => undefined);
    const { attached } = networkPathsOf(ctx.dirs);
    for (const [name, text] of [
      ['cut', '{"id":'],
      ['port', JSON.stringify({ ...anAttachment(), ports: [{ hostPort: 'x' }] })],
    ])
      writeFileSync(join(attached, `default:${name}.json`), text ?? '');
    expect(listAttachments(ctx)).toEqual([]);
  });

  test('are held by their process only: not by a later one with its pid, nor after a reboot', () => {
    const { holder } = anAttachment();
    expect(isHeld({ holder })).toBe(true);
    expect(isHeld({ holder: { ...holder, startTimeTicks: holder.startTimeTicks + 1 } })).toBe(false);
    expect(isHeld({ holder: { ...holder, bootId: 'another' } })).toBe(false);
  });
});

describe('the hosts file', () => {
  test('is changed in place, and never through a symbolic link', () => {
    const path = join(root, 'hosts');
    writeFileSync(path, `${hostsText([])}192.0.2.9 mine\n`);
    const { ino } = statSync(path);
    expect(updateHostsFile(path, [{ address: '10.80.0.2', names: ['web'] }])).toBe(true);
    expect(readFileSync(path, 'utf8')).toContain('10.80.0.2\tweb');
    expect(updateHostsFile(path, [])).toBe(true);
    expect(readFileSync(path, 'utf8')).toBe(`${hostsText([])}192.0.2.9 mine\n`);
    expect(statSync(path).ino).toBe(ino);
    symlinkSync(path, join(root, 'link'));
    for (const other of [join(root, 'link'), join(root, 'missing')]) expect(updateHostsFile(other, [])).toBe(false);
    expect(existsSync(join(root, 'missing'))).toBe(false);
  });

  test('that the container made too large is not changed', () => {
    const path = join(root, 'large');
    writeFileSync(path, 'x'.repeat((1 << 20) + 1));
    expect(updateHostsFile(path, [{ address: '10.80.0.2', names: ['web'] }])).toBe(false);
  });
});

test('a killed command holds the network lock until the program that it started has ended', async () => {
  const fixture = 'testbed/killed-with-network-lock.ts';
  const whileExists = join(root, 'program-runs');
  writeFileSync(whileExists, '');
  const command = [process.execPath, '--import', 'tsx', fixture, ctx.dirs.dataRoot, whileExists];
  const { stdout, code } = await runProgram(command, { env: { PATH: process.env.PATH ?? '', TSX_DISABLE_CACHE: '1' } });
  expect({ stdout, code }).toEqual({ stdout: 'locked\n', code: 137 });
  const isRunning = () => listProcesses().some(({ args }) => args.includes(whileExists) && !args.includes(fixture));
  expect(isRunning()).toBe(true);
  const order: string[] = [];
  const locked = withNetworkLock(ctx, async () => {
    order.push(`locked while the program runs: ${isRunning()}`);
  });
  await systemClock.sleep(200); // in which the lock must stay locked
  order.push('told to end');
  rmSync(whileExists);
  await locked;
  expect(order).toEqual(['told to end', 'locked while the program runs: false']);
});
