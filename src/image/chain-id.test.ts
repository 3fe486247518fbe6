import { expect, test } from 'vitest';
import { chainIdOf, chainIdsOf } from './chain-id.ts';
import { digestOf } from './digest.ts';
import { shortId } from './digest-text.ts';

test('chainIdOf combines the diff ids of the layers', () => {
  const [a, b] = [`sha256:${'a'.repeat(64)}`, `sha256:${'b'.repeat(64)}`];
  expect(chainIdOf([])).toBe('');
  expect(chainIdOf([a])).toBe(a);
  expect(chainIdsOf([a, b])).toEqual([a, digestOf(Buffer.from(`${a} ${b}`))]);
});

test('shortId is the beginning of the digest', () => {
  expect(shortId(`sha256:${'0123456789abcdef'.repeat(4)}`)).toBe('0123456789ab');
  expect(shortId('abc')).toBe('abc');
});
