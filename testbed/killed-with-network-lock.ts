// Takes the lock on networks in the data root argv[2], starts a program that runs for argv[3] seconds, and is killed: what a command that is
// killed with a plugin at work leaves.
import { systemClock } from '../src/lib/clock.ts';
import { silentLogger } from '../src/lib/logger.ts';
import { withNetworkLock } from '../src/network/places.ts';
import { runProgram } from '../src/system/run-program.ts';

const [, , dataRoot = '', seconds = ''] = process.argv;
const settings = { defaultNetwork: 'bridge', bridgeSubnet: undefined, cniBinDir: undefined };
const dirs = { dataRoot, runRoot: dataRoot, hostId: 'h' };
await withNetworkLock({ dirs, settings, clock: systemClock, log: silentLogger }, async (ctx) => {
  const running = runProgram(ctx, { file: '/bin/sleep', args: [seconds] });
  process.stdout.write('locked\n', () => process.kill(process.pid, 'SIGKILL'));
  await running;
});
