import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { debianMirror, madeOnce, processEnvironment } from './debian-root.ts';
import { findPeer } from './nerdctl-program.ts';
import { mustRun } from './program.ts';

/** A program of a package: newer than Debian 12's, so it is never installed. */
interface Wanted {
  readonly name: string;
  /** In the package. */
  readonly path: string;
  /** Called once with these, to see that it runs. */
  readonly check: readonly string[];
}

const PLUGINS = 'usr/libexec/docker/cli-plugins';
/** The first has the versions with which recordings were made; Debian 12 has an old compose in Python, and no buildx. */
const SUITES = ['sid', 'trixie'];

/** A path, or why there is none. */
export type Had = { readonly path: string } | { readonly missing: string };

/** The versions of Docker's compose that tests use. 2.40 made the recordings; it, or what `HEALTHCTL_COMPOSE` names, is the usual one. */
export const COMPOSE_VERSIONS = ['5.6', '2.40', '2.26'] as const;
export type ComposeVersion = (typeof COMPOSE_VERSIONS)[number];

/** Docker's compose: two versions are in Debian's packages, the newest is built from its sources. */
export async function composeProgram(version: ComposeVersion = '2.40'): Promise<Had> {
  const wanted = { name: 'docker-compose', path: `${PLUGINS}/docker-compose`, check: ['version'] };
  if (version === '2.26') return debianProgram(wanted, ['trixie']);
  if (version === '5.6') {
    const path = findPeer('compose-5');
    return path ? { path } : { missing: 'compose 5.6 is not built: npm run peers -- compose-5' };
  }
  const { HEALTHCTL_COMPOSE: named } = processEnvironment();
  if (named) return existsSync(named) ? { path: named } : { missing: `there is no ${named}` };
  return debianProgram(wanted);
}

/** Docker's command line, of the version that a suite of Debian has: 28.5 in sid, 26.1 in trixie, 20.10 in bookworm. */
export const dockerProgram = (suite: 'sid' | 'trixie' | 'bookworm'): Promise<Had> =>
  debianProgram(
    { name: suite === 'bookworm' ? 'docker.io' : 'docker-cli', path: 'usr/bin/docker', check: ['--version'] },
    [suite],
  );

/** Docker's buildx, which runs without docker. */
export const buildxProgram = (): Promise<Had> =>
  debianProgram({ name: 'docker-buildx', path: `${PLUGINS}/docker-buildx`, check: ['version'] });

/** Unpacked once for all runs. */
async function debianProgram(wanted: Wanted, suites: readonly string[] = SUITES): Promise<Had> {
  const reasons: string[] = [];
  for (const suite of suites) {
    try {
      const root = await madeOnce(`${wanted.name}-${suite}-${process.arch}`, (work) => unpack(work, suite, wanted));
      return { path: join(root, wanted.path) };
    } catch (error) {
      reasons.push(`${suite}: ${error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error)}`);
    }
  }
  return { missing: `no ${wanted.name} from Debian's packages (${reasons.join('; ')})` };
}

/** With an apt of its own, so that the machine's sources and packages stay as they are. */
async function unpack(work: string, suite: string, { name, path, check }: Wanted): Promise<string> {
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
  await run(['apt-get', '-q', ...options, 'download', name]);
  const [deb = ''] = readdirSync(work).filter((file) => file.endsWith('.deb'));
  await run(['dpkg-deb', '--extract', deb, 'root']);
  await run([join(work, 'root', path), ...check]);
  return join(work, 'root');
}
