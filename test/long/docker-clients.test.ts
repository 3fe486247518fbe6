import { dockerProgram } from '../../testbed/debian-program.ts';
import { peerProgram } from '../../testbed/nerdctl-program.ts';
import { describeClientScenarios } from '../compat/client-replay.ts';
import { SCENARIOS } from '../compat/replay.ts';

for (const client of [
  { version: '29', program: () => peerProgram('docker-29') },
  { version: '28', program: () => dockerProgram('sid') },
  { version: '26', program: () => dockerProgram('trixie') },
  { version: '20', program: () => dockerProgram('bookworm') },
])
  describeClientScenarios(`docker ${client.version} on the monitor's socket: all scenarios`, {
    client,
    names: SCENARIOS,
    limitMs: 2_500_000,
  });
