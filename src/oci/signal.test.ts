import { constants } from 'node:os';
import { expect, test } from 'vitest';
import { parseSignal } from './signal.ts';

test.each([
  ['SIGTERM', 15],
  ['TERM', 15],
  ['sigkill', 9],
  ['15', 15],
  ['64', 64],
  ['SIGRTMIN', 34],
  ['RTMIN+3', 37],
  ['RTMAX', 64],
  ['SIGRTMAX-14', 50],
])('%s is %d', (text, number) => expect(parseSignal(text)).toBe(number));

test.each(['', '0', '-1', 'SIG', 'NONESUCH', 'RTMIN-1', 'RTMAX+1', 'RTMIN+31', 'toString', '1.5', '9'.repeat(400)])(
  'refuses %s',
  (text) => {
    expect(() => parseSignal(text)).toThrow(
      expect.objectContaining({ code: 'USAGE', message: `invalid signal: ${text}` }),
    );
  },
);

test('refuses a number that no signal has', () => {
  expect(() => parseSignal('65')).toThrow('the linux daemon does not support signal 65');
});

test('agrees with the C library', () => {
  for (const [name, number] of Object.entries(constants.signals)) expect(parseSignal(name)).toBe(number);
});
