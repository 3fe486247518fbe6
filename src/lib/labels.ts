/** Every label key that healthctl reads or writes, with its owner and an example value. */
export const LABELS = {
  /** Ours: healthctl made the container; the version that made it. `0.1.0` */
  owner: 'healthctl/owner',
  /**
   * Ours: the last start, which also distinguishes a stopped container from one never started.
   * `{"At":"2026-01-01T00:00:00Z","Run":"<bootid>:4711:123456"}`
   */
  started: 'healthctl/started',
  /** Ours: a health config that neither Docker's form nor nerdctl can express, complete. `{"Test":["FOO","x"]}` */
  healthcheck: 'healthctl/healthcheck',
  /**
   * Ours: when `update` gave the container another test; results count from then on. RFC 3339.
   * `2026-01-01T00:00:00.000Z`
   */
  testSince: 'healthctl/test-since',
  /**
   * Ours: the same moment on the boot clock, which does not jump: the boot id and milliseconds since the boot.
   * `6a0e…:123456`
   */
  testSinceBoot: 'healthctl/test-since-boot',
  /**
   * Ours: where the fields of the health config come from: an option, the image or an update. Fields without an entry have
   * their defaults. `{"Test":"image","Interval":"flag","Retries":"update"}`
   */
  healthOrigins: 'healthctl/health-origins',
  /** Ours: the restart policy, in the form of Docker's option. `on-failure:3` */
  restart: 'healthctl/restart',
  /** Ours: the ports of the present or last run, as `ps` shows them. `0.0.0.0:8080->80/tcp` */
  ports: 'healthctl/ports',
  /**
   * Ours: the user stopped the container. RFC 3339; during a restart with the process that will start it again.
   * `2026-01-01T00:00:00Z`
   */
  stopped: 'healthctl/stopped',

  /** nerdctl's: the container's name, unique in its namespace. `web` */
  name: 'nerdctl/name',
  /** nerdctl's: the namespace of the container. `default` */
  namespace: 'nerdctl/namespace',
  /** nerdctl's. `3f4e5d6c7b8a` */
  hostname: 'nerdctl/hostname',
  /**
   * nerdctl's: the directory with a container's state, where it looks for `health.json`.
   * `/run/healthctl/1935db59/default/3f4e…`
   */
  stateDir: 'nerdctl/state-dir',
  /** nerdctl's. `linux/amd64` */
  platform: 'nerdctl/platform',
  /** nerdctl's: a JSON list of network names. `["none"]` */
  networks: 'nerdctl/networks',
  /** nerdctl's: published ports. `[{"HostPort":8080,"ContainerPort":80,"Protocol":"tcp","HostIP":"0.0.0.0"}]` */
  nerdctlPorts: 'nerdctl/ports',
  /** nerdctl's: the file that gets the pid of the main process at each start. `/run/web.pid` */
  pidfile: 'nerdctl/pid-file',
  /**
   * nerdctl's: where its `start` sends the output.
   * `file:///var/lib/healthctl/1935db59/containers/default/3f4e…/stdout.log`
   */
  logUri: 'nerdctl/log-uri',
  /** nerdctl's: seconds that `stop` waits. `10` */
  stopTimeout: 'nerdctl/stop-timeout',
  /**
   * nerdctl's: the mounts of `-v`, `--mount` and `--tmpfs` as in Docker's document; newer releases write
   * `nerdctl/mounts.0`, `.1`, … `[{"Type":"volume","Name":"data",…}]`
   */
  mounts: 'nerdctl/mounts',
  /** nerdctl's: `--domainname`. `example.org` */
  domainname: 'nerdctl/domainname',
  /** nerdctl's: `--user`. `nobody` */
  user: 'nerdctl/user',
  /** nerdctl's: whether `--privileged` was given. `true` */
  privileged: 'nerdctl/privileged',
  /** nerdctl's: whether `--rm` was given. `false` */
  autoRemove: 'nerdctl/auto-remove',
  /** nerdctl's: `--add-host`. `["db:10.1.2.3"]` */
  extraHosts: 'nerdctl/extraHosts',
  /** nerdctl's. `{"DNSServers":["1.1.1.1"],"DNSResolvConfOptions":null,"DNSSearchDomains":null}` */
  dns: 'nerdctl/dns',
  /** nerdctl's: the container whose process namespace it joins. `3f4e…` */
  pidContainer: 'nerdctl/pid-container',
  /** nerdctl's. `{"mode":"private","shmSize":"32m"}` */
  ipc: 'nerdctl/ipc',
  /** nerdctl's. `{"driver":"json-file","address":"/run/containerd/containerd.sock"}` */
  logConfig: 'nerdctl/log-config',
  /** nerdctl's: the rest of the host config. `{"BlkioWeight":0,"CidFile":"","Devices":null}` */
  hostConfig: 'nerdctl/host-config',
  /**
   * nerdctl's: the health config as Docker's JSON, with defaults.
   * `{"Test":["CMD-SHELL","true"],"Interval":30000000000,…}`
   */
  nerdctlHealthcheck: 'nerdctl/healthcheck',
  /**
   * nerdctl's: the health state, a mirror for quick readers.
   * `{"Status":"healthy","FailingStreak":0,"InStartPeriod":false,"Run":"…"}`
   */
  nerdctlHealthstate: 'nerdctl/healthstate',

  /** Kubernetes's, on containers of its runtime. `default` */
  podNamespace: 'io.kubernetes.pod.namespace',
  /** Kubernetes's. `web-7d4b9c` */
  podName: 'io.kubernetes.pod.name',
  /** Kubernetes's; absent on the pod's own container. `app` */
  podContainer: 'io.kubernetes.container.name',

  /**
   * containerd's: the status in which its restart plugin keeps the container; without it the plugin leaves the
   * container alone. `running`
   */
  restartPluginStatus: 'containerd.io/restart.status',
  /**
   * containerd's: the policy by which its restart plugin restarts the container, in the form of Docker's option.
   * `always`
   */
  restartPluginPolicy: 'containerd.io/restart.policy',
  /**
   * containerd's, written by nerdctl on each container that it starts, stops, restarts or signals: whether a user
   * stopped it. `true`
   */
  explicitlyStopped: 'containerd.io/restart.explicitly-stopped',
  /** containerd's: the signal that stops the container. `SIGTERM` */
  stopSignal: 'io.containerd.image.config.stop-signal',
} as const;

/**
 * Labels under these prefixes control containerd, nerdctl and healthctl: they are never taken from an image, and users
 * cannot set them.
 */
const RESERVED_LABEL_PREFIXES: readonly string[] = ['nerdctl/', 'healthctl/', 'containerd.io/'];

export const isReservedLabel = (key: string): boolean =>
  RESERVED_LABEL_PREFIXES.some((prefix) => key.startsWith(prefix));

/** containerd: labels/validate.go, key and value together. */
const MAX_LABEL_BYTES = 4096;

/** Whether containerd accepts a label: it has a key and is not too long. */
export function fitsLabel(key: string, value: string): boolean {
  return key !== '' && Buffer.byteLength(key) + Buffer.byteLength(value) <= MAX_LABEL_BYTES;
}
