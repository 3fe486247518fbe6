import { expect, test } from 'vitest';
import { matchesEvent, parseEventFilters } from './filter.ts';
import type { HostEvent } from './host-event.ts';

const event = (over: Partial<HostEvent> = {}): HostEvent => ({
  type: 'container',
  action: 'health_status: healthy',
  id: 'c1'.repeat(32),
  namespace: 'default',
  atMs: 0,
  attributes: { name: 'web-1', image: '127.0.0.1:5000/shop/web:2', tier: 'front', empty: '' },
  ...over,
});
const imageEvent = event({
  type: 'image',
  action: 'tag',
  id: 'busybox:latest',
  attributes: { name: 'busybox:latest' },
});

test.each<[filters: string[], wanted: boolean, HostEvent?]>([
  [[], true],
  [[''], true],
  [['event=health_status'], true],
  [['event=health_status: healthy'], true],
  [['event=health_status: unhealthy'], false],
  [['event=health_status: unhealthy', 'event=health_status: healthy'], true],
  [['event=health_status: none'], false],
  [['event=health'], false],
  // A single bare name makes all values match as prefixes.
  [['event=health', 'event=exec_create'], true],
  [['event=exec_create'], true, event({ action: 'exec_create: echo hello' })],
  [['event=exec_die'], false, event({ action: 'exec_die_hard' })],
  [['event=exec_start'], true, event({ action: 'exec_start' })],
  [['event=start'], false, event({ action: 'restart' })],
  [['type=container'], true],
  [['type=image'], false],
  [['type=image', 'type=container'], true],
  [['type=volume'], false],
  [['type=daemon'], false],
  [['scope=local'], true],
  [['scope=swarm'], false],
  [['container=web-1'], true],
  [['container=web'], true],
  [['container=c1c1'], true],
  [['container=eb-1'], false],
  [['container=db', 'container=web-1'], true],
  [['container=web-1', 'event=start'], false],
  [['network=bridge'], false],
  [['image=127.0.0.1:5000/shop/web'], true],
  [['image=127.0.0.1:5000/shop/web:2'], true],
  [['image=127.0.0.1:5000/shop/web:3'], false],
  [['image=127.0.0.1'], false],
  [['image=busybox'], true, imageEvent],
  [['image=busybox:latest'], true, imageEvent],
  [['image=busybox:1'], false, imageEvent],
  [['image=busybox'], true, event({ attributes: { image: `docker.io/library/busybox@sha256:${'0'.repeat(64)}` } })],
  [['label=tier'], true],
  [['label=tier=front'], true],
  [['label=tier=back'], false],
  [['label=empty='], true],
  [['label=tier=front', 'label=empty'], true],
  [['label=tier=front', 'label=missing'], false],
  [['label=toString'], false],
  [['label=name=web-1'], true],
])('the filters %j match: %s', (filters, wanted, given = event()) => {
  expect(matchesEvent(parseEventFilters(filters), given)).toBe(wanted);
});

test('accepts keys in any case, and spaces', () => {
  expect(parseEventFilters([' Type = image '])).toEqual(new Map([['type', ['image']]]));
});

test('the bare name of a health action matches each of them', () => {
  const restarted = event({ action: 'health_action: restart' });
  expect(matchesEvent(parseEventFilters(['event=health_action']), restarted)).toBe(true);
  expect(matchesEvent(parseEventFilters(['event=health_action: kill']), restarted)).toBe(false);
});

test.each([
  ['colour=red', "invalid filter 'colour'"],
  ['=x', "invalid filter ''"],
  ['container', 'bad format of filter (expected name=value)'],
])('refuses the filter %s: %s', (text, message) => {
  expect(() => parseEventFilters([text])).toThrow(message);
});
