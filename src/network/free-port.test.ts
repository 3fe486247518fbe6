import { describe, expect, test } from 'vitest';
import { messageOf } from '../lib/errors.ts';
import { allocatePorts, type TryPort } from './free-port.ts';
import { type PublishedPort, parsePublish } from './port-spec.ts';

const heldBy = (hostIp: string, hostPort: number, protocol: PublishedPort['protocol'] = 'tcp'): PublishedPort => ({
  ...{ hostIp, hostPort, protocol },
  containerPort: 1,
});

/** A host whose programs listen on these ports. Random ports start at 40000. */
function hostWith(...inUse: readonly number[]): TryPort {
  let next = 40_000;
  return async ({ port }) => {
    if (port !== 0) return inUse.includes(port) ? undefined : port;
    next += 1;
    return next - 1;
  };
}

const allocate = async (
  text: string,
  { held = [], inUse = [] }: { held?: readonly PublishedPort[]; inUse?: readonly number[] } = {},
) =>
  (await allocatePorts(parsePublish(text), held, hostWith(...inUse))).map(
    ({ hostIp, hostPort }) => `${hostIp}:${hostPort}`,
  );
const failure = (work: Promise<unknown>) => work.then(() => 'no error', messageOf);

describe('allocating ports of the host', () => {
  test('takes the requested port, on all addresses unless one is given', async () => {
    expect(await allocate('8080:80')).toEqual(['0.0.0.0:8080']);
    expect(await allocate('127.0.0.1:8080:80')).toEqual(['127.0.0.1:8080']);
  });

  test('chooses any port that no container holds', async () => {
    expect(await allocate('80', { held: [heldBy('0.0.0.0', 40_000)] })).toEqual(['0.0.0.0:40001']);
    expect(await allocate('80-81')).toEqual(['0.0.0.0:40000', '0.0.0.0:40001']);
  });

  test('takes the first free port of a range', async () => {
    expect(await allocate('8000-8003:80', { held: [heldBy('0.0.0.0', 8000)], inUse: [8001] })).toEqual([
      '0.0.0.0:8002',
    ]);
  });

  test("refuses a port of another container with Docker's text if either is on all addresses", async () => {
    const expected = 'Bind for 0.0.0.0:80 failed: port is already allocated';
    expect(await failure(allocate('80:80', { held: [heldBy('0.0.0.0', 80)] }))).toBe(expected);
    expect(await failure(allocate('80:80', { held: [heldBy('10.1.1.1', 80)] }))).toBe(expected);
    expect(await failure(allocate('127.0.0.1:80:80', { held: [heldBy('0.0.0.0', 80)] }))).toMatch(/^Bind for 127/);
  });

  test('another address, protocol or port is no conflict', async () => {
    const held = [heldBy('10.1.1.1', 80), heldBy('0.0.0.0', 80, 'udp'), heldBy('0.0.0.0', 81)];
    expect(await allocate('127.0.0.1:80:80', { held })).toEqual(['127.0.0.1:80']);
  });

  test('refuses a port on which a program of the host listens', async () => {
    expect(await failure(allocate('80:80', { inUse: [80] }))).toBe(
      'failed to bind host port 0.0.0.0:80/tcp: address already in use',
    );
  });

  test('refuses a range without a free port', async () => {
    expect(await failure(allocate('80-81:80', { inUse: [80, 81] }))).toBe('all ports are allocated');
  });
});
