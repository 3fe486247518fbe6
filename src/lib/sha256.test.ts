import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { sha256Hex } from './sha256.ts';

test('gives the same digests as Node.js', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string({ unit: 'binary', maxLength: 300 }),
        fc.nat(200).map((n) => 'x'.repeat(n)),
      ),
      (text) => {
        expect(sha256Hex(text)).toBe(createHash('sha256').update(text, 'utf8').digest('hex'));
      },
    ),
  );
  expect(sha256Hex('/run/containerd/containerd.sock').slice(0, 8)).toBe(
    createHash('sha256').update('/run/containerd/containerd.sock').digest('hex').slice(0, 8),
  );
});
