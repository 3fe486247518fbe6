// What the live screen costs: `healthctl top` in tmux, while the monitor checks many containers. The CPU of the screen itself, and what the
// monitor needs more for its answers. Needs root, containerd, runc, cgroup v1 and tmux.
//   node --import tsx bench/top.ts [--containers 200] [--seconds 60] [--interval 5s]
import { loadavg } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { listProcesses } from '../testbed/processes.ts';
import { openTerminal, type Terminal } from '../testbed/tmux.ts';
import { until } from '../testbed/until.ts';
import { withHealthctl } from './docker/bed.ts';
import { cpuMsOfProcess } from './docker/cpu.ts';
import { RESIDENT, runMany } from './docker/measures.ts';
import type { Side } from './docker/side.ts';

const { values } = parseArgs({
  options: {
    containers: { type: 'string', default: '200' },
    seconds: { type: 'string', default: '60' },
    interval: { type: 'string', default: '5s' },
  },
});
const seconds = Number(values.seconds);
const SIZE = { columns: 120, rows: 50 };

await withHealthctl(async (side, { directory }) => {
  const flags = [...RESIDENT.flags, '--health-interval', values.interval];
  await runMany(side, { ...RESIDENT, containers: Number(values.containers), flags });
  await sleep(15_000);
  const without = await coresDuring({ monitor: side.daemonPid });
  {
    await using terminal = await openTerminal({ directory, env: side.env, ...SIZE });
    const pid = await startTop(side, terminal);
    await sleep(15_000); // V8 compiles what is used
    const { monitor = 0, top = 0 } = await coresDuring({ monitor: side.daemonPid, top: pid });
    await terminal.press('<', '<'); // by memory: all containers are measured
    await sleep(5_000);
    const { top: sorted = 0 } = await coresDuring({ top: pid });
    console.log(`${side.versions}, ${values.containers} containers checked every ${values.interval}, load average ${loadOf()}
percent of a core, the screen                          ${percent(top)}
the same, sorted by memory                             ${percent(sorted)}
the monitor, with the screen and without               ${percent(monitor)}, ${percent(without.monitor ?? 0)}`);
  }
});

/** @returns its process id */
async function startTop({ program }: Side, terminal: Terminal): Promise<number> {
  await terminal.type([...program, 'top'].join(' '));
  await terminal.shows('RESULTS', 60_000);
  return until(() => listProcesses().find(({ args }) => args.at(-1) === 'top' && args.includes('--run-root'))?.pid);
}

/** The share of a processor that each process takes. */
async function coresDuring(pids: Readonly<Record<string, number>>): Promise<Readonly<Record<string, number>>> {
  const look = () => Object.entries(pids).map(([name, pid]) => [name, cpuMsOfProcess(pid)] as const);
  const [before, beganMs] = [new Map(look()), performance.now()];
  await sleep(seconds * 1_000);
  const tookMs = performance.now() - beganMs;
  return Object.fromEntries(look().map(([name, ms]) => [name, (ms - (before.get(name) ?? 0)) / tookMs]));
}

function percent(share: number): string {
  return (share * 100).toFixed(2);
}

function loadOf(): string {
  return (loadavg()[0] ?? 0).toFixed(1);
}
