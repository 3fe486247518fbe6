import { expect, test } from 'vitest';
import type { HostEvent } from '../../events/host-event.ts';
import { eventFormatter } from './event.ts';

const event: HostEvent = {
  type: 'container',
  action: 'die',
  id: 'c1',
  namespace: 'default',
  atMs: Date.parse('2026-01-01T00:00:00Z') + 5.25,
  attributes: { name: 'web', exitCode: '3', image: 'busybox <1>' },
};
const image: HostEvent = {
  ...event,
  type: 'image',
  action: 'tag',
  id: 'busybox:latest',
  attributes: { name: 'busybox:latest' },
};

/** Runs `work` with the process in this time zone. */
function inZone<T>(zone: string, work: () => T): T {
  const before = process.env.TZ;
  process.env.TZ = zone;
  try {
    return work();
  } finally {
    if (before === undefined) delete process.env.TZ;
    else process.env.TZ = before;
  }
}

test.each([
  ['UTC', '2026-01-01T00:00:00.005250000Z'],
  ['Asia/Kolkata', '2026-01-01T05:30:00.005250000+05:30'],
  ['America/New_York', '2025-12-31T19:00:00.005250000-05:00'],
])("prints an event in docker/cli's form, in the time zone %s", (zone, time) => {
  expect(inZone(zone, () => eventFormatter(undefined)(event))).toBe(
    `${time} container die c1 (exitCode=3, image=busybox <1>, name=web)`,
  );
});

test('a line for an event without attributes ends with its id', () => {
  expect(inZone('UTC', () => eventFormatter('')({ ...event, attributes: {} }))).toMatch(/Z container die c1$/);
});

test("json gives Docker's document", () => {
  expect(eventFormatter('json')(event)).toBe(
    '{"status":"die","id":"c1","from":"busybox <1>","Type":"container","Action":"die","Actor":{"ID":"c1",' +
      '"Attributes":{"exitCode":"3","image":"busybox <1>","name":"web"}},"scope":"local","time":1767225600,' +
      '"timeNano":1767225600005250000}',
  );
  expect(JSON.parse(eventFormatter('{{json .}}')(image))).toMatchObject({ status: 'tag', id: 'busybox:latest' });
  expect(JSON.parse(eventFormatter('json')(image))).not.toHaveProperty('from');
});

test('templates give what Docker printed', () => {
  const show = eventFormatter('{{.Action}} {{.Actor.Attributes.exitCode}}');
  expect([show(event), show(image)]).toEqual(['die 3', 'tag <no value>']);
  expect(eventFormatter('{{.Time}} {{.TimeNano}} {{.Scope}} {{.Type}} {{.From}} {{.ID}}')(event)).toBe(
    '1767225600 1767225600005250000 local container busybox <1> c1',
  );
});

test.each([
  ['{{', 'Error parsing format: template: :1: unclosed action'],
  [
    '{{.Nope}}',
    'Error parsing format: template: :1:2: executing "" at <.Nope>: can\'t evaluate field Nope in type *events.Message',
  ],
])('the template %s gives the error %s', (format, message) => {
  expect(() => eventFormatter(format)).toThrow(expect.objectContaining({ exitCode: 64, message }));
});
