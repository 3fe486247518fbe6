#!/usr/bin/env node
// `npm run demo`: healthctl at work on a containerd of its own, with real output. Installs and builds first what is missing; leaves nothing running.
import { prepare, runNodeAsRoot } from './lib/prepare.mjs';
import { fail } from './lib/run.mjs';

try {
  await prepare();
  process.exitCode = await runNodeAsRoot(['--import', 'tsx', 'scripts/demo/demo.ts'], { TSX_DISABLE_CACHE: '1' });
} catch (error) {
  fail(error);
}
