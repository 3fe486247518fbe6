import { expect, test } from 'vitest';
import { createTurns } from './turns.ts';

/** A promise that the test resolves. */
function gate() {
  let open = (): void => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}

test('runs the work of one key in order, and that of other keys at the same time', async () => {
  const turns = createTurns(() => {});
  const first = gate();
  const done: string[] = [];
  const note = (name: string) => () => void done.push(name);
  void turns.inTurn('a', () => first.opened.then(note('a1')));
  const second = turns.inTurn('a', note('a2'));
  await turns.inTurn('b', note('b1'));
  expect(done).toEqual(['b1']);
  first.open();
  await second;
  expect(done).toEqual(['b1', 'a1', 'a2']);
});

test('reports a failure with its key, and continues with the next work of the key', async () => {
  const failures: string[] = [];
  const turns = createTurns((key, error) => void failures.push(`${key}: ${String(error)}`));
  void turns.inTurn('a', () => Promise.reject(new Error('no')));
  let isDone = false;
  await turns.inTurn('a', () => {
    isDone = true;
  });
  expect(isDone).toBe(true);
  expect(failures).toEqual(['a: Error: no']);
});

test('idle waits for work that has begun, and returns at once without any', async () => {
  const turns = createTurns(() => {});
  await turns.idle();
  const first = gate();
  let isIdle = false;
  void turns.inTurn('a', () => first.opened);
  const idle = turns.idle().then(() => {
    isIdle = true;
  });
  await new Promise((resolve) => setImmediate(resolve)); // now every promise that can settle has settled
  expect(isIdle).toBe(false);
  first.open();
  await idle;
  expect(isIdle).toBe(true);
});
