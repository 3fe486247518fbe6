import { closeSync, openSync } from 'node:fs';
import { expect, test } from 'vitest';
import { openDescriptorStore } from './descriptor-store.ts';
import { passedDescriptors } from './passed-descriptors.ts';

const passed = (names: string) => ({
  LISTEN_PID: `${process.pid}`,
  LISTEN_FDS: `${names.split(':').length}`,
  LISTEN_FDNAMES: names,
});

function storeOf(env: Readonly<Record<string, string>>) {
  const said: string[] = [];
  const store = openDescriptorStore(env, {
    storeDescriptor: (name, fd) => said.push(`store ${name} ${fd}`),
    dropDescriptor: (name) => said.push(`drop ${name}`),
  });
  return { store, said };
}

test('what was passed has the number and name that systemd gave it', () => {
  expect(passedDescriptors(passed('healthctl.socket:kept/a'))).toEqual([
    { fd: 3, name: 'healthctl.socket' },
    { fd: 4, name: 'kept/a' },
  ]);
  expect(passedDescriptors({ LISTEN_PID: `${process.pid}`, LISTEN_FDS: '1' })).toEqual([{ fd: 3, name: '' }]);
  expect(passedDescriptors({ ...passed('a'), LISTEN_PID: '1' })).toEqual([]);
  expect(passedDescriptors({ ...passed('a'), LISTEN_FDS: '-1' })).toEqual([]);
});

test('a stored descriptor is taken once, under its name', () => {
  const { store } = storeOf(passed('healthctl.socket:kept/a:kept/b'));
  expect([store.take('b'), store.take('b'), store.take('healthctl.socket'), store.take('c')]).toEqual([
    5,
    undefined,
    undefined,
    undefined,
  ]);
});

test('systemd is told only where it keeps descriptors', () => {
  const { store, said } = storeOf({});
  store.keep('a', 7);
  store.drop('a');
  expect([store.isLasting, said]).toEqual([false, []]);
  const lasting = storeOf({ FDSTORE: '4096' });
  lasting.store.keep('a', 7);
  lasting.store.drop('a');
  expect([lasting.store.isLasting, lasting.said]).toEqual([true, ['store kept/a 7', 'drop kept/a']]);
  expect(storeOf({ FDSTORE: '0' }).store.isLasting).toBe(false);
});

test('what nobody has taken is closed and dropped', () => {
  const { store, said } = storeOf({ FDSTORE: '1' });
  const [taken, left] = [openSync('/dev/null', 'r'), openSync('/dev/null', 'r')];
  store.park('taken', taken);
  store.park('left', left);
  expect(store.take('taken')).toBe(taken);
  store.sweep();
  expect(said).toEqual(['drop kept/left']);
  expect(() => closeSync(left)).toThrow('EBADF');
  closeSync(taken);
  store.sweep();
  expect(said).toHaveLength(1);
});
