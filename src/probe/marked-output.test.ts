import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createBoundedOutput } from './bounded-output.ts';
import { createMarkedOutput } from './marked-output.ts';

const MARK = `${'0123456789abcdef'.repeat(2)}\n`;

/** Cuts bytes at these offsets. */
function pieces(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const at = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  return at.slice(1).map((end, i) => bytes.subarray(at[i], end));
}

test('the output is everything before the mark, however it is cut', async () => {
  const anything = fc.oneof(
    fc.uint8Array({ maxLength: 9000 }),
    fc.string().map((text) => Buffer.from(text)),
  );
  await fc.assert(
    fc.asyncProperty(anything, anything, fc.array(fc.nat(), { maxLength: 5 }), async (early, late, cuts) => {
      const output = createMarkedOutput();
      output.add(Buffer.from(early)); // before the mark was chosen
      const ended = output.endAt(MARK);
      for (const piece of pieces(Buffer.concat([late, Buffer.from(MARK)]), cuts)) output.add(piece);
      await ended;
      const expected = createBoundedOutput();
      expected.add(Buffer.concat([early, late]));
      expect(output.text()).toBe(expected.text());
    }),
  );
});

test('without the mark, everything is output', () => {
  const output = createMarkedOutput();
  output.add(Buffer.from('one '));
  void output.endAt(MARK);
  output.add(Buffer.from(`two ${MARK.slice(0, 20)}`));
  expect([output.text(), output.text()]).toEqual(Array(2).fill(`one two ${MARK.slice(0, 20)}`));
});
