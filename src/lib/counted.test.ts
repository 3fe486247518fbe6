import { expect, test } from 'vitest';
import { counted } from './counted.ts';

test.each([
  [counted(0, 'event'), '0 events'],
  [counted(1, 'event'), '1 event'],
  [counted(2, 'event'), '2 events'],
  [counted(1, 'failure in a row', 'failures in a row'), '1 failure in a row'],
  [counted(3, 'failure in a row', 'failures in a row'), '3 failures in a row'],
])('%s', (text, expected) => {
  expect(text).toBe(expected);
});
