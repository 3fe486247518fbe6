import { expect, test } from 'vitest';
import { summaryOf } from '../../../scripts/lib/warm-up-summary.mjs';
import { REQUESTS } from './requests.ts';

const summary = summaryOf({ id: 'a', labels: {}, storedConfig: {}, pid: 1 });
const { isAnswer } = REQUESTS.list('default');

test('the list with which the build compiles `ps` has the form that commands accept', () => {
  expect(isAnswer([summary])).toBe(true);
});

test.each(Object.keys(summary).filter((key) => key !== 'nextCheckAt'))('a list without %s is refused', (key) => {
  const { [key]: _, ...rest } = summary;
  expect(isAnswer([rest])).toBe(false);
});
