import { describe, expect, test } from 'vitest';
import { createFakeTransport } from '../../test/fakes/transport.ts';
import { connectOver } from '../containerd/client.ts';
import { resolveContainer, resolveContainers } from './resolve.ts';

const containers = [
  { id: 'abc111', name: 'web' },
  { id: 'abc222', name: 'abc111-not' },
  { id: 'def333', name: 'abc222' },
];

/** Answers the filters of a resolve like containerd: an equal label, or the beginning of an id. */
function containerd(namespaces: readonly string[] = ['ns']) {
  const transport = createFakeTransport({
    'Containers/ListStream': ({ filters }: { filters: readonly string[] }) => {
      const [byName = '', byId = ''] = filters;
      const name = /==(".*")$/.exec(byName)?.[1];
      const pattern = /^id~=(".*")$/.exec(byId)?.[1];
      if (name === undefined || pattern === undefined) throw new Error(`unexpected filters ${filters}`);
      return containers
        .filter((c) => c.name === JSON.parse(name) || new RegExp(JSON.parse(pattern)).test(c.id))
        .map((c) => ({ container: { id: c.id, labels: { 'nerdctl/name': c.name }, extensions: {} } }));
    },
    'Namespaces/List': () => ({ namespaces: namespaces.map((name) => ({ name, labels: {} })) }),
  });
  return connectOver(transport, { address: '/x', namespace: 'ns' });
}

describe('resolveContainer', () => {
  test.each([
    ['a name', 'web', 'abc111'],
    ['a name as Docker’s inspect shows it', '/web', 'abc111'],
    ['an id', 'abc111', 'abc111'],
    ['the beginning of an id', 'd', 'def333'],
  ])('finds a container by %s', async (_, wanted, id) => {
    expect((await resolveContainer(containerd(), wanted)).id).toBe(id);
  });

  test('refuses an id that is also the name of another container', async () => {
    await expect(resolveContainer(containerd(), 'abc222')).rejects.toMatchObject({
      code: 'AMBIGUOUS',
      message: 'multiple containers named abc222: use an id',
      hint: 'abc222 or def333',
    });
  });

  test('refuses an id prefix of several containers', async () => {
    await expect(resolveContainer(containerd(), 'abc')).rejects.toMatchObject({
      code: 'AMBIGUOUS',
      message: 'multiple IDs found with provided prefix: abc',
    });
  });

  test.each(['nobody', '', '"; drop', 'a b', '.', '*'])('finds no container for %j', async (wanted) => {
    await expect(resolveContainer(containerd(), wanted)).rejects.toMatchObject({
      code: 'NOT_FOUND',
      message: `No such container: ${wanted}`,
      hint: undefined,
    });
  });

  test('the error names a namespace that containerd does not have', async () => {
    await expect(resolveContainer(containerd(['default', 'k8s.io']), 'nobody')).rejects.toMatchObject({
      hint: 'containerd has no namespace ns; it has: default, k8s.io',
    });
  });
});

describe('resolveContainers', () => {
  test('resolves several with one call, in their order, with each error in its place', async () => {
    const calls: (readonly string[])[] = [];
    const transport = createFakeTransport({
      'Containers/ListStream': ({ filters }: { filters: readonly string[] }) => {
        calls.push(filters);
        return containers.map((c) => ({
          container: { id: c.id, labels: { 'nerdctl/name': c.name }, extensions: {} },
        }));
      },
      'Namespaces/List': () => ({ namespaces: [{ name: 'ns', labels: {} }] }),
    });
    const connection = connectOver(transport, { address: '/x', namespace: 'ns' });
    const found = await resolveContainers(connection, ['web', 'nobody', 'abc', 'def', '"; drop']);
    expect(found.map((each) => ('id' in each ? each.id : each.message))).toEqual([
      'abc111',
      'No such container: nobody',
      'multiple IDs found with provided prefix: abc',
      'def333',
      'No such container: "; drop',
    ]);
    expect(calls).toHaveLength(1);
    expect(calls[0]).toHaveLength(8);
  });
});
