import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, test } from 'vitest';
import type { Had } from '../../testbed/debian-program.ts';
import { judge, type Verdict } from '../../testbed/kit-verdict.ts';
import { NOT_JUDGED } from '../../testbed/not-judged.ts';
import { startEngine } from '../e2e/support/engine.ts';
import { type Bed, openBed } from '../e2e/support/harness.ts';
import { replay } from './replay.ts';

/** Docker's own command line, of some version. */
export interface DockerClient {
  /** Its major version, as in `engine-deviations.json`. */
  readonly version: string;
  readonly program: () => Promise<Had>;
}

/** What may differ with a client, by version and scenario: in its own texts, and by options that it does not have. */
const DEVIATIONS = new URL('../engine-deviations.json', import.meta.url);
type Deviations = Readonly<Record<string, Readonly<Record<string, readonly { readonly at: string }[]>>>>;

/**
 * One test for each of these scenarios, played by docker's command line on the socket of a monitor.
 *
 * @param played.limitMs for all of them together
 */
export function describeClientScenarios(
  title: string,
  played: { readonly client: DockerClient; readonly names: readonly string[]; readonly limitMs: number },
): void {
  const { client, names, limitMs } = played;
  describe(title, () => {
    let bed: Bed;
    let docker: Had;
    let verdicts: ReadonlyMap<string, Verdict>;

    beforeAll(async () => {
      docker = await client.program();
      bed = await openBed();
      if ('missing' in docker) return;
      const { socket } = await startEngine(bed);
      const path = client.version === '20' ? withJson(bed, docker.path) : docker.path;
      const options = ['--cli', `${path} -H unix://${socket}`, '--profile', 'ours', '--retry', '2', '--verbose'];
      verdicts = await replay({ options, env: { ...bed.env, DOCKER_CONFIG: join(bed.directory, 'docker') } }, names);
    }, limitMs);
    afterAll(() => bed[Symbol.asyncDispose]());

    for (const name of names)
      test(name, (context) => {
        if ('missing' in docker) context.skip(`${NOT_JUDGED}: ${docker.missing}`);
        judge(context, allowing(client, name, verdicts.get(name)));
      });
  });
}

/** A program that calls docker 20.10, which does not know the format `json` that the kit asks for. */
function withJson(bed: Bed, docker: string): string {
  const wrapper = join(bed.directory, 'bin/docker');
  mkdirSync(join(bed.directory, 'bin'));
  const script = [
    '#!/bin/bash',
    'words=("$@")',
    'for ((n = 1; n < $#; n++)); do',
    `  [ "\${words[n - 1]} \${words[n]}" = '--format json' ] && words[n]='{{json .}}'`,
    'done',
    `exec ${docker} "\${words[@]}"`,
  ];
  writeFileSync(wrapper, `${script.join('\n')}\n`);
  chmodSync(wrapper, 0o755);
  return wrapper;
}

/** The verdict without the differences that this client may have. */
function allowing({ version }: DockerClient, name: string, verdict: Verdict | undefined): Verdict | undefined {
  const all = JSON.parse(readFileSync(DEVIATIONS, 'utf8')) as { readonly 'with another docker': Deviations };
  const allowed = (all['with another docker'][version]?.[name] ?? []).map(({ at }) => pathsBelow(at));
  if (!verdict || allowed.length === 0) return verdict;
  const differences = verdict.differences.filter((line) => line !== '' && !allowed.some((paths) => paths.test(line)));
  return { ...verdict, isPassed: verdict.isPassed || differences.length === 0, differences };
}

/** Matches a difference at this path or below it; `*` is any one name. */
const pathsBelow = (at: string): RegExp => new RegExp(`^${at.replaceAll('*', '[^/:]+')}[/:]`);
