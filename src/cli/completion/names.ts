import { listContainers } from '../../container/list.ts';
import { REQUESTS } from '../../daemon/api/requests.ts';
import { familiarRecordName, tryParseReference } from '../../image/reference.ts';
import { silentLogger } from '../../lib/logger.ts';
import { briefOf } from '../../record/details.ts';
import { statusWord } from '../../record/shown-health.ts';
import type { ContainerView } from '../../record/view.ts';
import type { World } from '../../world.ts';
import type { NameKind } from '../command.ts';
import { type ContainerWorld, openContainers } from '../context.ts';
import { listedFromAnswer } from '../monitor/list.ts';
import { openMonitor } from '../monitor/open.ts';
import { openNetworks } from '../network-context.ts';
import type { Candidate, NameSource } from './candidates.ts';

/** How long a person waits for a completion at most. Most take some 10 ms. */
const PATIENCE_MS = 1_000;
/** How long of that the monitor may take, which may hang: then containerd is asked. */
const MONITOR_PATIENCE_MS = 400;
const SHORT_ID = 12;

/**
 * Names of this host, from the monitor where one runs and from containerd otherwise. Starts nothing, and warns of
 * nothing.
 */
export function openNames(loud: ContainerWorld): NameSource {
  const world: ContainerWorld = { ...loud, log: silentLogger };
  return async (kind, text) => {
    try {
      return (await within(world, PATIENCE_MS, (signal) => namesOf({ ...world, signal }, kind, text))) ?? [];
    } catch {
      // containerd is not running, or we lack permission: there is nothing to offer, and a completion prints no warning.
      return [];
    }
  };
}

function namesOf(world: ContainerWorld, kind: NameKind, text: string): Promise<readonly Candidate[]> {
  switch (kind) {
    case 'container':
    case 'running':
    case 'up':
    case 'paused':
    case 'stopped':
      return containers(world, STATES[kind], text);
    case 'image':
      return images(world);
    case 'network':
      return networks(world);
    case 'volume':
      return volumes(world);
    case 'namespace':
      return namespaces(world);
    case 'variable':
      return Promise.resolve(Object.keys(world.env).sort().map(plain));
  }
}

type State = ContainerView['state'];
const STATES: Readonly<Record<'container' | 'running' | 'up' | 'paused' | 'stopped', readonly State[]>> = {
  container: ['running', 'paused', 'restarting', 'created', 'exited'],
  running: ['running'],
  up: ['running', 'paused', 'restarting'],
  paused: ['paused'],
  stopped: ['created', 'exited'],
};

const plain = (value: string): Candidate => ({ value, description: '' });

/** By name; by id where the text begins no name, but may begin an id. */
async function containers(
  world: ContainerWorld,
  states: readonly State[],
  text: string,
): Promise<readonly Candidate[]> {
  const answered = await within(world, MONITOR_PATIENCE_MS, (signal) =>
    openMonitor(world).ask(REQUESTS.list(world.settings.namespace), signal),
  ).catch(() => undefined);
  const keep = ({ state }: ContainerView): boolean => states.includes(state);
  const listed = answered
    ? listedFromAnswer(world, answered.value).filter(({ view }) => keep(view))
    : await listContainers(await openContainers(world), { keep, signal: world.signal });
  const isId = /^[0-9a-f]+$/.test(text) && !listed.some(({ view }) => view.name.startsWith(text));
  return listed.map(({ view, health }) => {
    const { name, state, record } = view;
    if (isId) return { value: record.id.slice(0, SHORT_ID), description: name };
    const word = state === 'running' ? statusWord(health) : 'none';
    return { value: name, description: `${briefOf(record).image}, ${word === 'none' ? state : word}` };
  });
}

async function images(world: ContainerWorld): Promise<readonly Candidate[]> {
  const records = await (await world.containerd()).images.list([], { signal: world.signal });
  return records
    .filter(({ name }) => tryParseReference(name) !== undefined)
    .map(({ name, target }) => ({
      value: familiarRecordName(name),
      description: target.digest.replace(/^sha256:/, '').slice(0, SHORT_ID),
    }))
    .sort((a, b) => (a.value < b.value ? -1 : 1));
}

async function networks(world: ContainerWorld): Promise<readonly Candidate[]> {
  const { knownNetworks } = await import('../../network/known-networks.ts');
  return knownNetworks(openNetworks(world)).map(({ name, driver, addresses }) => ({
    value: name,
    description: addresses ? `${driver}, ${addresses.subnet}` : driver,
  }));
}

async function volumes(world: ContainerWorld): Promise<readonly Candidate[]> {
  const { listVolumesWith } = await import('../../container/volumes/use.ts');
  const listed = await listVolumesWith(await openContainers(world), { users: false, size: false });
  return listed.map(({ volume }) => plain(volume.name));
}

async function namespaces(world: ContainerWorld): Promise<readonly Candidate[]> {
  return (await (await world.containerd()).host.namespaces({ signal: world.signal })).map(plain);
}

/** What the work gives in time, else undefined; its signal fires when the time is over. */
async function within<T>(
  { clock, signal }: Pick<World, 'clock' | 'signal'>,
  ms: number,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T | undefined> {
  const late = new AbortController();
  const ended = new AbortController();
  const timer = clock.sleep(ms, ended.signal).then(() => {
    late.abort();
    return undefined;
  });
  try {
    return await Promise.race([work(AbortSignal.any([signal, late.signal])), timer]);
  } finally {
    ended.abort();
  }
}
