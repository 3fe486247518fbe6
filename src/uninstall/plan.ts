import { join } from 'node:path';
import { CLAIMS_DIR } from '../daemon/monitor-claim.ts';
import { counted } from '../lib/counted.ts';

/** A container of ours on disk. */
export interface OwnContainer {
  readonly namespace: string;
  readonly id: string;
  readonly name: string;
  /** Running, paused, or of unknown state. */
  readonly isUp: boolean;
  /** Whether containerd has it, or may have it: its directory can be a left-over. */
  readonly hasRecord: boolean;
}

/** What this host has of one containerd's healthctl. */
export interface Survey {
  readonly hostId: string;
  readonly runRoot: string;
  readonly dataRoot: string;
  /** Process id of a running monitor. */
  readonly monitor: string | undefined;
  /** Names of the unit in /etc/systemd/system, and of that of its socket. */
  readonly units: readonly string[];
  /** Names of systemd's transient timers for checks. */
  readonly timers: readonly string[];
  readonly containers: readonly OwnContainer[];
  /** Whether containerd answers. Otherwise its records of containers cannot be removed. */
  readonly hasContainerd: boolean;
  /** Number of volumes. */
  readonly volumes: number;
  /** Names of users' networks. */
  readonly networks: readonly string[];
  readonly bridges: readonly string[];
  readonly chains: readonly string[];
  /** Whether the kernel has our containers' profile. */
  readonly hasAppArmorProfile: boolean;
  /** Which of our directories exist. */
  readonly has: {
    readonly run: boolean;
    readonly data: boolean;
    readonly compileCache: boolean;
    /** The directory of the monitors' claims, if it has none of another containerd. */
    readonly claims: boolean;
  };
  /** Directories and units of other containerds' monitors, and foreign objects in the roots. */
  readonly others: readonly string[];
  /** Path of the configuration file, if there is one. */
  readonly configFile: string | undefined;
}

/** In the order of execution. */
export type Step =
  | { readonly kind: 'stop-containers'; readonly containers: readonly OwnContainer[] }
  | { readonly kind: 'units'; readonly names: readonly string[] }
  | { readonly kind: 'monitor'; readonly pid: string }
  | { readonly kind: 'timers'; readonly names: readonly string[] }
  | { readonly kind: 'remove-containers'; readonly containers: readonly OwnContainer[] }
  | { readonly kind: 'networks'; readonly bridges: readonly string[]; readonly chains: readonly string[] }
  | { readonly kind: 'apparmor-profile' }
  | { readonly kind: 'directory'; readonly path: string }
  /** A root of ours, which is removed unless it contains something foreign. */
  | { readonly kind: 'root'; readonly path: string };

export interface Plan {
  readonly steps: readonly Step[];
  /** What stays, one line each. */
  readonly kept: readonly string[];
}

/**
 * What `uninstall` removes: everything that a reboot would remove, and the unit. Data that survives a reboot belongs to
 * users: it is removed only with `isPurge`, or if it is empty.
 */
export function planUninstall(survey: Survey, { isPurge }: { readonly isPurge: boolean }): Plan {
  const { hostId, runRoot, dataRoot, monitor, units, timers, bridges, chains, has, others } = survey;
  const { hasContainerd } = survey;
  const up = survey.containers.filter(({ isUp }) => isUp);
  const recorded = survey.containers.filter(({ hasRecord }) => hasRecord);
  const dataDir = join(dataRoot, hostId);
  // Stopping and removing containers takes locks in the run root, and networks one in the data root: the steps create
  // directories again.
  const hasRun = has.run || (hasContainerd && (up.length > 0 || (isPurge && recorded.length > 0)));
  const hasData = has.data || bridges.length + chains.length > 0;
  const isDataRemoved = hasData && (isPurge || hasNoUserData(survey));
  const steps: readonly (Step | false)[] = [
    up.length > 0 && hasContainerd && { kind: 'stop-containers', containers: up },
    units.length > 0 && { kind: 'units', names: units },
    monitor !== undefined && { kind: 'monitor', pid: monitor },
    timers.length > 0 && { kind: 'timers', names: timers },
    isPurge && hasContainerd && recorded.length > 0 && { kind: 'remove-containers', containers: recorded },
    bridges.length + chains.length > 0 && { kind: 'networks', bridges, chains },
    survey.hasAppArmorProfile && others.length === 0 && { kind: 'apparmor-profile' },
    hasRun && { kind: 'directory', path: join(runRoot, hostId) },
    has.compileCache && { kind: 'directory', path: join(dataRoot, 'compile-cache') },
    isDataRemoved && { kind: 'directory', path: dataDir },
    hasRun && { kind: 'root', path: runRoot },
    (isDataRemoved || has.compileCache) && { kind: 'root', path: dataRoot },
    has.claims && { kind: 'root', path: CLAIMS_DIR },
  ];
  return {
    steps: steps.filter((step) => step !== false),
    kept: keptOf(survey, { dataDir, isDataRemoved, isPurge }),
  };
}

function hasNoUserData({ containers, volumes, networks }: Survey): boolean {
  return containers.length + volumes + networks.length === 0;
}

function keptOf(
  { containers, hasContainerd, volumes, networks, has, others, configFile }: Survey,
  {
    dataDir,
    isDataRemoved,
    isPurge,
  }: { readonly dataDir: string; readonly isDataRemoved: boolean; readonly isPurge: boolean },
): readonly string[] {
  const inData = has.data && !isDataRemoved;
  const recorded = containers.filter(({ hasRecord }) => hasRecord);
  const isRecordLeft = recorded.length > 0 && !(isPurge && hasContainerd);
  const lines: readonly (string | false)[] = [
    inData && volumes > 0 && `${join(dataDir, 'volumes')}: ${counted(volumes, 'volume')}`,
    inData &&
      containers.length > 0 &&
      `${join(dataDir, 'containers')}: output of ${counted(containers.length, 'container')}`,
    inData &&
      networks.length > 0 &&
      `${join(dataDir, 'network')}: ${counted(networks.length, 'network')}: ${networks.join(', ')}`,
    isRecordLeft && `in containerd: ${counted(recorded.length, 'container')}: ${namesOf(recorded)}`,
    'in containerd: images, which other tools may use',
    configFile !== undefined && configFile,
    ...others,
  ];
  return lines.filter((line) => line !== false);
}

/** A step as shown to the user: what it removes. */
export function textOfStep(step: Step): string {
  switch (step.kind) {
    case 'stop-containers':
      return `the runs of ${counted(step.containers.length, 'container')}, by stopping: ${namesOf(step.containers)}`;
    case 'units':
      return `the ${step.names.length > 1 ? 'units' : 'unit'} ${step.names.join(' and ')}, with the monitor that it runs`;
    case 'monitor':
      return `the monitor, process ${step.pid}`;
    case 'timers':
      return `${counted(step.names.length, 'timer')} of systemd: ${step.names.join(', ')}`;
    case 'remove-containers':
      return `${counted(step.containers.length, 'container')} with all they wrote: ${namesOf(step.containers)}`;
    case 'networks':
      return `bridges and chains of iptables: ${[...step.bridges, ...step.chains].join(', ')}`;
    case 'apparmor-profile':
      return 'the AppArmor profile healthctl-default, from the kernel';
    case 'directory':
      return step.path;
    case 'root':
      return `${step.path}, if nothing else is in it`;
  }
}

const namesOf = (containers: readonly OwnContainer[]): string => containers.map(({ name }) => name).join(', ');
