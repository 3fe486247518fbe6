import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { type ConsoleBlock, consoleBlocksOf, differenceOf } from '../fixtures/console-blocks.ts';
import { dockerArchive } from '../fixtures/image-archive.ts';
import type { RunningProgram } from '../fixtures/program.ts';
import { type StandIn, standInsIn } from './docs-images.ts';
import { type Bed, HEALTHCTL, openBed, until } from './harness.ts';
import { type NetworkHost, openNetworkHost } from './network-host.ts';

// Runs the sessions of the documents: what stands behind `$ ` is run, and what it prints is compared with what the page shows. The blocks of a
// page run in their order and in one directory, so that one can build on those before it.

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** The blocks that cannot run here, by page and first command. */
const NOT_RUN: readonly { readonly page: string; readonly command: string; readonly reason: string }[] = [
  { page: 'docs/images.md', command: 'healthctl pull busybox', reason: 'needs a real registry' },
  {
    page: 'docs/nerdctl.md',
    command: "nerdctl run -d --name bynerdctl --health-cmd 'redis-cli ping' redis",
    reason: 'needs nerdctl, which Debian does not package',
  },
];

interface Page {
  /** From the root of the repository. */
  readonly name: string;
  readonly blocks: readonly ConsoleBlock[];
}

const pages: readonly Page[] = ['README.md', ...readdirSync(join(ROOT, 'docs')).map((name) => join('docs', name))]
  .filter((name) => name.endsWith('.md'))
  .map((name) => ({ name, blocks: consoleBlocksOf(readFileSync(join(ROOT, name), 'utf8')) }))
  .filter(({ blocks }) => blocks.length > 0);

const isRun = ({ name }: Page, { commands }: ConsoleBlock): boolean =>
  !NOT_RUN.some(({ page, command }) => page === name && command === commands[0]?.text);

describe('sessions in the documents', () => {
  test('the list of what is not run holds blocks that exist, once each', () => {
    const shown = pages.flatMap(({ name, blocks }) => blocks.map(({ commands }) => `${name}: ${commands[0]?.text}`));
    const listed = NOT_RUN.map(({ page, command }) => `${page}: ${command}`);
    expect(listed.filter((block) => shown.filter((other) => other === block).length !== 1)).toEqual([]);
    expect(new Set(listed).size).toBe(listed.length);
  });

  const run = pages.filter((page) => page.blocks.some((block) => isRun(page, block)));
  test.concurrent.each(run.map((page) => [page.name, page] as const))('%s', async (_, page) => {
    expect(await wrongBlocksOf(page)).toBe('');
  });
});

/** @returns for each command that prints something else than the page shows, its place and the difference */
async function wrongBlocksOf(page: Page): Promise<string> {
  const blocks = page.blocks.filter((block) => isRun(page, block));
  const bed = await openBed(['autostart = true', 'network = "bridge"']);
  const host = await openNetworkHost(bed);
  try {
    // A namespace without an image does not exist, and errors then say so.
    await bed.ctr('namespaces', 'create', bed.namespace);
    const commands = blocks.flatMap((block) => block.commands.map(({ text }) => text)).join('\n');
    await Promise.all(standInsIn(commands).map((standIn) => loadStandIn(bed, standIn)));
    const wrong: string[] = [];
    for (const block of blocks) wrong.push(...(await wrongCommandsOf({ bed, host, page, block })));
    return wrong.join('\n\n');
  } finally {
    await bed[Symbol.asyncDispose]();
    await host[Symbol.asyncDispose]();
  }
}

/** Leaves the archive in the directory of the session, as `docker save -o nginx.tar nginx` would. */
async function loadStandIn(bed: Bed, { name, config, files = {} }: StandIn): Promise<void> {
  const archive = join(bed.directory, `${name.split('/').at(-1)?.replace(/:.*$/, '')}.tar`);
  writeFileSync(archive, await dockerArchive({ name, config, files }));
  await bed.ok(['load', '--quiet', '--input', archive]);
}

interface BlockRun {
  readonly bed: Bed;
  readonly host: NetworkHost;
  readonly page: Page;
  readonly block: ConsoleBlock;
}

async function wrongCommandsOf({ bed, host, page, block }: BlockRun): Promise<readonly string[]> {
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
    PATH: `${dirname(HEALTHCTL)}:${bed.env.PATH}`,
  };
  const assignments = Object.entries(variables).map(([name, value]) => `${name}=${value}`);
  const session = ['cd "$1" && exec 2>&1 </dev/null && . "$2"', 'session', bed.directory, script];
  const program = host.start('env', ...assignments, 'bash', '-c', ...session);
  const stdout = await outputWithin(program, 60_000);
  const outputs = asOnHost(bed, stdout).split(new RegExp(`\\n?${mark} \\d+\\n`));
  return commands.flatMap(({ text, output }, index) => {
    const difference = differenceOf(output, outputs[index] ?? '(the session ended before)');
    return difference === undefined ? [] : [`${page.name}:${block.line}: $ ${text}\n${difference}`];
  });
}

/** Standard output of a program, which is killed when it takes longer. */
async function outputWithin(program: RunningProgram, withinMs: number): Promise<string> {
  let isEnded = false;
  const exited = program.exited.finally(() => {
    isEnded = true;
  });
  await until(async () => isEnded, { withinMs, everyMs: 50 }).catch(() => program.kill('SIGKILL'));
  return (await exited).stdout;
}

/** With the paths and names of a host instead of those of the bed. */
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
