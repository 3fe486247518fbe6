#!/usr/bin/env node
// `npm run demo`: healthctl on its own containerd, with real output. Installs and builds first what is missing, and
// leaves nothing running.
//   npm run demo             one web server with a check: healthy, unhealthy, healthy
//   npm run demo -- stack    a web server, an application and its database, with network, volume and published port
//   npm run demo -- compose  three services of a compose file, with Docker's compose from Debian's package
//   npm run demo -- top      makes docs/images/top.svg, a picture of the live screen
import { prepare, runNodeAsRoot } from './lib/prepare.mjs';
import { fail } from './lib/run.mjs';

const NETWORK = ['containernetworking-plugins', 'iptables'];

try {
  const [story = 'check'] = process.argv.slice(2);
  await prepare({ stack: NETWORK, compose: NETWORK, top: ['tmux'] }[story] ?? []);
  process.exitCode = await runNodeAsRoot(['--import', 'tsx', 'scripts/demo/demo.ts', story], {
    TSX_DISABLE_CACHE: '1',
  });
} catch (error) {
  fail(error);
}
