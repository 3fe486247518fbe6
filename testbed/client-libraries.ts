import { copyFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Had } from './debian-program.ts';
import { madeOnce, processEnvironment } from './debian-root.ts';
import { mustRun } from './program.ts';

/** The sessions of clients that `test/long/clients.test.ts` plays. */
export const CLIENTS = fileURLToPath(new URL('clients/', import.meta.url));

const NPM = ['dockerode@5.0.1', 'testcontainers@11.14.0']; // testcontainers 12 needs Node.js 22
const PYTHON = ['docker==7.2.0'];
/** Of Testcontainers.java; the versions are in `clients/pom.xml`, and this number changes with them. */
const JAVA = 'testcontainers-2.0.5';
const COPY_DEPENDENCIES = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies';

/** A directory with `node_modules`. */
export const nodeLibraries = (): Promise<Had> =>
  libraries(`npm-${NPM.join('-')}`, ['npm', 'install', '--prefix', 'made', '--ignore-scripts', '--no-audit', ...NPM]);

/** A directory for PYTHONPATH. */
export const pythonLibraries = (): Promise<Had> =>
  libraries(`python-${PYTHON.join('-')}`, [
    'python3',
    '-m',
    'pip',
    '--quiet',
    'install',
    '--target',
    'made',
    ...PYTHON,
  ]);

/** A directory of archives for the class path. */
export const javaLibraries = (): Promise<Had> =>
  libraries(`java-${JAVA}`, ['mvn', '--quiet', '--batch-mode', COPY_DEPENDENCIES, '-DoutputDirectory=made']);

/** Has a package manager install libraries into a directory, once for all runs: neither this project nor the host has them. */
async function libraries(name: string, command: readonly string[]): Promise<Had> {
  try {
    const path = await madeOnce(name, async (work) => {
      mkdirSync(join(work, 'made'));
      copyFileSync(join(CLIENTS, 'pom.xml'), join(work, 'pom.xml'));
      await mustRun(command, { env: processEnvironment(), cwd: work, timeoutMs: 600_000 });
      return join(work, 'made');
    });
    return { path };
  } catch (error) {
    return { missing: `no ${name}: ${error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error)}` };
  }
}
