/**
 * Docker's commands and options that healthctl lacks, with alternatives: the one table, also of docs/commands.md.
 * Remove an entry when healthctl gains it; a test compares the table with the registry and the options.
 */

/**
 * By the words after `healthctl`. Commands that are also under `container` and `image` are found by their last word.
 */
const COMMANDS: Readonly<Record<string, string>> = {
  build: 'build with docker, nerdctl, buildah or buildctl, and load the archive: healthctl load -i FILE',
  builder: 'build with docker, nerdctl, buildah or buildctl, and load the archive: healthctl load -i FILE',
  buildx: 'build with docker, nerdctl, buildah or buildctl, and load the archive: healthctl load -i FILE',
  checkpoint: 'use ctr: ctr tasks checkpoint ID',
  config: 'there is no swarm; mount a file: -v /path/file:/etc/file:ro',
  context:
    '--address and --namespace before the command choose a containerd, or CONTAINERD_ADDRESS and CONTAINERD_NAMESPACE',
  manifest: 'use skopeo inspect --raw, or ctr images inspect NAME',
  node: 'there is no swarm: healthctl works on one host',
  plugin: "healthctl does not use Docker's plugins; cni_bin_dir in the configuration is the directory of CNI's",
  search: "search on the registry's web page",
  secret: 'there is no swarm; mount a file: -v /path/file:/run/secrets/NAME:ro',
  service: 'there is no swarm; healthctl run --restart always restarts a container on one host',
  stack: 'there is no swarm: healthctl works on one host',
  swarm: 'there is no swarm: healthctl works on one host',
  trust: 'verify signatures with cosign or notation before the pull; a pull by digest is verified',
  'system dial-stdio': "there is no API of Docker's; that of the monitor is on a Unix socket",
  'volume update': 'there is no swarm: volumes are of one host',
};

/** Nouns whose commands also exist at the top level. */
const NOUNS_WITH_SHORT_FORMS: readonly string[] = ['container', 'image'];

/** The alternative to a command of Docker's; undefined for any other word. */
export function adviceForCommand(words: readonly string[]): string | undefined {
  const name = words.join(' ');
  if (Object.hasOwn(COMMANDS, name)) return COMMANDS[name];
  const [noun = '', word] = words;
  return word !== undefined && NOUNS_WITH_SHORT_FORMS.includes(noun) ? adviceForCommand([word]) : undefined;
}

const WINDOWS = 'it is for Windows';
const IO_LIMIT = 'limits of block devices are not set by healthctl';
const SWARM = 'it is for swarms';
const ONE_HOST = 'healthctl speaks to a containerd on this host, through a socket: --address';

const OF_CREATE: Readonly<Record<string, string>> = {
  'blkio-weight': IO_LIMIT,
  'blkio-weight-device': IO_LIMIT,
  'cgroup-parent': 'cgroups are below that of containerd; limits are set by --memory, --cpus and --pids-limit',
  'cpu-count': WINDOWS,
  'cpu-percent': WINDOWS,
  'device-read-bps': IO_LIMIT,
  'device-read-iops': IO_LIMIT,
  'device-write-bps': IO_LIMIT,
  'device-write-iops': IO_LIMIT,
  'disable-content-trust': 'nothing is signed or verified by it: leave it out',
  'env-host': 'name the variables: -e NAME takes the value of the caller',
  gpus: 'give the devices and libraries yourself: --device /dev/nvidia0 -v …, or --runtime nvidia-container-runtime',
  'health-startup-cmd': 'give --health-start-period and --health-start-interval: one command serves the start, too',
  'health-startup-interval': 'give --health-start-interval',
  'health-startup-retries': 'give --health-start-period: failures in it do not count',
  'health-startup-success': 'the first success ends the start period',
  'health-startup-timeout': 'give --health-timeout',
  'io-maxbandwidth': WINDOWS,
  'io-maxiops': WINDOWS,
  isolation: WINDOWS,
  'kernel-memory': 'the kernel has it no more: give --memory',
  'link-local-ip': 'give an address of a network: --ip, --ip6',
  'memory-swappiness': 'give --memory-swap; equal to --memory, nothing is swapped',
  pod: 'there are no pods: --network container:NAME, --ipc and --pid join a container',
  replace: 'remove the old one first: healthctl rm -f NAME',
  secret: 'mount a file: -v /path/file:/run/secrets/NAME:ro',
  'storage-opt': 'the snapshotter has no limit for one container: --snapshotter chooses another one',
  'use-api-socket': "there is no API of Docker's to give to a container",
  userns: 'containers have the user namespace of the host: give --user, --cap-drop ALL',
  'volume-driver': 'volumes are directories of this host; mount others with --mount type=bind',
};

/** By the command's path in the registry, then by the option's long name. `''`: before the command. */
const OPTIONS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  '': {
    config: "DOCKER_CONFIG names the directory of Docker's config.json, HEALTHCTL_TOML the configuration",
    context: ONE_HOST,
    'log-level': '--debug shows more',
    tls: ONE_HOST,
    tlscacert: ONE_HOST,
    tlscert: ONE_HOST,
    tlskey: ONE_HOST,
    tlsverify: ONE_HOST,
  },
  'container create': OF_CREATE,
  'container run': OF_CREATE,
  'container rm': { link: 'there are no links' },
  'container start': {
    checkpoint: 'use ctr: ctr containers restore',
    'checkpoint-dir': 'use ctr: ctr containers restore',
  },
  'container update': {
    'blkio-weight': IO_LIMIT,
  },
  'image inspect': { platform: 'the image of this platform is shown' },
  'image load': { platform: 'the image of this platform is taken' },
  'image ls': { tree: 'healthctl image inspect NAME shows one' },
  'image pull': {
    'disable-content-trust': 'nothing is signed or verified by it: leave it out',
  },
  'image push': {
    'disable-content-trust': 'nothing is signed by it: leave it out',
  },
  'image rm': { platform: 'all platforms are removed' },
  'network create': {
    attachable: SWARM,
    'aux-address': 'addresses are given by the network',
    'config-from': SWARM,
    'config-only': SWARM,
    ingress: SWARM,
    'ipam-driver': "addresses are given by CNI's host-local",
    'ipam-opt': "addresses are given by CNI's host-local",
    ipv4: 'networks are of IPv4',
    scope: SWARM,
  },
  'network inspect': { verbose: SWARM },
  'volume create': {
    ...Object.fromEntries(
      [
        'availability',
        'group',
        'limit-bytes',
        'required-bytes',
        'scope',
        'secret',
        'sharing',
        'topology-preferred',
        'topology-required',
        'type',
      ].map((name) => [name, SWARM]),
    ),
  },
  'volume ls': { cluster: SWARM },
};

/** Docker's letters for options of the table. */
const LETTERS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  '': { c: 'context', l: 'log-level' },
};

/**
 * The alternative to an option of Docker's.
 *
 * @param path of the command in the registry; empty for options before it
 * @param name the long name, or one letter
 */
export function adviceForOption(path: readonly string[], name: string): string | undefined {
  const [options = {}, letters = {}] = [OPTIONS[path.join(' ')], LETTERS[path.join(' ')]];
  const long = Object.hasOwn(letters, name) ? (letters[name] ?? name) : name;
  return Object.hasOwn(options, long) ? options[long] : undefined;
}

/** All of it, for tests. */
export const DOCKER_ONLY = { commands: COMMANDS, options: OPTIONS };
