import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { dockerArchive } from '../../testbed/image-archive.ts';
import { openTerminal } from '../../testbed/tmux.ts';
import { svgOf } from './svg.ts';

/** Where the picture of the live screen is. */
const PICTURE = fileURLToPath(new URL('../../docs/images/top.svg', import.meta.url));
const HEALTHCTL = fileURLToPath(new URL('../../bin/healthctl', import.meta.url));

const IMAGE = { name: 'demo/app:1', config: { Cmd: ['sleep', '3600'] } };
const SIZE = { columns: 110, rows: 17 };
/** By then the bars are long. */
const WAIT_MS = 75_000;

/** A check that fails in the first so many of each twenty seconds. */
const failing = (seconds: number): string =>
  `test $(($(date +%s) % 20)) -ge ${seconds} || { echo connection refused; exit 1; }`;

interface Part {
  readonly name: string;
  readonly flags?: readonly string[];
  readonly command?: readonly string[];
}

const checked = (interval: string, command: string): readonly string[] => [
  '--health-interval',
  interval,
  '--health-cmd',
  command,
];
const BUSY = ['sh', '-c', 'while :; do i=0; while [ $i -lt 3000 ]; do i=$((i + 1)); done; sleep 0.1; done'];
const PARTS: readonly Part[] = [
  { name: 'web', flags: checked('2s', 'true') },
  { name: 'api', flags: [...checked('1s', failing(9)), '--health-retries', '2'], command: BUSY },
  { name: 'db', flags: [...checked('2s', 'true'), '--health-exec', 'resident'], command: BUSY },
  { name: 'cache', flags: checked('1s', failing(2)) },
  { name: 'search', flags: [...checked('2s', 'echo index missing; exit 3'), '--health-retries', '3'] },
  {
    name: 'mailer',
    flags: [...checked('5s', 'false'), '--health-start-period', '1h', '--health-start-interval', '2s'],
  },
  { name: 'payments', flags: checked('3s', 'true') },
  { name: 'images', flags: checked('5s', 'sleep 0.3') },
  { name: 'worker', command: ['sh', '-c', 'exit 137'] },
  { name: 'backup', command: ['true'] },
  { name: 'shell' },
];

/** Shows `healthctl top` in a terminal, and makes a picture of it. */
export async function takeScreenshot(
  { directory, env }: { readonly directory: string; readonly env: Readonly<Record<string, string>> },
  run: (args: readonly string[]) => Promise<unknown>,
): Promise<void> {
  writeFileSync(join(directory, 'app.tar'), await dockerArchive(IMAGE));
  await run(['load', '-q', '-i', join(directory, 'app.tar')]);
  for (const { name, flags = [], command = [] } of PARTS)
    await run(['run', '-d', '--name', name, ...flags, IMAGE.name, ...command]);
  await new Promise((resolve) => setTimeout(resolve, WAIT_MS));
  await using terminal = await openTerminal({ directory, env, ...SIZE });
  await terminal.type(`exec ${HEALTHCTL} top`);
  await terminal.shows('checks/s', 60_000);
  // The selected row shows no colours: the last one has none.
  await terminal.press('G');
  await terminal.shows(/^>/m);
  const lines = await terminal.coloured();
  writeFileSync(PICTURE, svgOf(lines, { columns: SIZE.columns, label: 'healthctl top' }));
  for (const { name } of PARTS) await run(['rm', '-f', name]);
}
