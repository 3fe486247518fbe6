#!/usr/bin/env node
// `npm run demo`: healthctl at work on a containerd of its own, with real output. Installs and builds first what is missing; leaves nothing running.
//   npm run demo             one web server, its check, healthy, unhealthy, healthy
//   npm run demo -- stack    a web server, an application and its database, on a network, with a volume and a published port
import { prepare, runNodeAsRoot } from './lib/prepare.mjs';
import { fail } from './lib/run.mjs';

try {
  const [story = 'check'] = process.argv.slice(2);
  await prepare(story === 'stack' ? ['containernetworking-plugins', 'iptables'] : []);
  process.exitCode = await runNodeAsRoot(['--import', 'tsx', 'scripts/demo/demo.ts', story], {
    TSX_DISABLE_CACHE: '1',
  });
} catch (error) {
  fail(error);
}
