import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type ConsoleBlock, differenceOf } from '../../../testbed/console-blocks.ts';
import { dockerArchive } from '../../../testbed/image-archive.ts';
import type { RunningProgram } from '../../../testbed/program.ts';
import { type StandIn, standInsIn } from './docs-images.ts';
import { type Bed, HEALTHCTL, until } from './harness.ts';
import type { NetworkHost } from './network-host.ts';

/** A page of the documents, with its blocks in order. */
export interface Page {
  /** Relative to the root of the repository. */
  readonly name: string;
  readonly blocks: readonly ConsoleBlock[];
}

/**
 * Runs the blocks of a page in order and in one directory, with replacements for the images that they name.
 *
 * @param path directories for the PATH before the bed's, for other programs
 * @returns for each command whose output differs from the page, its line and the difference
 */
export async function differencesInPage(
  setting: { readonly bed: Bed; readonly host: NetworkHost; readonly path?: string },
  { name, blocks }: Page,
): Promise<readonly string[]> {
  const { bed } = setting;
  const commands = blocks.flatMap((block) => block.commands.map(({ text }) => text)).join('\n');
  await Promise.all(standInsIn(commands).map((standIn) => loadStandIn(bed, standIn)));
  const wrong: string[] = [];
  for (const block of blocks) wrong.push(...(await differencesInBlock({ ...setting, name, block })));
  return wrong;
}

/** Writes the archive into the directory of the session, like `docker save -o nginx.tar nginx`. */
async function loadStandIn(bed: Bed, { name, config, files = {} }: StandIn): Promise<void> {
  const archive = join(bed.directory, `${name.split('/').at(-1)?.replace(/:.*$/, '')}.tar`);
  writeFileSync(archive, await dockerArchive({ name, config, files }));
  await bed.ok(['load', '--quiet', '--input', archive]);
}

interface BlockRun {
  readonly bed: Bed;
  readonly host: NetworkHost;
  readonly path?: string;
  /** The name of the page. */
  readonly name: string;
  readonly block: ConsoleBlock;
}

async function differencesInBlock({ bed, host, path, name, block }: BlockRun): Promise<readonly string[]> {
  const mark = 'end of the output of command';
  const { commands } = block;
  const script = join(bed.directory, '.session.sh');
  const echo = (index: number) => `echo; echo '${mark} ${index}'`;
  writeFileSync(script, commands.map(({ text }, index) => `${text}\n${echo(index)}\n`).join(''));
  const variables = {
    CONTAINERD_ADDRESS: bed.address,
    CONTAINERD_NAMESPACE: bed.namespace,
    HEALTHCTL_RUN_ROOT: bed.runRoot,
    HEALTHCTL_DATA_ROOT: bed.dataRoot,
    PATH: [dirname(HEALTHCTL), ...(path === undefined ? [] : [path]), bed.env.PATH].join(':'),
  };
  const assignments = Object.entries(variables).map(([name, value]) => `${name}=${value}`);
  const session = ['cd "$1" && exec 2>&1 </dev/null && . "$2"', 'session', bed.directory, script];
  const program = host.start('env', ...assignments, 'bash', '-c', ...session);
  const stdout = await outputWithin(program, 60_000);
  const outputs = asOnHost(bed, stdout).split(new RegExp(`\\n?${mark} \\d+\\n`));
  return commands.flatMap(({ text, output }, index) => {
    const difference = differenceOf(output, outputs[index] ?? '(the session ended before)');
    return difference === undefined ? [] : [`${name}:${block.line}: $ ${text}\n${difference}`];
  });
}

/** Standard output of a program, which is killed if it takes longer. */
async function outputWithin(program: RunningProgram, withinMs: number): Promise<string> {
  let isEnded = false;
  const exited = program.exited.finally(() => {
    isEnded = true;
  });
  await until(async () => isEnded, { withinMs, everyMs: 50 }).catch(() => program.kill('SIGKILL'));
  return (await exited).stdout;
}

/** Replaces the paths and names of the bed by those of a host. */
function asOnHost({ address, namespace, runRoot, dataRoot, directory }: Bed, text: string): string {
  const hash = (path: string) => createHash('sha256').update(path).digest('hex').slice(0, 8);
  const instead: readonly (readonly [string, string])[] = [
    [address, '/run/containerd/containerd.sock'],
    [runRoot, '/run/healthctl'],
    [dataRoot, '/var/lib/healthctl'],
    [hash(address), hash('/run/containerd/containerd.sock')],
    [`${directory}/`, './'],
    [namespace, 'default'],
  ];
  return instead.reduce((all, [from, to]) => all.replaceAll(from, to), text);
}
