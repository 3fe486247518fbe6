import { expect, test } from 'vitest';
import { numberFrame, TYPE } from './frames.ts';
import { createReceiveCredit } from './receive-credit.ts';

test('returns credit to the peer once half of the window was used', () => {
  const frames: Buffer[] = [];
  const credit = createReceiveCredit({ add: (frame) => void frames.push(frame), addedBytes: 0 }, 100);
  credit.add(49, 3);
  expect(frames).toEqual([]);
  credit.add(1, 3);
  credit.add(49, 3);
  expect(frames).toEqual([numberFrame(TYPE.windowUpdate, 3, 50)]);
});
