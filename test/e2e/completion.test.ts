import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { connect } from '../../src/containerd/client.ts';
import { openBareContainers } from '../../testbed/bare-container.ts';
import { describeWith } from '../../testbed/needed-program.ts';
import { mustRun, startProgram } from '../../testbed/program.ts';
import { type Bed, HEALTHCTL, openBed } from './support/harness.ts';

// Completion as a user has it: real shells, the printed script, a real containerd, and names that other tools chose.

let bed: Bed;
let env: Record<string, string>;
let touched: string;
/** One name for each text that a shell could run. The first letter distinguishes them. */
let odd: readonly string[];

beforeAll(async () => {
  bed = await openBed();
  touched = join(bed.directory, 'touched');
  odd = [
    `1$(touch ${touched})`,
    `2\`touch ${touched}\``,
    `3;touch ${touched}`,
    `4'5"6 \\7`,
    '8{a,b}*?[c]~!',
    '9 é$HOME',
  ];
  const bin = join(bed.directory, 'bin');
  mkdirSync(bin);
  // Completion is healthctl's own; a completed line is only printed, word for word.
  const script = `#!/bin/sh\ncase $1 in __complete | completion) exec '${HEALTHCTL}' "$@" ;; esac\nprintf '<%s>' "$@" >'${shown()}'\n`;
  writeFileSync(join(bin, 'healthctl'), script);
  chmodSync(join(bin, 'healthctl'), 0o755);
  const PATH = `${bin}:${process.env.PATH ?? ''}`;
  const settings = {
    CONTAINERD_ADDRESS: bed.address,
    CONTAINERD_NAMESPACE: bed.namespace,
    HEALTHCTL_RUN_ROOT: bed.runRoot,
    HEALTHCTL_DATA_ROOT: bed.dataRoot,
  };
  env = { ...bed.env, ...settings, PATH, HOME: bed.directory, TERM: 'dumb', PS1: 'READY> ', LC_ALL: 'C.UTF-8' };
  const image = await bed.image();
  await bed.ok(['run', '-d', '--name', 'web-up', '--health-cmd', 'true', image, 'sleep', '600']);
  await bed.ok(['create', '--name', 'web-down', image, 'true']);
  await bed.ok(['volume', 'create', 'volume-1']);
  const containerd = connect(bed);
  const bare = await openBareContainers({ containerd, directory: bed.directory, ctr: bed.ctr });
  for (const name of [...odd, '0\u001b[2J', '--force']) await bare.create('true', { labels: { 'nerdctl/name': name } });
  containerd.close();
});
afterAll(async () => {
  await bed.ok(['rm', '-f', 'web-up', 'web-down']);
  await bed[Symbol.asyncDispose]();
});

const shown = () => join(bed.directory, 'shown');

interface Shell extends AsyncDisposable {
  /**
   * Types keys and Enter.
   * @returns the words of the command line that healthctl got
   */
  enter(keys: string): Promise<string>;
  /** Types keys. */
  type(keys: string): void;
  shows(wanted: RegExp): Promise<void>;
  screen(): string;
}

/** A shell on a terminal, with completion set up. */
async function openShell(name: 'bash' | 'zsh'): Promise<Shell> {
  const isBash = name === 'bash';
  const options = { env, cwd: bed.directory, tty: true };
  const running = startProgram(isBash ? ['bash', '--norc', '--noprofile', '-i'] : ['zsh', '-f', '-i'], options);
  const setUp = isBash
    ? 'bind "set enable-bracketed-paste off"'
    : 'unset zle_bracketed_paste; unsetopt prompt_sp; LISTMAX=1000; autoload -Uz compinit; compinit -u -D';
  let lines = 0;
  const ended = async (): Promise<void> => {
    lines += 1;
    running.write(`echo line'-'${lines}.\n`);
    await running.prints(`line-${lines}.`);
  };
  await running.prints('READY> ');
  running.write(`${setUp}; source <(healthctl completion ${name})\n`);
  await ended();
  return {
    enter: async (keys) => {
      writeFileSync(shown(), '');
      running.write(`${keys}\n`);
      await ended();
      return readFileSync(shown(), 'utf8');
    },
    type: running.write,
    shows: (wanted) => running.prints(wanted),
    screen: running.stdout,
    [Symbol.asyncDispose]: async () => {
      running.kill('SIGKILL');
      await running.exited;
    },
  };
}

// `npm test` installs the shells if there is apt-get.
for (const name of ['bash', 'zsh'] as const) describeWith(name, name, () => testShell(name));

function testShell(name: 'bash' | 'zsh'): void {
  let shell: Shell;
  beforeAll(async () => {
    shell = await openShell(name);
  });
  afterAll(() => shell[Symbol.asyncDispose]());

  test.each([
    ['healthctl net\tcr\t', '<network><create>'],
    ['healthctl stop web\t', '<stop><web-up>'],
    ['healthctl start web-\t', '<start><web-down>'],
    ['healthctl run --health-on-f\tre\t', '<run><--health-on-failure><restart>'],
    ['healthctl run --pull=mi\t x', '<run><--pull=missing><x>'],
    ['healthctl ps --filter hea\tunh\t', '<ps><--filter><health=unhealthy>'],
    ['healthctl volume rm vol\t', '<volume><rm><volume-1>'],
    ['healthctl run --network=container:web-u\t', '<run><--network=container:web-up>'],
    ['healthctl load -i ./heal\t', '<load><-i><./healthctl.toml>'],
    ['healthctl run --env-file=./heal\t x', '<run><--env-file=./healthctl.toml><x>'],
    ['healthctl --data-root ./bi\tps', '<--data-root><./bin/ps>'],
  ])('%j', async (keys, words) => expect(await shell.enter(keys)).toBe(words));

  test('completes a name that a shell could run word for word, and runs nothing', async () => {
    for (const one of odd) expect(await shell.enter(`healthctl logs ${one[0]}\t`)).toBe(`<logs><${one}>`);
    expect(existsSync(touched)).toBe(false);
  });

  test.each([`"`, `'`])('completes it within a quote too: %s', async (quote) => {
    for (const one of odd) await shell.enter(`: healthctl logs ${quote}${one[0]}\t${quote}`);
    shell.type('\u0003');
    await shell.enter('');
    expect(existsSync(touched)).toBe(false);
  });

  test('lists all names, except options and those that a terminal would interpret', async () => {
    const before = shell.screen().length;
    shell.type('healthctl logs \t\t');
    await shell.shows(/logs [\s\S]*web-down[\s\S]*web-up/);
    const screen = shell.screen().slice(before);
    expect(screen).not.toContain('0\u001b[2J');
    expect(screen).not.toContain('--force');
    if (name === 'zsh') expect(screen).toMatch(/web-down +-- .*, created/);
    shell.type('\u0003');
  });
}

describeWith('fish', 'fish', () => {
  const fish = async (script: string) =>
    mustRun(['fish', '--no-config', '-c', `healthctl completion fish | source; ${script}`], {
      env,
      cwd: bed.directory,
    });

  test.each([
    ['healthctl netw', /^network\tManage networks$/m],
    ['healthctl stop ', /^web-up\t.*, (starting|healthy)$/m],
    ['healthctl run --pull=mi', /^--pull=missing$/m],
    ['healthctl run --env-file=./heal', /^--env-file=\.\/healthctl\.toml/m],
    ['healthctl run --env-file ./heal', /^\.\/healthctl\.toml/m],
    ['healthctl --data-root ./bi', /^\.\/bin\/\t/m],
    ['healthctl run --network=container:web-u', /^--network=container:web-up\t/m],
  ])('%s', async (line, expected) => expect(await fish(`complete -C ${JSON.stringify(line)}`)).toMatch(expected));

  test('completes a name that a shell could run word for word, and runs nothing', async () => {
    for (const name of odd) {
      await fish(`eval healthctl logs (complete --escape -C 'healthctl logs ${name[0]}' | string split -f1 \\t)`);
      expect(readFileSync(shown(), 'utf8')).toBe(`<logs><${name}>`);
    }
    expect(existsSync(touched)).toBe(false);
  });
});
