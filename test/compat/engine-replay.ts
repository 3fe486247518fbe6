import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, test } from 'vitest';
import { type ComposeVersion, composeProgram } from '../../testbed/debian-program.ts';
import { isTimedAnswer, judge, type Verdict } from '../../testbed/kit-verdict.ts';
import { NOT_JUDGED } from '../../testbed/not-judged.ts';
import { type Bed, openBed, until } from '../e2e/support/harness.ts';
import { type NetworkHost, openNetworkHost } from '../e2e/support/network-host.ts';
import { type KitPlay, replay } from './replay.ts';

/** The kit that plays raw requests, and compose, against Docker's API. */
const ENGINE_KIT = fileURLToPath(new URL('engine-kit/', import.meta.url));
/** What differs on purpose, with its reasons. */
const DEVIATIONS = fileURLToPath(new URL('../engine-deviations.json', import.meta.url));

/** All scenarios of raw requests: `api/attach`. */
export const API_SCENARIOS = scenariosOf('api');
/** All scenarios of compose: `compose/chain`. */
export const COMPOSE_SCENARIOS = scenariosOf('compose');

function scenariosOf(kind: 'api' | 'compose'): readonly string[] {
  const args = [join(ENGINE_KIT, 'replay.mjs'), '--list', '--kind', kind];
  const lines = execFileSync(process.execPath, args, { encoding: 'utf8' }).trimEnd().split('\n');
  return lines.map((line) => line.split(' ')[0] ?? '');
}

/**
 * One test for each of these scenarios, against the API of a monitor in a network namespace of its own.
 *
 * @param played.version of compose
 * @param played.limitMs for all of them together
 */
export function describeEngineScenarios(
  title: string,
  {
    names,
    version = '2.40',
    limitMs,
  }: { readonly names: readonly string[]; readonly version?: ComposeVersion; readonly limitMs: number },
): void {
  describe(title, () => {
    let bed: Bed;
    let host: NetworkHost;
    let verdicts: ReadonlyMap<string, Verdict>;
    const needsCompose = names.some((name) => name.startsWith('compose/'));
    let compose: Compose = { missing: '' };

    beforeAll(async () => {
      if (needsCompose) compose = await composeProgram(version);
      bed = await openBed();
      host = await openNetworkHost(bed);
      if (needsCompose && 'missing' in compose) return;
      const deviations = join(bed.directory, 'deviations.json');
      writeFileSync(deviations, JSON.stringify(deviationsWith(version)));
      verdicts = await replay(await playOn(bed, host, { compose, deviations }), names);
    }, limitMs);
    afterAll(async () => {
      await bed[Symbol.asyncDispose]();
      await host[Symbol.asyncDispose]();
    });

    for (const name of names)
      test(name, (context) => {
        if (needsCompose && 'missing' in compose) context.skip(`${NOT_JUDGED}: ${compose.missing}`);
        judge(context, verdicts.get(name), isTimedAnswer);
      });
  });
}

type Compose = Awaited<ReturnType<typeof composeProgram>>;

type Deviations = Readonly<Record<string, readonly unknown[]>>;
/** The file: those of each scenario, and for each other version of compose what that one does otherwise. */
type StoredDeviations = Deviations & { readonly 'with another compose': Readonly<Record<string, Deviations>> };

function deviationsWith(version: ComposeVersion): Deviations {
  const stored: StoredDeviations = JSON.parse(readFileSync(DEVIATIONS, 'utf8'));
  const { 'with another compose': others, ...common } = stored;
  const own = Object.entries(others[version] ?? {});
  return { ...common, ...Object.fromEntries(own.map(([name, some]) => [name, [...(common[name] ?? []), ...some]])) };
}

async function playOn(
  bed: Bed,
  host: NetworkHost,
  { compose, deviations }: { readonly compose: Compose; readonly deviations: string },
): Promise<KitPlay> {
  const socket = join(bed.directory, 'docker.sock');
  const monitor = host.spawnWithCgroups('daemon', 'run', '--docker-socket', socket);
  await until(() => monitor.stderr().includes("Docker's Engine API at"), { withinMs: 30_000 });
  const work = join(bed.directory, 'kit');
  mkdirSync(work);
  const options = ['--host', `unix://${socket}`, '--work', work, '--deviations', deviations, '--retry', '2'];
  if ('path' in compose) options.push('--compose', compose.path);
  return { kit: ENGINE_KIT, options, env: bed.env };
}
