import { describe, expect, test } from 'vitest';
import { systemClock } from '../lib/clock.ts';
import { isAlive, listSession, parseStat, readBootId, readStat } from './proc.ts';

describe('parseStat', () => {
  const tail = 'S 1 77 88 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 123456 0 0';
  test.each(['sh', 'a b', 'evil) S 9 9 9', '((', ')'])('parses the entry of a process named %j', (name) => {
    expect(parseStat(42, `42 (${name}) ${tail}`)).toEqual({
      pid: 42,
      state: 'S',
      parentPid: 1,
      groupId: 77,
      sessionId: 88,
      startTimeTicks: 123456,
    });
  });
  test('refuses other texts', () => {
    expect(parseStat(42, '')).toBeUndefined();
    expect(parseStat(42, '42 (sh) S 1')).toBeUndefined();
  });
});

describe('reading /proc', () => {
  test('describes this process', () => {
    const stat = readStat(process.pid);
    expect(isAlive(stat)).toBe(true);
    expect(stat?.parentPid).toBe(process.ppid);
    expect(listSession(stat?.sessionId ?? 0).map(({ pid }) => pid)).toContain(process.pid);
    const startedMs = (stat?.startTimeTicks ?? 0) * 10;
    expect(Math.abs(systemClock.boot() - startedMs - process.uptime() * 1000)).toBeLessThan(1000);
    expect(readBootId()).toMatch(/^[0-9a-f-]{36}$/);
  });
  test('returns undefined for an unknown process', () => {
    expect(readStat(2 ** 30)).toBeUndefined();
    expect(isAlive(undefined)).toBe(false);
  });
});
