import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { arrangeRules } from './seccomp-arrange.ts';
import { syscallsByNumber } from './syscall-order.ts';
import type { SeccompArgument, SeccompRule } from './types.ts';

const ALLOW = 'SCMP_ACT_ALLOW';
const ALL_BITS = 2n ** 64n - 1n;

const equal = (value: number | bigint, index = 0): SeccompArgument => ({
  index,
  op: 'SCMP_CMP_EQ',
  value,
  valueTwo: 0,
});

const allow = (name: string, value: number | bigint): SeccompRule => ({
  names: [name],
  action: ALLOW,
  args: [equal(value)],
});

/** The decision of the first matching rule; undefined if none matches. */
function decide(rules: readonly SeccompRule[], name: string, args: readonly bigint[]): string | undefined {
  const rule = rules.find((one) => one.names.includes(name) && (one.args ?? []).every((each) => matches(each, args)));
  return rule && `${rule.action} ${rule.errnoRet ?? ''}`;
}

function matches({ index, op, value, valueTwo = 0 }: SeccompArgument, args: readonly bigint[]): boolean {
  const arg = args[index] ?? 0n;
  if (op === 'SCMP_CMP_EQ') return arg === BigInt(value);
  if (op === 'SCMP_CMP_LT') return arg < BigInt(value);
  if (op === 'SCMP_CMP_LE') return arg <= BigInt(value);
  if (op === 'SCMP_CMP_MASKED_EQ') return (arg & BigInt(value)) === BigInt(valueTwo);
  throw new Error(`${op} is not known here`);
}

describe('arrangeRules', () => {
  test('puts the highest system call first and unknown ones last, and keeps equal names together', () => {
    const rules = [{ names: ['read', 'made_up', 'chown32', 'write', 'mseal'], action: ALLOW }];
    expect(arrangeRules(rules)).toEqual([{ names: ['mseal', 'write', 'read', 'chown32', 'made_up'], action: ALLOW }]);
  });

  test('merges values that form all combinations of some bits', () => {
    const rules = [0, 8, 0x20000, 0x20008, 0xffffffff].map((value) => allow('personality', value));
    expect(arrangeRules(rules)).toEqual([
      {
        names: ['personality'],
        action: ALLOW,
        args: [{ index: 0, op: 'SCMP_CMP_MASKED_EQ', value: 0xffff_ffff_fffd_fff7n, valueTwo: 0 }],
      },
      {
        names: ['personality'],
        action: ALLOW,
        args: [{ index: 0, op: 'SCMP_CMP_MASKED_EQ', value: ALL_BITS, valueTwo: 0xffffffff }],
      },
    ]);
  });

  test('does not change values that cannot be merged', () => {
    const rules = [0, 3, 5].map((value) => allow('personality', value));
    expect(arrangeRules(rules)).toEqual(rules);
  });

  test('replaces numbers below a bound by values if that does not need more rules', () => {
    const below = (op: string, value: number): SeccompRule => ({
      names: ['socket'],
      action: ALLOW,
      args: [{ index: 0, op, value, valueTwo: 0 }],
    });
    const masked = (mask: bigint, value: number): SeccompRule => ({
      names: ['socket'],
      action: ALLOW,
      args: [{ index: 0, op: 'SCMP_CMP_MASKED_EQ', value: mask, valueTwo: value }],
    });
    const values = [8, 9].map((value) => allow('socket', value));
    const merged = [masked(ALL_BITS - 7n, 0), masked(ALL_BITS - 9n, 0)];
    expect(arrangeRules([below('SCMP_CMP_LT', 8), ...values])).toEqual(merged);
    expect(arrangeRules([below('SCMP_CMP_LE', 7), ...values])).toEqual(merged);
    const odd = [below('SCMP_CMP_LT', 7), allow('socket', 96), allow('socket', 200)];
    expect(arrangeRules(odd)).toEqual(odd);
    const far = [below('SCMP_CMP_LT', 100_000), ...[200_000, 200_001].map((value) => allow('socket', value))];
    expect(arrangeRules(far)).toEqual([below('SCMP_CMP_LT', 100_000), masked(ALL_BITS - 1n, 200_000)]);
  });

  test('does not change rules with different actions, whose order decides', () => {
    const rules = [
      allow('clone', 1),
      { ...allow('clone', 0), action: 'SCMP_ACT_ERRNO', errnoRet: 38 },
      allow('clone', 2),
    ];
    expect(arrangeRules(rules)).toEqual(rules);
  });

  test('decides about each call as the rules did', () => {
    const value = fc.oneof(fc.bigInt(0n, 9n), fc.constantFrom(2n ** 32n - 1n, 2n ** 63n, 2n ** 64n - 1n));
    const argument = fc.record({
      index: fc.integer({ min: 0, max: 1 }),
      op: fc.constantFrom('SCMP_CMP_EQ', 'SCMP_CMP_EQ', 'SCMP_CMP_EQ', 'SCMP_CMP_LT', 'SCMP_CMP_LE'),
      value,
      valueTwo: fc.constant(0),
    });
    const end = fc.constantFrom({ action: ALLOW }, { action: ALLOW }, { action: 'SCMP_ACT_ERRNO', errnoRet: 38 });
    const rule = fc
      .tuple(fc.subarray(['socket', 'read', 'made_up'], { minLength: 1 }), end, fc.array(argument, { maxLength: 2 }))
      .map(([names, ends, args]): SeccompRule => ({ names, ...ends, ...(args.length > 0 && { args }) }));
    fc.assert(
      fc.property(
        fc.array(rule, { maxLength: 30 }),
        fc.array(fc.tuple(value, value), { minLength: 20 }),
        (rules, calls) => {
          const arranged = arrangeRules(rules);
          for (const name of ['socket', 'read', 'made_up', 'other'])
            for (const call of calls) expect(decide(arranged, name, call)).toBe(decide(rules, name, call));
        },
      ),
    );
  });

  test('handles a list of thousands of values quickly', () => {
    const rules = Array.from({ length: 256 }, (_, value) => allow('ioctl', value));
    expect(arrangeRules(rules)).toHaveLength(1);
    const many = Array.from({ length: 3_000 }, (_, value) => allow('ioctl', value));
    expect(arrangeRules(many)).toHaveLength(3_000);
  });
});

test('the list of system calls has each name once', () => {
  const names = syscallsByNumber();
  expect(new Set(names).size).toBe(names.length);
});
