import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { loadSettings, parseConfig } from './config.ts';
import { DEFAULT_METRICS } from './metrics-settings.ts';
import { DEFAULT_PAGE } from './page-settings.ts';

const folder = mkdtempSync(join(tmpdir(), 'healthctl-config-'));
afterAll(() => rmSync(folder, { recursive: true }));

function configFile(text: string): string {
  const path = join(folder, 'healthctl.toml');
  writeFileSync(path, text);
  return path;
}

const empty = { HEALTHCTL_TOML: '/dev/null' };

describe('loadSettings', () => {
  test('uses the defaults without file, environment and flags', async () => {
    expect(await loadSettings({}, empty)).toEqual({
      address: '/run/containerd/containerd.sock',
      namespace: 'default',
      snapshotter: 'overlayfs',
      runRoot: '/run/healthctl',
      dataRoot: '/var/lib/healthctl',
      nerdctlDataRoot: '/var/lib/nerdctl',
      healthLogEntries: 5,
      network: { defaultNetwork: 'bridge', bridgeSubnet: undefined, cniBinDir: undefined },
      monitor: {
        autostart: true,
        scheduler: 'daemon',
        adopt: 'auto',
        namespaces: [],
        maxChecks: 4 * availableParallelism(),
        idleTimeoutMs: 600_000,
        exec: 'fresh',
        hooks: [],
        socketGroup: undefined,
        page: { listen: undefined, tls: undefined, tokenFile: undefined, hosts: [] },
        metrics: {
          ...{ listen: undefined, tls: undefined, tokenFile: undefined },
          ...{ containerLabels: [], maxContainers: 2000 },
        },
      },
      history: { isEnabled: true, maxAgeMs: 7 * 86_400_000, maxBytes: 256 << 20 },
      debug: false,
    });
  });

  test('a flag overrides the environment, which overrides the file; an empty variable counts as absent', async () => {
    const HEALTHCTL_TOML = configFile(
      'namespace = "file"\nsnapshotter = "native"\nrun_root = "/r"\nnerdctl_data_root = "/n"\ndebug = true\n',
    );
    const env = { HEALTHCTL_TOML, CONTAINERD_NAMESPACE: 'env', CONTAINERD_SNAPSHOTTER: 'zfs', HEALTHCTL_RUN_ROOT: '' };
    expect(await loadSettings({ namespace: 'flag', debug: false }, env)).toMatchObject({
      namespace: 'flag',
      snapshotter: 'zfs',
      runRoot: '/r',
      nerdctlDataRoot: '/n',
      debug: false,
    });
  });

  test('network settings', async () => {
    const HEALTHCTL_TOML = configFile(
      'network = "none"\nbridge_subnet = "10.1.0.0/24"\ncni_bin_dir = "/opt/cni/bin"\n',
    );
    expect((await loadSettings({}, { HEALTHCTL_TOML })).network).toEqual({
      defaultNetwork: 'none',
      bridgeSubnet: '10.1.0.0/24',
      cniBinDir: '/opt/cni/bin',
    });
  });

  test('monitor settings', async () => {
    const HEALTHCTL_TOML = configFile(
      'autostart = false\nscheduler = "systemd"\nadopt = "never"\nwatch_namespaces = ["a", "b"]\nmax_checks = 3\nidle_timeout = "1m30s"\nhealth_exec = "resident"\nsocket_group = "ops"\n[[hook]]\ncommand = ["/n", "-v"]\n[[hook]]\ncommand = ["/m"]\non = ["restart"]\ntimeout = "1m"\nretries = 2\n',
    );
    expect((await loadSettings({}, { HEALTHCTL_TOML })).monitor).toEqual({
      ...{ autostart: false, scheduler: 'systemd', adopt: 'never', namespaces: ['a', 'b'] },
      ...{
        maxChecks: 3,
        idleTimeoutMs: 90_000,
        socketGroup: 'ops',
        exec: 'resident',
        metrics: DEFAULT_METRICS,
        page: DEFAULT_PAGE,
      },
      hooks: [
        { command: ['/n', '-v'], on: ['unhealthy', 'healthy', 'restart'], timeoutMs: 10_000, retries: 0 },
        { command: ['/m'], on: ['restart'], timeoutMs: 60_000, retries: 2 },
      ],
    });
  });

  test('settings of metrics', async () => {
    const HEALTHCTL_TOML = configFile(
      '[metrics]\nlisten = "[::1]:9180"\ntls_cert = "/c"\ntls_key = "/k"\ntoken_file = "/t"\ncontainer_labels = ["com.example/team"]\nmax_containers = 7\n',
    );
    expect((await loadSettings({}, { HEALTHCTL_TOML })).monitor.metrics).toEqual({
      ...{ listen: { host: '::1', port: 9180 }, tls: { certFile: '/c', keyFile: '/k' }, tokenFile: '/t' },
      ...{ containerLabels: ['com.example/team'], maxContainers: 7 },
    });
  });

  test.each(['localhost:9180', '127.0.0.1', '127.0.0.1:0', '::1:9180', ':9180', '[127.0.0.1]:1', '1.2.3.256:1'])(
    'metrics on %s are refused',
    async (listen) => {
      await expect(parseConfig(`[metrics]\nlisten = "${listen}"`, 'f')).rejects.toThrow(
        `f:2: metrics.listen must be an IP address and a port, like "127.0.0.1:9180" or "[::1]:9180", not "${listen}"`,
      );
    },
  );

  test.each([
    ['metrics = 3', 'metrics must be a table, [metrics], not 3'],
    ['[metrics]\nport = 1', 'unknown key "metrics.port"'],
    ['[metrics]\nlisten = "0.0.0.0:9180"', 'metrics.listen: 0.0.0.0 can be reached from other machines'],
    ['[metrics]\nlisten = "[::]:9180"', 'metrics.listen: :: can be reached from other machines'],
    ['[metrics]\ntls_cert = "/c"', 'metrics: tls_cert and tls_key belong together: one is missing'],
    ['[metrics]\ntoken_file = "t"', 'metrics.token_file must be an absolute path, not "t"'],
    ['[metrics]\nmax_containers = 0', 'metrics.max_containers must be a whole number from 1 to 100000, not 0'],
    [
      '[metrics]\ncontainer_labels = "a"',
      'metrics.container_labels must be a list of at most 10 keys of labels, not "a"',
    ],
    [
      `[metrics]\ncontainer_labels = [${Array.from({ length: 11 }, (_, index) => `"l${index}"`)}]`,
      'metrics.container_labels must be a list of at most 10 keys of labels',
    ],
    [
      '[metrics]\ncontainer_labels = ["a.b", "a-b"]',
      'metrics.container_labels: two labels would have the name label_a_b',
    ],
    ['scheduler = "cron"', 'scheduler must be "daemon" or "systemd", not "cron"'],
    ['adopt = true', 'adopt must be "auto" or "always" or "never", not true'],
    ['watch_namespaces = "a"', 'watch_namespaces must be a list of strings, not "a"'],
    ['watch_namespaces = ["../x"]', 'watch_namespaces: "../x" must be letters and digits'],
    ['health_exec = "slow"', 'health_exec must be "fresh" or "resident", not "slow"'],
    ['hook = 3', 'hook must be a list of tables, [[hook]], not 3'],
    [
      '[[hook]]\ncommand = ["notify"]',
      'hook.command must be a list of strings that begins with an absolute path, not ["notify"]',
    ],
    [
      '[[hook]]\ncommand = ["/n"]\non = ["sick"]',
      'hook.on must be a list of "unhealthy", "healthy", "restart", not ["sick"]',
    ],
    ['[[hook]]\ncommand = ["/n", "a\\u0000b"]', 'hook.command: word 2 holds a NUL character'],
    ['[[hook]]\ncommand = ["/n"]\nretries = -1', 'hook.retries must be a whole number from 0 to 10, not -1'],
    ['[[hook]]\ncommand = ["/n"]\ntimeout = "5"', 'hook.timeout: time: missing unit in duration "5"'],
    ['[[hook]]\ncommand = ["/n"]\nwhen = 1', 'unknown key "hook.when"'],
    ['max_checks = 0', 'max_checks must be a whole number from 1 to 1000, not 0'],
    ['network = "a b"', 'network: "a b" is no name of a network'],
    ['bridge_subnet = "999.1.1.1/99"', 'bridge_subnet: "999.1.1.1/99" must be a subnet of IPv4, like 10.80.0.0/24'],
    ['bridge_subnet = "10.0.0.0/33"', 'bridge_subnet: "10.0.0.0/33" must be a subnet of IPv4, like 10.80.0.0/24'],
    ['bridge_subnet = "10.0.0.0/30"', 'bridge_subnet: "10.0.0.0/30" must be a subnet of IPv4, like 10.80.0.0/24'],
    ['bridge_subnet = "10.0.0.1"', 'bridge_subnet: "10.0.0.1" must be a subnet of IPv4, like 10.80.0.0/24'],
    ['cni_bin_dir = "cni"', 'cni_bin_dir: "cni" must be an absolute path'],
    ['idle_timeout = "5"', 'idle_timeout: time: missing unit in duration "5"'],
    ['idle_timeout = "0s"', 'idle_timeout must be longer than nothing, not "0s"'],
  ])('refuses %s', async (text, message) => {
    await expect(parseConfig(text, '/h.toml')).rejects.toThrow(`: ${message}`);
    await expect(parseConfig(text, '/h.toml')).rejects.toThrow(/^\/h\.toml:[1-4]: /);
  });

  test('removes unix:// from an address', async () => {
    expect((await loadSettings({ address: 'unix:///run/x.sock' }, empty)).address).toBe('/run/x.sock');
    expect((await loadSettings({}, { ...empty, CONTAINERD_ADDRESS: 'unix:///run/y.sock' })).address).toBe(
      '/run/y.sock',
    );
  });

  test.each([
    [
      { address: 'tcp://1.2.3.4:5' },
      {},
      'USAGE',
      '--address: invalid containerd address "tcp://1.2.3.4:5": containerd is reached over a unix socket only',
    ],
    [
      { address: 'run/x.sock' },
      {},
      'USAGE',
      '--address: invalid containerd address "run/x.sock": it must be an absolute path',
    ],
    [
      {},
      { CONTAINERD_ADDRESS: 'unix://x' },
      'CONFIG',
      '$CONTAINERD_ADDRESS: invalid containerd address "unix://x": it must be an absolute path',
    ],
    [
      { namespace: '' },
      {},
      'USAGE',
      "--namespace: \"\" must be letters and digits, with single '.', '_' or '-' between them",
    ],
    [
      { namespace: 'a..b' },
      {},
      'USAGE',
      "--namespace: \"a..b\" must be letters and digits, with single '.', '_' or '-' between them",
    ],
    [{ namespace: '../x' }, {}, 'USAGE', /must be letters and digits/],
    [{ namespace: 'a\n' }, {}, 'USAGE', /must be letters and digits/],
    [{ namespace: 'a'.repeat(77) }, {}, 'USAGE', /is longer than 76 characters$/],
    [{ dataRoot: 'data' }, {}, 'USAGE', '--data-root: "data" must be an absolute path'],
    [{}, { HEALTHCTL_RUN_ROOT: 'run' }, 'CONFIG', '$HEALTHCTL_RUN_ROOT: "run" must be an absolute path'],
    [{ runRoot: '/run/../proc//x' }, {}, 'USAGE', '--run-root: "/run/../proc//x" is no place for files'],
  ])('refuses the %j %j', async (flags, env, code, message) => {
    const matcher = typeof message === 'string' ? message : expect.stringMatching(message);
    await expect(loadSettings(flags, { ...empty, ...env })).rejects.toMatchObject({ code, message: matcher });
  });

  test.each(['k8s.io', 'default', 'a-b_c.d', 'A1', 'a'.repeat(76)])(
    'accepts the namespace %.20s',
    async (namespace) => {
      expect((await loadSettings({ namespace }, empty)).namespace).toBe(namespace);
    },
  );

  test('an address through a symbolic link is the same address', async () => {
    expect((await loadSettings({ address: 'unix:///nowhere/../run//x.sock' }, empty)).address).toBe('/run/x.sock');
  });

  test.each([
    ['/r/', '/r'],
    ['//r/./s//t/../', '/r/s'],
    ['/', '/'],
  ])('directory %s is read as %s, so that paths below it can be made by appending', async (runRoot, expected) => {
    expect((await loadSettings({ runRoot }, empty)).runRoot).toBe(expected);
  });

  test('a file in $HEALTHCTL_TOML must exist', async () => {
    await expect(loadSettings({}, { HEALTHCTL_TOML: '/nonexistent/x.toml' })).rejects.toMatchObject({
      code: 'CONFIG',
      message: 'cannot read /nonexistent/x.toml: no such file',
      hint: 'it is named by $HEALTHCTL_TOML',
    });
    await expect(loadSettings({}, { HEALTHCTL_TOML: '/' })).rejects.toMatchObject({ code: 'CONFIG' });
  });
});

describe('parseConfig', () => {
  test.each([
    ['\n\nnamespce = "x"\n', 'f.toml:3: unknown key "namespce"'],
    ['namespace = "x"\n[grpc]\naddress = "/x"\n', 'f.toml:2: unknown key "grpc"'],
    ['# comment\nnamespace = 5\n', 'f.toml:2: namespace must be a string, not 5'],
    ['debug = "yes"\n', 'f.toml:1: debug must be true or false, not "yes"'],
    [
      'address = "tcp://x"\n',
      'f.toml:1: address: invalid containerd address "tcp://x": containerd is reached over a unix socket only',
    ],
    ['run_root = "x"\n', 'f.toml:1: run_root: "x" must be an absolute path'],
    ['run_root = "/proc/x"\n', 'f.toml:1: run_root: "/proc/x" is no place for files'],
    ['history = 1\n', 'f.toml:1: history must be a table, [history], not 1'],
    ['[history]\nsize = 1\n', 'f.toml:2: unknown key "history.size"'],
    ['[history]\nmax_age = "9000h"\n', 'f.toml:2: history.max_age must be at most 8784h, a year, not "9000h"'],
    ['[history]\nmax_size_mb = 0\n', 'f.toml:2: history.max_size_mb must be a whole number from 1 to 1048576, not 0'],
    ['health_log_entries = 0\n', 'f.toml:1: health_log_entries must be a whole number from 1 to 100, not 0'],
    ['health_log_entries = "5"\n', 'f.toml:1: health_log_entries must be a whole number from 1 to 100, not "5"'],
  ])('refuses %j', async (text, message) => {
    await expect(parseConfig(text, 'f.toml')).rejects.toMatchObject({ code: 'CONFIG', message });
  });

  test.each(['namespace = \n', 'a = 1\na = 2\n', '\x00', '[['])(
    'the error for %j, which is not TOML, names its place',
    async (text) => {
      await expect(parseConfig(text, 'f.toml')).rejects.toMatchObject({
        code: 'CONFIG',
        message: expect.stringMatching(/^f\.toml:\d+:\d+: ./),
      });
    },
  );

  test.each([
    ['[page]\n\nlisten = "x"', 3, 'page.listen must be'],
    ['[page]\nlisten = "0.0.0.0:9181"\nhosts = []', 2, 'page.listen: 0.0.0.0 can be reached'],
    ['[page]\nhosts = []\nport = 1', 3, 'unknown key "page.port"'],
    ['[history]\n# days\nmax_age = "9000h"', 3, 'history.max_age must be at most'],
    ['[metrics]\n\nmax_containers = 0', 3, 'metrics.max_containers must be'],
    ['[metrics]\ntls_cert = "/c"', 1, 'metrics: tls_cert and tls_key belong together'],
    ['[docker_tcp]\ntls_ca = "/c"\nlisten = "x"', 3, 'docker_tcp.listen must be'],
    ['[[hook]]\ncommand = ["/n"]\n[[hook]]\ncommand = ["/n"]\nretries = -1', 5, 'hook.retries must be'],
    ['[[hook]]\ncommand = ["/n"]\n[[hook]]\nurl = "x"', 4, 'hook.url must be a URL'],
    ['[[hook]]\ncommand = ["/n"]\n[[hook]]\nurl = "http://h"\ncommand = ["/x"]', 3, 'hook has both'],
    ['[[hook]]\nurl = "http://h"\n[hook.headers]\nA = "b"\nHost = "x"', 3, 'hook.headers: "Host" is set by'],
    ['[[hook]]\nurl = "http://h"\n\npriority = 2', 4, 'hook.priority is for format = "ntfy" only'],
  ])('the error for %j names line %i', async (text, line, message) => {
    await expect(parseConfig(text, 'f')).rejects.toThrow(`f:${line}: ${message}`);
  });

  test('the error for a duration in days shows it in hours', async () => {
    await expect(parseConfig('[history]\nmax_age = "7d"', 'f')).rejects.toMatchObject({
      message: expect.stringContaining('time: unknown unit "d" in duration "7d"'),
      hint: 'there is no unit of days: write 168h',
    });
  });

  test('the error for an unknown key lists the known ones', async () => {
    await expect(parseConfig('x = 1', 'f')).rejects.toMatchObject({
      hint: 'known keys: address, namespace, snapshotter, run_root, data_root, nerdctl_data_root, health_log_entries, history, compose_provider, network, bridge_subnet, cni_bin_dir, autostart, scheduler, adopt, watch_namespaces, max_checks, idle_timeout, hook, health_exec, socket_group, metrics, page, docker_socket, docker_tcp, docker_namespace, debug',
    });
  });
});
