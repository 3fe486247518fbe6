import { spawnSync } from 'node:child_process';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { hostIdOf } from '../../../src/lib/dirs.ts';

// Uninstalling without containerd, and what belongs to others. With containerd: test/e2e/uninstall.test.ts.

const HEALTHCTL = fileURLToPath(new URL('../../../bin/healthctl', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'healthctl-uninstall-'));
const [address, runRoot, dataRoot] = ['nothing.sock', 'run', 'data'].map((name) => join(folder, name)) as [
  string,
  string,
  string,
];
const hostId = hostIdOf(address);
const [runDir, dataDir] = [join(runRoot, hostId), join(dataRoot, hostId)];

beforeEach(() => {
  for (const root of [runRoot, dataRoot]) rmSync(root, { recursive: true, force: true });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Call {
  readonly input?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Runs before, in the network namespace of the call. */
  readonly before?: string;
  readonly after?: string;
}

function run(args: readonly string[], { input = '', env = {}, before = 'true', after = 'true' }: Call = {}) {
  const script = `${before} || exit 99; "$0" "$@"; code=$?; ${after}; exit $code`;
  const { status, stdout, stderr } = spawnSync('unshare', ['--net', 'sh', '-c', script, HEALTHCTL, ...args], {
    encoding: 'utf8',
    input,
    env: {
      PATH: process.env.PATH,
      CONTAINERD_ADDRESS: address,
      HEALTHCTL_RUN_ROOT: runRoot,
      HEALTHCTL_DATA_ROOT: dataRoot,
      HEALTHCTL_TOML: '/dev/null',
      ...env,
    },
  });
  return { status, stdout, stderr };
}

/** Writes what a monitor and commands leave without a container. */
function leaveTraces(): void {
  for (const dir of [join(runDir, '.daemon'), join(runDir, 'default/aaaa'), join(dataDir, 'network/networks')])
    mkdirSync(dir, { recursive: true });
  writeFileSync(join(runDir, '.daemon/lock'), '');
  writeFileSync(join(dataDir, 'daemon.log'), 'x\n');
}

const addVolume = () => run(['volume', 'create', 'data']);
const addContainer = () => mkdirSync(join(dataDir, 'containers/default', 'f'.repeat(64)), { recursive: true });

describe('without --purge', () => {
  test('removes everything if there is no user data', () => {
    leaveTraces();
    const { status, stdout, stderr } = run(['uninstall', '--force']);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toContain(`Removed:\n  ${runDir}\n  ${dataDir}\n  ${runRoot}, if nothing else is in it\n`);
    expect([existsSync(runRoot), existsSync(dataRoot)]).toEqual([false, false]);
  });

  test('keeps and names volumes and the output of containers', () => {
    leaveTraces();
    addVolume();
    addContainer();
    const { status, stdout } = run(['uninstall', '--force']);
    expect(status).toBe(0);
    expect(stdout).toContain(`  ${dataDir}/volumes: 1 volume\n  ${dataDir}/containers: output of 1 container\n`);
    expect(stdout).toContain('  in containerd: 1 container: ffffffffffff\n');
    expect([existsSync(runRoot), existsSync(join(dataDir, 'volumes/default/data/_data'))]).toEqual([false, true]);
  });

  test('succeeds a second time, and where nothing was ever installed', () => {
    const nothing = { status: 0, stdout: expect.stringMatching(/^Removed:\n {2}nothing\nKept:\n/), stderr: '' };
    expect(run(['uninstall'])).toEqual(nothing);
    expect([existsSync(runRoot), existsSync(dataRoot)]).toEqual([false, false]);
  });
});

describe('with --purge', () => {
  test('removes data too', () => {
    leaveTraces();
    addVolume();
    addContainer();
    expect(run(['uninstall', '--purge', '--force']).status).toBe(0);
    expect([existsSync(runRoot), existsSync(dataRoot)]).toEqual([false, false]);
  });

  test('follows no symbolic link', () => {
    leaveTraces();
    addVolume();
    const precious = join(folder, 'precious');
    mkdirSync(precious, { recursive: true });
    writeFileSync(join(precious, 'file'), '');
    symlinkSync(precious, join(dataDir, 'volumes/default/data/_data/link'));
    expect(run(['uninstall', '--purge', '--force']).status).toBe(0);
    expect(readdirSync(precious)).toEqual(['file']);
  });

  test('does not empty what is mounted in a volume', () => {
    addVolume();
    const content = join(dataDir, 'volumes/default/data/_data');
    const inMount = [
      '--mount',
      'sh',
      '-c',
      `mount -t tmpfs none ${content} && touch ${content}/file && "$0" "$@"; ls ${content}`,
    ];
    const { stdout, stderr } = spawnSync('unshare', [...inMount, HEALTHCTL, 'uninstall', '--purge', '--force'], {
      encoding: 'utf8',
      env: {
        ...{ PATH: process.env.PATH, CONTAINERD_ADDRESS: address, HEALTHCTL_TOML: '/dev/null' },
        ...{ HEALTHCTL_RUN_ROOT: runRoot, HEALTHCTL_DATA_ROOT: dataRoot },
      },
    });
    expect(stderr).toContain(`${dataDir} was not removed: something is mounted at ${content}`);
    expect(stdout).toMatch(/^file\n$/m);
  });
});

test('--dry-run lists both, and changes nothing', () => {
  leaveTraces();
  addVolume();
  const { status, stdout } = run(['uninstall', '--dry-run']);
  expect(status).toBe(0);
  expect(stdout).toContain(`Would be removed:\n  ${runDir}\n`);
  expect(stdout).toContain(`Would stay:\n  ${dataDir}/volumes: 1 volume\n`);
  expect(stdout.split('Would stay:')[0]).not.toContain(dataDir);
  expect([existsSync(join(runDir, '.daemon/lock')), existsSync(join(dataDir, 'daemon.log'))]).toEqual([true, true]);
});

test.each([
  ['no answer', ''],
  ['no', 'n\n'],
])('asks first, and %s changes nothing', (_, input) => {
  leaveTraces();
  const { status, stdout } = run(['uninstall'], { input });
  expect(status).toBe(0);
  expect(stdout).toContain(`WARNING! This will remove:\n  ${runDir}\n`);
  expect(stdout).toMatch(/Are you sure you want to continue\? \[y\/N\] $/);
  expect(existsSync(runDir)).toBe(true);
});

test('asks first, and continues after yes', () => {
  leaveTraces();
  expect(run(['uninstall'], { input: 'y\n' }).status).toBe(0);
  expect(existsSync(runDir)).toBe(false);
});

describe('does not remove what belongs to others', () => {
  test.each([['/'], ['/run'], ['/var/lib'], ['/tmp'], ['/var/lib/containerd'], ['/../run/'], ['/var/run']])(
    'refuses a root like %s',
    (root) => {
      for (const name of ['HEALTHCTL_RUN_ROOT', 'HEALTHCTL_DATA_ROOT']) {
        const { status, stderr } = run(['uninstall', '--purge', '--force'], { env: { [name]: root } });
        expect(status).toBe(1);
        expect(stderr).toMatch(/^healthctl: nothing is removed from \/.*: it is not a directory of healthctl\n/);
      }
    },
  );

  test('refuses a root that is a symbolic link', () => {
    const real = join(folder, 'real');
    mkdirSync(join(real, hostId), { recursive: true });
    symlinkSync(real, runRoot);
    const { status, stderr } = run(['uninstall', '--purge', '--force']);
    expect(status).toBe(1);
    expect(stderr).toContain(`nothing is removed from ${runRoot}: it is a symbolic link`);
    expect(existsSync(join(real, hostId))).toBe(true);
  });

  test('keeps a symbolic link in place of a directory, and its target', () => {
    const precious = join(folder, 'behind-link');
    mkdirSync(precious, { recursive: true });
    writeFileSync(join(precious, 'file'), '');
    mkdirSync(dataRoot);
    symlinkSync(precious, dataDir);
    const { status, stdout } = run(['uninstall', '--purge', '--force']);
    expect(status).toBe(0);
    expect(stdout).toContain(`Kept:\n  in containerd: images, which other tools may use\n  ${dataDir}\n`);
    expect(lstatSync(dataDir).isSymbolicLink()).toBe(true);
    expect(readdirSync(precious)).toEqual(['file']);
  });

  test('keeps and names other files in the roots, and directories of another containerd', () => {
    leaveTraces();
    mkdirSync(join(runRoot, 'aaaaaaaa'));
    writeFileSync(join(dataRoot, 'notes'), 'mine\n');
    const { status, stdout } = run(['uninstall', '--purge', '--force']);
    expect(status).toBe(0);
    expect(stdout).toContain(`  ${runRoot}/aaaaaaaa: of another containerd, see --address\n  ${dataRoot}/notes\n`);
    expect(readdirSync(runRoot)).toEqual(['aaaaaaaa']);
    expect(readFileSync(join(dataRoot, 'notes'), 'utf8')).toBe('mine\n');
  });
});

describe('networks', () => {
  const chains = 'iptables -S | grep -c HCTL; iptables -t nat -S | grep -c HCTL; ls /sys/class/net';
  const before = [
    `iptables -N HCTL-FWD-${hostId} && iptables -I FORWARD -j HCTL-FWD-${hostId}`,
    `iptables -A HCTL-FWD-${hostId} -i hctl0 -o hctl0 -j ACCEPT`,
    `iptables -t nat -N HCTL-NAT-${hostId} && iptables -t nat -A POSTROUTING -j HCTL-NAT-${hostId}`,
    // A chain of another containerd, and one of another tool.
    'iptables -N HCTL-FWD-aaaaaaaa && iptables -I FORWARD -j HCTL-FWD-aaaaaaaa && iptables -N DOCKER',
    'ip link add hctl0 type bridge && ip link add hctl-other type bridge && ip link add br0 type bridge',
  ].join(' && ');

  test('removes bridges and chains of ours, and keeps others', () => {
    const after = 'iptables -S; iptables -t nat -S; ip -o link';
    const { status, stdout } = run(['uninstall', '--force'], { before, after });
    expect(status).toBe(0);
    expect(stdout).toContain(`bridges and chains of iptables: hctl0, HCTL-NAT-${hostId}, HCTL-FWD-${hostId}\n`);
    expect([existsSync(runRoot), existsSync(dataRoot)]).toEqual([false, false]);
    const [, left = ''] = stdout.split('Kept:');
    expect(left).not.toContain(hostId);
    expect(left).not.toContain(' hctl0:');
    for (const name of ['-j HCTL-FWD-aaaaaaaa', '-N DOCKER', ' hctl-other:', ' br0:']) expect(left).toContain(name);
  });

  test('--dry-run keeps them', () => {
    const { stdout } = run(['uninstall', '--dry-run'], { before, after: chains });
    expect(stdout).toMatch(/\n5\n2\n/);
    expect([existsSync(runRoot), existsSync(dataRoot)]).toEqual([false, false]);
  });
});
