import { expect, test } from 'vitest';
import { createServiceLog } from './log.ts';

function logged(form: 'text' | 'json', debug = false) {
  const lines: string[] = [];
  const clock = { now: () => Date.parse('2026-01-01T00:00:00.5Z') };
  return { lines, log: createServiceLog({ clock, debug, form, write: (line) => lines.push(line) }) };
}

test('writes a line for each message, with time and level', () => {
  const { lines, log } = logged('text', true);
  log.info('starts');
  log.warn('is lost');
  log.debug('looks');
  expect(lines).toEqual([
    '2026-01-01T00:00:00.500Z info  starts',
    '2026-01-01T00:00:00.500Z warn  is lost',
    '2026-01-01T00:00:00.500Z debug looks',
  ]);
});

test('writes debug lines only if asked to', () => {
  const { lines, log } = logged('json');
  log.debug('looks');
  expect(lines).toEqual([]);
});

test('writes JSON for log collectors', () => {
  const { lines, log } = logged('json');
  log.warn('two\nlines "quoted"');
  expect(lines.map((line) => JSON.parse(line))).toEqual([
    { time: '2026-01-01T00:00:00.500Z', level: 'warn', message: 'two\nlines "quoted"' },
  ]);
  expect(lines[0]).not.toContain('\n');
});

test('text from a container cannot forge a line or move the cursor', () => {
  const { lines, log } = logged('text');
  log.warn('a\n2026 info b\r\x1b[2Jc\x9bd\tü');
  expect(lines).toEqual(['2026-01-01T00:00:00.500Z warn  a\\x0a2026 info b\\x0d\\x1b[2Jc\\x9bd\\x09ü']);
});
