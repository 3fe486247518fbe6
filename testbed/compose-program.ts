import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { debianMirror, madeOnce, processEnvironment } from './debian-root.ts';
import { mustRun } from './program.ts';

/** Where Debian's package has docker's plugin, which runs alone too. */
const PLUGIN = 'usr/libexec/docker/cli-plugins/docker-compose';
/** The recordings were made with the version of the first; Debian 12 has only the old one in Python. */
const SUITES = ['sid', 'trixie'];

/**
 * Docker's compose: the program that `HEALTHCTL_COMPOSE` names, else that of Debian's package, unpacked once for all
 * runs; the package is never installed.
 *
 * @returns its path, or why there is none
 */
export async function composeProgram(): Promise<{ readonly path: string } | { readonly missing: string }> {
  const { HEALTHCTL_COMPOSE: named } = processEnvironment();
  if (named) return existsSync(named) ? { path: named } : { missing: `there is no ${named}` };
  const reasons: string[] = [];
  for (const suite of SUITES) {
    try {
      const root = await madeOnce(`docker-compose-${suite}-${process.arch}`, (work) => unpack(work, suite));
      return { path: join(root, PLUGIN) };
    } catch (error) {
      reasons.push(`${suite}: ${error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error)}`);
    }
  }
  return { missing: `no docker-compose from Debian's packages (${reasons.join('; ')})` };
}

/** With an apt of its own, so that the machine's sources and packages stay as they are. */
async function unpack(work: string, suite: string): Promise<string> {
  const env = { ...processEnvironment(), LC_ALL: 'C' };
  const run = (command: readonly string[]) => mustRun(command, { env, cwd: work, timeoutMs: 300_000 });
  mkdirSync(join(work, 'lists/partial'), { recursive: true });
  mkdirSync(join(work, 'cache/archives/partial'), { recursive: true });
  writeFileSync(join(work, 'status'), '');
  writeFileSync(join(work, 'sources.list'), `deb ${await debianMirror(run)} ${suite} main\n`);
  const options = [
    ...[`Dir::Etc::sourcelist=${work}/sources.list`, 'Dir::Etc::sourceparts=/dev/null'],
    ...[`Dir::State::lists=${work}/lists`, `Dir::Cache=${work}/cache`, `Dir::State::status=${work}/status`],
    ...['APT::Sandbox::User=root', 'Acquire::Languages=none', 'Acquire::Check-Valid-Until=false'],
  ].flatMap((option) => ['-o', option]);
  await run(['apt-get', '-q', ...options, 'update']);
  await run(['apt-get', '-q', ...options, 'download', 'docker-compose']);
  const [deb = ''] = readdirSync(work).filter((name) => name.endsWith('.deb'));
  await run(['dpkg-deb', '--extract', deb, 'root']);
  await run([join(work, 'root', PLUGIN), 'version']);
  return join(work, 'root');
}
