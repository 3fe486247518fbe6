import { expect, test } from 'vitest';
import { labelValueOf, MAX_LABEL_VALUE } from './label-text.ts';

test.each([
  ['half a character', 'a\ud83d', 'a\ufffd'],
  ['whole characters', 'a\u{1f600}', 'a\u{1f600}'],
  ['a character at the cut', `${'x'.repeat(MAX_LABEL_VALUE - 2)}\u{1f600}y`, `${'x'.repeat(MAX_LABEL_VALUE - 2)}…`],
])('%s', (_what, text, value) => {
  expect(labelValueOf(text)).toBe(value);
  expect(value.length).toBeLessThanOrEqual(MAX_LABEL_VALUE);
});
