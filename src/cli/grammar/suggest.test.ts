import { expect, test } from 'vitest';
import { editDistance, suggestionsFor } from './suggest.ts';

const names = ['ps', 'pull', 'run', 'rm', 'rmi', 'restart', 'start', 'stop', 'container', 'healthcheck'];

test.each([
  ['strat', ['start']],
  ['stat', ['start', 'stop']],
  ['contaner', ['container']],
  ['health', ['healthcheck']],
  ['PS', ['ps']],
  ['rn', ['rm', 'run']],
  ['', []],
  ['zzz', []],
  ['x'.repeat(10_000), []],
])('for %.20s it suggests %j', (word, meant) => {
  expect(suggestionsFor(word, names)).toEqual(meant);
});

test.each([
  ['', '', 0],
  ['abc', '', 3],
  ['kitten', 'sitting', 3],
  ['start', 'strat', 2],
])('the distance of %s and %s is %s', (from, to, distance) => {
  expect(editDistance(from, to)).toBe(distance);
});
