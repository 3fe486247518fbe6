import { describe, expect, test } from 'vitest';
import { ALL_CAPABILITIES, capabilitiesOfMask, DEFAULT_CAPABILITIES, resolveCapabilities } from './capabilities.ts';

const available = ALL_CAPABILITIES;
const NOTHING = { add: [], drop: [], privileged: false, available };

test("a container has Docker's 14 capabilities by default", () => {
  expect(resolveCapabilities(NOTHING)).toEqual(DEFAULT_CAPABILITIES);
  expect([...DEFAULT_CAPABILITIES].sort()).toEqual(capabilitiesOfMask('a80425fb').slice().sort());
});

describe('--cap-add and --cap-drop', () => {
  test.each([
    [['NET_ADMIN'], [], [...DEFAULT_CAPABILITIES, 'CAP_NET_ADMIN']],
    [['cap_net_admin', 'Net_Admin', ' CHOWN'], [], [...DEFAULT_CAPABILITIES, 'CAP_NET_ADMIN']],
    [[], ['ALL'], []],
    [['CHOWN', 'chown'], ['all'], ['CAP_CHOWN']],
    [['ALL'], ['CAP_SYS_ADMIN'], available.filter((name) => name !== 'CAP_SYS_ADMIN')],
    [['ALL'], ['ALL'], available],
    [['CHOWN'], ['CHOWN'], [...DEFAULT_CAPABILITIES.filter((name) => name !== 'CAP_CHOWN'), 'CAP_CHOWN']],
    [[], ['net_raw'], DEFAULT_CAPABILITIES.filter((name) => name !== 'CAP_NET_RAW')],
  ])('add %j, drop %j', (add, drop, expected) => {
    expect(resolveCapabilities({ ...NOTHING, add, drop })).toEqual(expected);
  });

  test('refuse an unknown name', () => {
    const error = (message: string) => expect.objectContaining({ code: 'INVALID', message });
    expect(() => resolveCapabilities({ ...NOTHING, add: ['nonesuch'] })).toThrow(
      error('invalid CapAdd: unknown capability: "CAP_NONESUCH"'),
    );
    expect(() => resolveCapabilities({ ...NOTHING, drop: ['a"b'] })).toThrow(
      error('invalid CapDrop: unknown capability: "CAP_A\\"B"'),
    );
    expect(() => resolveCapabilities({ ...NOTHING, add: ['BPF'], available: ['CAP_CHOWN'] })).toThrow(
      error(
        'invalid CapAdd: capability not supported by your kernel or not available in the current environment: "CAP_BPF"',
      ),
    );
  });
});

test('--privileged gives all capabilities of this machine', () => {
  expect(resolveCapabilities({ ...NOTHING, privileged: true, available: ['CAP_CHOWN', 'CAP_BPF'] })).toEqual([
    'CAP_CHOWN',
    'CAP_BPF',
  ]);
});

test('reads a capability mask of the kernel', () => {
  expect(capabilitiesOfMask('0000000000000001')).toEqual(['CAP_CHOWN']);
  expect(capabilitiesOfMask('000001ffffffffff')).toEqual(ALL_CAPABILITIES);
  expect(capabilitiesOfMask('ffffffffffffffff')).toEqual(ALL_CAPABILITIES);
  expect(() => capabilitiesOfMask('')).toThrow(expect.objectContaining({ code: 'CORRUPT' }));
});
