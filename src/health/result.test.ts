import { describe, expect, test } from 'vitest';
import { T0 } from '../../test/builders/health.ts';
import { resultFromOutcome, resultKindOf, rfc3339FromMillis, tellingLine } from './result.ts';

describe('resultFromOutcome', () => {
  const times = { startMs: T0, endMs: T0 + 1050 };
  test.each([
    [{ kind: 'exited', code: 7, output: 'seven\n' }, 7, 'seven\n'],
    [{ kind: 'timed-out', timeoutNs: 1e9, output: '' }, -1, 'Health check exceeded timeout (1s)'],
    [{ kind: 'timed-out', timeoutNs: 90e9, output: 'half' }, -1, 'Health check exceeded timeout (1m30s): half'],
    [{ kind: 'timed-out', timeoutNs: 50e6, output: '' }, -1, 'Health check exceeded timeout (50ms)'],
    [{ kind: 'could-not-start', reason: 'no such program' }, -1, 'no such program'],
  ] as const)('%o', (outcome, exitCode, output) => {
    expect(resultFromOutcome(outcome, times)).toEqual({
      start: '2026-01-01T00:00:00Z',
      end: '2026-01-01T00:00:01.05Z',
      exitCode,
      output,
    });
  });

  test.each([
    [T0, '2026-01-01T00:00:00Z'],
    [T0 + 100, '2026-01-01T00:00:00.1Z'],
    [T0 + 10_000, '2026-01-01T00:00:10Z'],
    [T0 + 123, '2026-01-01T00:00:00.123Z'],
  ])('RFC 3339 without trailing zeros: %d', (ms, text) => {
    expect(rfc3339FromMillis(ms)).toBe(text);
  });
});

test.each([
  [{ kind: 'exited', code: 0, output: '' }, 'success'],
  [{ kind: 'exited', code: 1, output: 'Health check exceeded timeout (1s)' }, 'failure'],
  [{ kind: 'timed-out', timeoutNs: 1e9, output: 'half' }, 'timeout'],
  [{ kind: 'could-not-start', reason: 'no such program' }, 'error'],
] as const)('%o is counted as %s', (outcome, kind) => {
  expect(resultKindOf(resultFromOutcome(outcome, { startMs: T0, endMs: T0 }))).toBe(kind);
});

test.each([
  ['the last one of a command', 1, '\nTraceback:\n  line 3\r\nConnectionRefused \r\n\n', 'ConnectionRefused'],
  [
    'the first one of a timeout',
    -1,
    'Health check exceeded timeout (1s): a\nb\n',
    'Health check exceeded timeout (1s): a',
  ],
  [
    'the status of an HTTP check',
    1,
    'HTTP 404 Not Found: <HTML>\n<BODY>\n</BODY></HTML>\n',
    'HTTP 404 Not Found: <HTML>',
  ],
  [
    'a broken response',
    1,
    'the connection ended, after HTTP 200 OK: <a>\n<b>',
    'the connection ended, after HTTP 200 OK: <a>',
  ],
  ['the last one of a client of HTTP', 1, 'HTTP 2 is not spoken\nfailed', 'failed'],
  ['none', 1, ' \n', ''],
])('the line that says most: %s', (_, exitCode, output, line) => {
  expect(tellingLine({ exitCode, output })).toBe(line);
});
