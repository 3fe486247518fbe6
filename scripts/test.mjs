#!/usr/bin/env node
import { prepare, runNodeAsRoot } from './lib/prepare.mjs';
// `npm test`: from a fresh clone, on a machine with only Node.js and npm, to the result of every test.
//
//   npm test [-- VITEST OPTIONS]            everything but test/long and test/peers; under 10 minutes on 2 cores
//   npm run test:long [-- VITEST OPTIONS]   test/long; without options also test/peers with every nerdctl
import { fail, run } from './lib/run.mjs';
import { setUp } from './setup.mjs';

const long = process.argv[2] === '--long';
const options = process.argv.slice(long ? 3 : 2);
const projects = options.some((option) => option.startsWith('--project'))
  ? []
  : [long ? '--project=long' : ['unit', 'integration', 'e2e', 'compat'].map((name) => `--project=${name}`)].flat();

try {
  await prepare([
    ...['docker-registry', 'iproute2', 'iptables', 'containernetworking-plugins', 'zsh', 'fish', 'mandoc', 'tmux'],
    ...(long ? ['prometheus'] : []),
  ]);
  if (long)
    await setUp(['chromium']).catch(({ message }) =>
      console.log(`without Chromium the page is not tested: ${message}`),
    );
  process.exitCode = await runNodeAsRoot(['node_modules/vitest/vitest.mjs', 'run', ...projects, ...options]);
  if (long && options.length === 0) {
    const { code } = await run(process.execPath, ['scripts/peers.mjs', '--test', 'all'], { show: true });
    process.exitCode ||= code;
  }
} catch (error) {
  fail(error);
}
