import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { mustRun, runProgram } from '../../testbed/program.ts';

// The tour of the README, which ends with an error unless every step comes out as it says.

const DEMO = fileURLToPath(new URL('../../scripts/demo/demo.ts', import.meta.url));
const env = { PATH: process.env.PATH ?? '', HOME: process.env.HOME ?? '/root' };

async function remains(): Promise<readonly string[]> {
  const links = await mustRun(['ip', '-oneline', 'link'], { env });
  const rules = await mustRun(['iptables-save'], { env });
  // The plugins leave their empty common chains, which all tools that use them share.
  return `${links}\n${rules}`.split('\n').filter((line) => /hctl|HCTL|CNI-DN|-A CNI-HOSTPORT-DNAT/.test(line));
}

test('three services, a network, a volume, a port and three kinds of check: started, broken, healed, torn down', async () => {
  const before = await remains();
  const { code, stdout, stderr } = await runProgram([process.execPath, '--import', 'tsx', DEMO, 'stack'], {
    env,
    cwd: fileURLToPath(new URL('../..', import.meta.url)),
    timeoutMs: 900_000,
  });
  expect({ code, stderr }, stdout).toMatchObject({ code: 0 });
  expect(stdout.match(/^visit \d+$/gm)).toEqual(['visit 1', 'visit 2', 'visit 3']);
  expect(stdout).toContain('1 restart: unhealthy: HTTP 500 Internal Server Error: it broke');
  expect(await remains()).toEqual(before);
}, 1_000_000);
