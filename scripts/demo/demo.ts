import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { composeProgram } from '../../testbed/debian-program.ts';
import { startContainerd, testbedEnvironment } from '../../testbed/private-containerd.ts';
import { playCompose, removeCompose } from './compose.ts';
import { takeScreenshot } from './screenshot.ts';
import { endMonitor, Interrupted, openSession, runQuietly } from './session.ts';
import { playStack, removeStack } from './stack.ts';
import { playCheck } from './story.ts';

const [story = 'check'] = process.argv.slice(2);
if (story !== 'check' && story !== 'stack' && story !== 'compose' && story !== 'top') {
  process.stderr.write(`unknown demo ${story}: choose check (the default), stack, compose or top\n`);
  process.exit(2);
}

/** The namespace of the demo. It is random because runc keeps its state by namespace for the whole machine. */
const namespace = `demo-${process.pid}`;

const interrupt = new AbortController();
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, () => interrupt.abort());

const provider = story === 'compose' ? await composeProgram() : undefined;
if (provider && 'missing' in provider) {
  process.stderr.write(`${provider.missing}\n`);
  process.exit(1);
}
const hasNetwork = story === 'stack' || story === 'compose';

const containerd = await startContainerd();
try {
  const directory = join(containerd.directory, 'demo');
  mkdirSync(directory);
  writeFileSync(join(containerd.directory, 'namespaces', namespace), '');
  const config = join(directory, 'healthctl.toml');
  const lines = [
    `watch_namespaces = ["${namespace}"]`,
    ...(hasNetwork ? [] : ['network = "none"']),
    ...(provider ? [`compose_provider = "${provider.path}"`] : []),
  ];
  writeFileSync(config, `${lines.join('\n')}\n`);
  const env = {
    ...testbedEnvironment(containerd.directory),
    CONTAINERD_ADDRESS: containerd.address,
    CONTAINERD_NAMESPACE: namespace,
    HEALTHCTL_RUN_ROOT: join(containerd.directory, 'run'),
    HEALTHCTL_DATA_ROOT: join(containerd.directory, 'data'),
    HEALTHCTL_TOML: config,
  };
  const session = openSession({ directory, env, signal: interrupt.signal });
  try {
    if (story === 'stack') await playStack(session, { port: 18_080 });
    else if (story === 'compose') await playCompose(session);
    else if (story === 'top') await takeScreenshot({ directory, env }, (args) => runQuietly({ directory, env }, args));
    else await playCheck(session);
  } finally {
    if (story === 'stack') await removeStack((args) => runQuietly({ directory, env }, args));
    if (story === 'compose') await removeCompose((args) => runQuietly({ directory, env }, args));
    await endMonitor({ directory, env });
  }
} catch (error) {
  process.exitCode = error instanceof Interrupted ? 130 : 1;
  process.stderr.write(`\n${error instanceof Error ? error.message : error}\n`);
} finally {
  await containerd.stop();
}
