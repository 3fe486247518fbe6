import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { mustRun, runProgram } from '../../testbed/program.ts';

// The demo that the README shows. It ends with an error if a step has another result than expected.

const DEMO = fileURLToPath(new URL('../../scripts/demo/demo.ts', import.meta.url));
const env = { PATH: process.env.PATH ?? '', HOME: process.env.HOME ?? '/root' };

async function remains(): Promise<readonly string[]> {
  const links = await mustRun(['ip', '-oneline', 'link'], { env });
  const rules = await mustRun(['iptables-save'], { env });
  // The plugins leave their common chains, which are empty and shared by all tools.
  return `${links}\n${rules}`.split('\n').filter((line) => /hctl|HCTL|CNI-DN|-A CNI-HOSTPORT-DNAT/.test(line));
}

test('three services, a network, a volume, a port and three kinds of check are started, broken, healed and removed', async () => {
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
