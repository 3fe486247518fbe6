import fc from 'fast-check';
import { expect, test } from 'vitest';
import { bytesFromSightings, logTimesFrom, RECORD_BYTES, type Sighting, thinnedTimes } from './log-times.ts';

const seen = (atMs: number, size: number, isExact = true): Sighting => ({ atMs, size, isExact });
const AT = 1_767_225_600_000;

test('a byte came when the file was first observed with it', () => {
  const times = logTimesFrom(bytesFromSightings([seen(AT, 10), seen(AT + 1.5, 20, false), seen(AT + 9, 4e15)]));
  expect(times.at(1)).toEqual({ atMs: AT, isExact: true });
  expect(times.at(10)).toEqual({ atMs: AT, isExact: true });
  expect(times.at(11)).toEqual({ atMs: AT + 1.5, isExact: false });
  expect(times.at(4e15)).toEqual({ atMs: AT + 9, isExact: true });
  expect(times.at(4e15 + 1)).toBeUndefined();
  expect(logTimesFrom(Buffer.alloc(0)).at(0)).toBeUndefined();
});

test('ignores records that are torn or add nothing, and time never goes back', () => {
  const bytes = bytesFromSightings([seen(AT, 10), seen(AT + 1, 10), seen(AT - 5, 20)]);
  const times = logTimesFrom(Buffer.concat([bytes, Buffer.from('torn')]));
  expect([times.count, times.end]).toEqual([2, 20]);
  expect(times.at(20)?.atMs).toBe(AT);
});

test('for any bytes, each answer is an observation, and later bytes never came earlier', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (raw) => {
      const times = logTimesFrom(Buffer.from(raw));
      let last = 0;
      for (let end = 0; end < 50; end += 1) {
        const atMs = times.at(end)?.atMs;
        if (atMs === undefined) continue;
        expect(atMs).toBeGreaterThanOrEqual(last);
        last = atMs;
      }
    }),
  );
});

test('thinning keeps the end, and gives no byte an earlier time', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 40 }), (steps) => {
      let [size, atMs] = [0, AT];
      const sightings = steps.map((step) => {
        atMs += step;
        size += step;
        return seen(atMs, size);
      });
      const bytes = bytesFromSightings(sightings);
      const [before, after] = [logTimesFrom(bytes), logTimesFrom(thinnedTimes(bytes))];
      expect(after.end).toBe(before.end);
      expect(after.count).toBeLessThanOrEqual(Math.ceil(before.count * 0.75) + 1);
      for (let end = 1; end <= size; end += 1)
        expect(after.at(end)?.atMs ?? 0).toBeGreaterThanOrEqual(before.at(end)?.atMs ?? 0);
      expect(thinnedTimes(bytes).length % RECORD_BYTES).toBe(0);
    }),
  );
});
