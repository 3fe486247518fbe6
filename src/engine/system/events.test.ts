import { expect, test } from 'vitest';
import { eventLine, parseUnixTime } from './events.ts';

const event = { action: 'start', id: 'c1', namespace: 'default', atMs: 1_796_008_996_209.25 };

test('the names of old clients, and nanoseconds beyond the precision of a double', () => {
  const attributes = { image: 'web:1', name: 'web' };
  expect(eventLine({ ...event, type: 'container', attributes })).toBe(
    '{"status":"start","id":"c1","from":"web:1","Type":"container","Action":"start","Actor":{"ID":"c1","Attributes":{"image":"web:1","name":"web"}},"scope":"local","time":1796008996,"timeNano":1796008996209250000}',
  );
  const network = JSON.parse(eventLine({ ...event, type: 'network', action: 'connect', attributes: {} }));
  expect(Object.keys(network)).toEqual(['Type', 'Action', 'Actor', 'scope', 'time', 'timeNano']);
});

test.each([
  ['', undefined],
  ['1796008996', 1_796_008_996_000],
  ['1796008996.123', 1_796_008_996_123],
  ['1796008996.000000001', 1_796_008_996_000],
])('the time %j', (text, ms) => {
  expect(parseUnixTime(text)).toBe(ms);
});

test.each(['yesterday', '1.x', '2026-01-01T00:00:00Z'])('the time %s is refused in words of Go', (text) => {
  expect(() => parseUnixTime(text)).toThrow('strconv.ParseInt: parsing ');
});
