import fc from 'fast-check';
import { expect, test } from 'vitest';
import { entryFromLine, type LogEntry, lineFromEntry } from './event-log-line.ts';

const text = fc.string({ unit: 'binary' });
const time = fc.double({ min: 0, max: 4e12, noNaN: true }).map((ms) => ms + 0);
const entry: fc.Arbitrary<LogEntry> = fc.oneof(
  fc.record({ kind: fc.constantFrom('began' as const, 'ended' as const, 'goes-on' as const), atMs: time }),
  fc.record({
    kind: fc.constant('event' as const),
    event: fc.record({
      type: fc.constantFrom('container' as const, 'image' as const),
      action: text,
      id: text,
      namespace: text,
      atMs: time,
      attributes: fc.dictionary(text, text, { noNullPrototype: true }),
    }),
  }),
);

test('an entry is one line, and parses to itself', () => {
  fc.assert(
    fc.property(entry, (given) => {
      const line = lineFromEntry(given);
      expect(line).not.toContain('\n');
      expect(entryFromLine(line)).toEqual(given);
    }),
  );
});

test('ignores a torn line, and never throws', () => {
  fc.assert(
    fc.property(entry, fc.nat(), (given, at) => {
      const line = lineFromEntry(given);
      expect(entryFromLine(line.slice(0, at % line.length))).toBeUndefined();
    }),
  );
  fc.assert(fc.property(fc.oneof(fc.json(), fc.string()), (line) => void entryFromLine(line)));
});
