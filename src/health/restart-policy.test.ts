import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  isToRestart,
  NO_RESTART,
  parseRestartPolicy,
  RESTART_POLICY_NAMES,
  restartDelayMs,
  restartPolicyText,
} from './restart-policy.ts';

test.each([
  ['', NO_RESTART],
  ['no', NO_RESTART],
  ['always', { name: 'always', maximumRetryCount: 0 }],
  ['unless-stopped', { name: 'unless-stopped', maximumRetryCount: 0 }],
  ['on-failure', { name: 'on-failure', maximumRetryCount: 0 }],
  ['on-failure:', { name: 'on-failure', maximumRetryCount: 0 }],
  ['on-failure:3', { name: 'on-failure', maximumRetryCount: 3 }],
])('parses %j', (text, policy) => {
  expect(parseRestartPolicy(text)).toEqual(policy);
});

test.each([
  [':3', 'invalid restart policy format: no policy provided before colon'],
  ['on-failure:x', 'invalid restart policy format: maximum retry count must be an integer'],
  ['on-failure:1:2', 'invalid restart policy format: maximum retry count must be an integer'],
  ['on-failure:-1', 'invalid restart policy: maximum retry count cannot be negative'],
  ['always:2', "invalid restart policy: maximum retry count can only be used with 'on-failure'"],
  [
    'sometimes',
    "invalid restart policy: unknown policy 'sometimes'; use one of 'no', 'always', 'on-failure', or 'unless-stopped'",
  ],
])('refuses %j', (text, message) => {
  expect(() => parseRestartPolicy(text)).toThrow(message);
});

test('parses what it wrote', () => {
  fc.assert(
    fc.property(fc.constantFrom(...RESTART_POLICY_NAMES), fc.nat(100), (name, count) => {
      const policy = { name, maximumRetryCount: name === 'on-failure' ? count : 0 };
      expect(parseRestartPolicy(restartPolicyText(policy))).toEqual(policy);
    }),
  );
});

describe('the exits that a restart follows', () => {
  const ending = { exitCode: 1, isStoppedByUser: false, restarts: 2 };
  test.each([
    ['no', ending, false],
    ['always', ending, true],
    ['always', { ...ending, exitCode: 0 }, true],
    ['unless-stopped', { ...ending, exitCode: 0 }, true],
    ['on-failure', ending, true],
    ['on-failure', { ...ending, exitCode: 0 }, false],
    ['on-failure:3', ending, true],
    ['on-failure:2', ending, false],
  ] as const)('policy %s, %o: %s', (text, facts, expected) => {
    const policy = parseRestartPolicy(text);
    expect(isToRestart({ ...facts, policy })).toBe(expected);
    expect(isToRestart({ ...facts, policy, isStoppedByUser: true })).toBe(false);
  });
});

test('restart delays double from one second to five minutes', () => {
  expect([0, 1, 2, 8, 9, 1_000].map(restartDelayMs)).toEqual([1_000, 2_000, 4_000, 256_000, 300_000, 300_000]);
});
