// `compose up -d --wait` of services in a chain, each of which waits until the one before is healthy, and `compose down`, beside
// a real Docker in one run. In a network namespace of its own. Needs what bench/docker.ts needs, and Docker's compose.
//   node --import tsx bench/compose.ts --docker-root DIR [--services 10] [--rounds 7]
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { composeProgram } from '../testbed/debian-program.ts';
import { mustRun } from '../testbed/program.ts';
import { type Served, withBothSockets } from './docker/both-sockets.ts';
import { IMAGE } from './docker/measures.ts';
import { ratio } from './docker/report.ts';
import { inTurn } from './docker/side.ts';
import { quantile, spread } from './docker/table.ts';

const { values } = parseArgs({
  options: {
    'docker-root': { type: 'string', default: process.env.HEALTHCTL_DOCKER_ROOT ?? '' },
    services: { type: 'string', default: '10' },
    rounds: { type: 'string', default: '7' },
    inside: { type: 'boolean', default: false },
  },
});

/** With start intervals, as in files that care how long a start takes: Docker's default of 5 s would be all of it. */
function fileOf({ seccomp }: Served): string {
  const service = (index: number) => `  s${index}:
    image: ${IMAGE}
    command: sh -c 'trap exit TERM; sleep 3600 & wait'
    security_opt: ["seccomp=${seccomp}"]
    healthcheck: {test: "true", interval: 30s, start_period: 30s, start_interval: 100ms}
${index === 1 ? '' : `    depends_on: {s${index - 1}: {condition: service_healthy}}\n`}`;
  return `name: chain\nservices:\n${Array.from({ length: Number(values.services) }, (_, at) => service(at + 1)).join('')}`;
}

async function measure(): Promise<void> {
  const compose = await composeProgram();
  if ('missing' in compose) throw new Error(compose.missing);
  await withBothSockets(resolve(values['docker-root']), { hasNetworks: true }, async (both, report, directory) => {
    const play = async (side: Served): Promise<{ up: number; down: number }> => {
      const project = join(directory, `project-${side.name}`);
      mkdirSync(project, { recursive: true });
      writeFileSync(join(project, 'compose.yaml'), fileOf(side));
      const env = { ...side.env, DOCKER_HOST: `unix://${side.socket}` };
      const took = async (...args: readonly string[]): Promise<number> => {
        const startMs = performance.now();
        await mustRun([compose.path, ...args], { env, cwd: project, timeoutMs: 300_000 });
        return performance.now() - startMs;
      };
      return { up: await took('up', '-d', '--wait'), down: await took('down') };
    };
    const seen = await inTurn(both, Number(values.rounds), (side) => play(side as Served));
    for (const part of ['up', 'down'] as const) {
      const [ours, theirs] = [seen.healthctl, seen.docker].map((all) => all.map((one) => one[part]));
      report.add({
        what: part === 'up' ? `compose up -d --wait of ${values.services}` : 'compose down',
        ...{ healthctl: spread(ours ?? [], 0), docker: spread(theirs ?? [], 0) },
        ...ratio(quantile(ours ?? [], 0.5) / quantile(theirs ?? [], 0.5), 1),
      });
    }
  });
}

if (values.inside) await measure();
else {
  const self = [process.execPath, '--import', 'tsx', ...process.argv.slice(1), '--inside'];
  const inside = ['sh', '-c', 'ip link set lo up && exec "$@"', 'sh', ...self];
  process.exitCode = spawnSync('unshare', ['--net', ...inside], { stdio: 'inherit' }).status ?? 1;
}
