import fc from 'fast-check';
import { expect, test } from 'vitest';
import { HealthctlError } from '../lib/errors.ts';
import {
  parseOwnEvent,
  publishAction,
  publishHealthAction,
  publishHealthStatus,
  publishKill,
  publishObject,
  publishRename,
  publishRestart,
  publishStop,
} from './own-events.ts';

function exchange() {
  const published: { topic: string; json: string }[] = [];
  const debug: string[] = [];
  const events = { publish: async (event: { topic: string; json: string }) => void published.push(event) };
  return { published, debug, publisher: { events, log: { debug: (line: string) => void debug.push(line) } } };
}

test('a published event parses to itself', async () => {
  const { published, publisher } = exchange();
  await publishKill(publisher, { id: 'c1', signal: 15 });
  await publishStop(publisher, { id: 'c1' });
  await publishRestart(publisher, { id: 'c1' });
  await publishHealthStatus(publisher.events, publisher.log, { id: 'c1', status: 'unhealthy', failingStreak: 3 });
  await publishRename(publisher, { id: 'c1', oldName: 'api', name: 'web' });
  await publishAction(publisher, { id: 'c1', action: 'resize', attributes: { height: '24' } });
  await publishHealthAction(publisher, { id: 'c1', action: 'restart', reason: 'unhealthy: refused' });
  const connect = {
    type: 'network',
    action: 'connect',
    id: 'n1',
    attributes: { name: 'web', container: 'c1' },
  } as const;
  await publishObject(publisher, connect);
  expect(published.map(parseOwnEvent)).toEqual([
    { kind: 'kill', id: 'c1', signal: 15 },
    { kind: 'stop', id: 'c1' },
    { kind: 'restart', id: 'c1' },
    { kind: 'health-status', id: 'c1', status: 'unhealthy', failingStreak: 3 },
    { kind: 'rename', id: 'c1', oldName: 'api', name: 'web' },
    { kind: 'action', id: 'c1', action: 'resize', attributes: { height: '24' } },
    { kind: 'health-action', id: 'c1', action: 'restart', reason: 'unhealthy: refused' },
    { kind: 'object', ...connect },
  ]);
  expect(published[3]).toEqual({
    topic: '/healthctl/health-status',
    json: '{"ID":"c1","Status":"unhealthy","FailingStreak":3}',
  });
});

test('an event that cannot be published is logged at debug level, and is no failure', async () => {
  const { debug, publisher } = exchange();
  const events = { publish: () => Promise.reject(new HealthctlError('UNAVAILABLE', 'containerd is away')) };
  await publishStop({ ...publisher, events }, { id: 'c1' });
  expect(debug).toEqual(['the event /healthctl/stop was not published: containerd is away']);
});

test.each([
  ['another topic', '/healthctl/else', '{"ID":"c1"}'],
  ['text that is not JSON', '/healthctl/stop', '{'],
  ['JSON that is no object', '/healthctl/stop', '["ID"]'],
  ['no id', '/healthctl/stop', '{"ID":""}'],
  ['an unknown status', '/healthctl/health-status', '{"ID":"c1","Status":"fine","FailingStreak":0}'],
  ['no streak', '/healthctl/health-status', '{"ID":"c1","Status":"healthy"}'],
  ['an unknown action', '/healthctl/health-action', '{"ID":"c1","Action":"dance","Reason":""}'],
  ['a rename without a name', '/healthctl/rename', '{"ID":"c1","OldName":"a"}'],
  ['an unknown type', '/healthctl/object', '{"ID":"x","Type":"swarm","Action":"join"}'],
  ['no signal', '/healthctl/kill', '{"ID":"c1","Signal":"TERM"}'],
])('ignores an event with %s', (_what, topic, json) => {
  expect(parseOwnEvent({ topic, json })).toBeUndefined();
});

test('no event from containerd makes it throw', () => {
  const topics = ['/healthctl/health-status', '/healthctl/kill', '/healthctl/stop', '/healthctl/health-action'];
  fc.assert(
    fc.property(fc.constantFrom(...topics), fc.oneof(fc.json(), fc.string()), (topic, json) => {
      parseOwnEvent({ topic, json });
    }),
  );
});
