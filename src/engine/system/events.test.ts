import { expect, test } from 'vitest';
import { eventLine } from './events.ts';

const event = { action: 'start', id: 'c1', namespace: 'default', atMs: 1_796_008_996_209.25 };

test('the names of old clients, and nanoseconds beyond the precision of a double', () => {
  const attributes = { image: 'web:1', name: 'web' };
  expect(eventLine({ ...event, type: 'container', attributes })).toBe(
    '{"status":"start","id":"c1","from":"web:1","Type":"container","Action":"start","Actor":{"ID":"c1","Attributes":{"image":"web:1","name":"web"}},"scope":"local","time":1796008996,"timeNano":1796008996209250000}',
  );
  const network = JSON.parse(eventLine({ ...event, type: 'network', action: 'connect', attributes: {} }));
  expect(Object.keys(network)).toEqual(['Type', 'Action', 'Actor', 'scope', 'time', 'timeNano']);
});
