// Leaves what a command leaves that is killed while a plugin runs: takes the network lock in the data root argv[2],
// starts a program that runs while the file argv[3] exists, and kills itself.
import { systemClock } from '../src/lib/clock.ts';
import { silentLogger } from '../src/lib/logger.ts';
import { withNetworkLock } from '../src/network/network-context.ts';
import { runProgram } from '../src/system/run-program.ts';

const [, , dataRoot = '', whileExists = ''] = process.argv;
const settings = { defaultNetwork: 'bridge', bridgeSubnet: undefined, cniBinDir: undefined };
const dirs = { dataRoot, runRoot: dataRoot, hostId: 'h' };
await withNetworkLock({ dirs, settings, clock: systemClock, log: silentLogger }, async (ctx) => {
  const script = 'while [ -e "$0" ]; do sleep 0.05; done';
  const running = runProgram(ctx, { file: '/bin/sh', args: ['-c', script, whileExists] });
  process.stdout.write('locked\n', () => process.kill(process.pid, 'SIGKILL'));
  await running;
});
