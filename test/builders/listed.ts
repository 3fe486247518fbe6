import type { ListedContainer } from '../../src/container/list.ts';
import { CONFIG_EXTENSION } from '../../src/lib/trusted-labels.ts';
import type { ShownHealth } from '../../src/record/shown-health.ts';
import type { StoredConfig } from '../../src/record/stored-config.ts';
import type { ContainerView } from '../../src/record/view.ts';
import { aRecord, aTask } from './container.ts';
import { aConfig, aResult, aRun, aState, T0 } from './health.ts';

export const aStoredConfig = (over: Partial<StoredConfig> = {}): StoredConfig => ({
  Config: {
    Hostname: 'c1',
    Tty: false,
    OpenStdin: false,
    Env: ['PATH=/bin'],
    Cmd: ['sleep', '60'],
    Image: 'demo:1',
    Volumes: null,
    Entrypoint: null,
    Labels: { img: 'yes' },
  },
  HostConfig: { Binds: ['/srv:/data:ro', '/tmp:/t'], NetworkMode: 'none', AutoRemove: false, Memory: 67108864 },
  ImageId: `sha256:${'ab'.repeat(32)}`,
  Args: ['sleep', '60'],
  ...over,
});

/** The record of a container named `web` that healthctl created. */
export const ownRecord = (over: Parameters<typeof aRecord>[0] = {}, stored = aStoredConfig()) =>
  aRecord({
    id: 'c1'.repeat(32),
    labels: {
      'nerdctl/name': 'web',
      'nerdctl/networks': '["none"]',
      'nerdctl/platform': 'linux/amd64',
      'healthctl/owner': '0.1.0',
      'io.containerd.image.config.stop-signal': 'SIGTERM',
      img: 'yes',
    },
    createdAtMs: T0,
    extensionJson: (key) => (key === CONFIG_EXTENSION ? JSON.stringify(stored) : undefined),
    ...over,
  });

/** A container that has run since T0. */
export const aView = (over: Partial<ContainerView> = {}): ContainerView => ({
  record: ownRecord(),
  task: aTask({ pid: 4711 }),
  name: 'web',
  state: 'running',
  taskView: { kind: 'running', run: aRun() },
  started: { ever: true, lastRun: aRun().id },
  startedAtMs: T0,
  exit: undefined,
  ...over,
});

export const aHealth = (over: Partial<ShownHealth> = {}): ShownHealth => ({
  config: aConfig(),
  state: aState(),
  log: [aResult()],
  ...over,
});

export const noHealth: ShownHealth = { config: undefined, state: undefined, log: [] };

export const aListed = (view: Partial<ContainerView> = {}, health: ShownHealth = aHealth()): ListedContainer => ({
  view: aView(view),
  health,
});
