import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, test } from 'vitest';
import { isTimedAnswer, judge, type Verdict } from '../../testbed/kit-verdict.ts';
import { type Bed, openBed, until } from '../e2e/support/harness.ts';
import { type NetworkHost, openNetworkHost } from '../e2e/support/network-host.ts';
import { type KitPlay, replay } from './replay.ts';

/** The kit that plays raw requests, and compose, against Docker's API. */
const ENGINE_KIT = fileURLToPath(new URL('engine-kit/', import.meta.url));
/** What differs on purpose, with its reasons. */
const DEVIATIONS = fileURLToPath(new URL('../engine-deviations.json', import.meta.url));

/** All scenarios of raw requests: `api/attach`. */
export const API_SCENARIOS: readonly string[] = execFileSync(
  process.execPath,
  [join(ENGINE_KIT, 'replay.mjs'), '--list', '--kind', 'api'],
  { encoding: 'utf8' },
)
  .trimEnd()
  .split('\n')
  .map((line) => line.split(' ')[0] ?? '');

/**
 * One test for each of these scenarios, against the API of a monitor in a network namespace of its own.
 *
 * @param played.limitMs for all of them together
 */
export function describeEngineScenarios(
  title: string,
  { names, limitMs }: { readonly names: readonly string[]; readonly limitMs: number },
): void {
  describe(title, () => {
    let bed: Bed;
    let host: NetworkHost;
    let verdicts: ReadonlyMap<string, Verdict>;

    beforeAll(async () => {
      bed = await openBed();
      host = await openNetworkHost(bed);
      verdicts = await replay(await playOn(bed, host), names);
    }, limitMs);
    afterAll(async () => {
      await bed[Symbol.asyncDispose]();
      await host[Symbol.asyncDispose]();
    });

    for (const name of names) test(name, (context) => judge(context, verdicts.get(name), isTimedAnswer));
  });
}

async function playOn(bed: Bed, host: NetworkHost): Promise<KitPlay> {
  const socket = join(bed.directory, 'docker.sock');
  const monitor = host.spawnWithCgroups('daemon', 'run', '--docker-socket', socket);
  await until(() => monitor.stderr().includes("Docker's Engine API at"), { withinMs: 30_000 });
  const work = join(bed.directory, 'kit');
  mkdirSync(work);
  const options = ['--host', `unix://${socket}`, '--work', work, '--deviations', DEVIATIONS, '--retry', '2'];
  return { kit: ENGINE_KIT, options, env: bed.env };
}
