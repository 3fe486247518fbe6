import { expect, test } from 'vitest';
import { aRecord } from '../../test/builders/container.ts';
import { createFakeClock } from '../../test/fakes/clock.ts';
import type { ContainerRecord } from '../containerd/containers.ts';
import type { ContainerdEvent, EventFact } from '../containerd/events.ts';
import { HealthctlError } from '../lib/errors.ts';
import { silentLogger } from '../lib/logger.ts';
import { createFactsBook, type FactsReader } from './container-facts.ts';

const read: FactsReader = {
  ofRecord: ({ id, labels, image }) => ({ name: labels.name ?? id, image: `ps:${image}`, labels }),
  ofLabels: (id, labels) => ({ name: labels.name ?? id, labels }),
  imageName: (name) => `ps:${name}`,
};
const at = (fact: EventFact, atMs = 1_000): ContainerdEvent => ({ ...fact, namespace: 'default', atMs });
const created = (id: string) => at({ kind: 'container-created', id, image: 'img' });
const deleted = (id: string) => at({ kind: 'container-deleted', id });
const oom = (id: string) => at({ kind: 'task-oom', id });

function setUp(records: readonly ContainerRecord[] = []) {
  const clock = createFakeClock();
  const requested: string[] = [];
  const get = async (id: string): Promise<ContainerRecord> => {
    requested.push(id);
    await clock.sleep(id === 'slow' ? 500 : 0);
    const found = records.find((record) => record.id === id);
    if (!found) throw new HealthctlError('NOT_FOUND', `no container ${id}`);
    return found;
  };
  return { clock, requested, book: createFactsBook({ containersOf: () => ({ get }), read, clock, log: silentLogger }) };
}

test('shows a listed container by its name, also after its removal', async () => {
  const { book, requested } = setUp();
  book.applyList('default', [aRecord({ id: 'c1', labels: { name: 'web' } })]);
  const translated = [
    await book.translate(oom('c1')),
    await book.translate(deleted('c1')),
    await book.translate(oom('c1')),
  ];
  expect(translated.map((event) => [event?.action, event?.attributes.name])).toEqual([
    ['oom', 'web'],
    ['destroy', 'web'],
    ['oom', 'web'],
  ]);
  expect(requested).toEqual([]);
});

test('requests the record of a new container, and delays later events until it comes', async () => {
  const records = [aRecord({ id: 'slow', labels: { name: 'web' } }), aRecord({ id: 'c2', labels: { name: 'db' } })];
  const { book, clock, requested } = setUp(records);
  const translated: (string | undefined)[] = [];
  for (const event of [created('slow'), at({ kind: 'task-started', id: 'slow', pid: 7 }), created('c2')])
    void book.translate(event).then((result) => translated.push(`${result?.action} ${result?.attributes.name}`));
  await clock.advance(400);
  expect([translated, requested]).toEqual([[], ['slow']]);
  await clock.advance(200);
  expect(translated).toEqual(['create web', 'start web', 'create db']);
});

test('a container that was removed before its record could be read is shown by its id', async () => {
  const { book, clock } = setUp();
  const pending = book.translate(created('c9'));
  await clock.advance(1);
  expect((await pending)?.attributes).toEqual({ name: 'c9', image: 'ps:img' });
});

test('a changed label is shown from then on', async () => {
  const { book } = setUp();
  book.applyList('default', [aRecord({ id: 'c1', labels: { name: 'web' } })]);
  const labels = { name: 'shop', tier: 'front' };
  expect(await book.translate(at({ kind: 'container-updated', id: 'c1', labels }))).toBeUndefined();
  expect((await book.translate(oom('c1')))?.attributes).toEqual({ ...labels, image: 'ps:docker.io/library/demo:1' });
});

test('a seen start gives the duration of the run at its end', async () => {
  const { book } = setUp();
  book.applyList('default', [aRecord({ id: 'c1' })]);
  await book.translate(at({ kind: 'task-started', id: 'c1', pid: 7 }, 10_000));
  const exit = { kind: 'task-exited', id: 'c1', pid: 7, exitStatus: 1, exitedAtMs: 15_500 } as const;
  expect((await book.translate(at(exit)))?.attributes).toMatchObject({ exitCode: '1', execDuration: '5' });
});

test('events of images need no container', async () => {
  const { book } = setUp();
  expect(await book.translate(at({ kind: 'image-deleted', name: 'x' }))).toMatchObject({ action: 'untag', id: 'ps:x' });
});

test('what is cached about an unknown container expires too', async () => {
  const { book, clock } = setUp();
  for (const id of ['x1', 'x2']) {
    const pending = book.translate(oom(id));
    await clock.advance(1);
    expect(await pending).toMatchObject({ attributes: { name: id } });
    await clock.advance(61_000);
  }
  expect(book.size).toBe(1);
});

test('what is cached about a removed container expires, and a list shows which are removed', async () => {
  const { book, clock } = setUp();
  book.applyList('default', [aRecord({ id: 'c1' }), aRecord({ id: 'c2' })]);
  book.applyList('other', [aRecord({ id: 'c1' })]);
  await book.translate(deleted('c1'));
  book.applyList('default', []);
  expect(book.size).toBe(3);
  await clock.advance(61_000);
  book.applyList('default', []);
  expect(book.size).toBe(1);
});
