import { describe, expect, test } from 'vitest';
import type { HealthStore, HealthSubject } from '../../src/store/health-store.ts';
import { aResult, aState } from '../builders/health.ts';

/** The contract of every HealthStore. `open` makes a fresh, empty store. */
export function healthStoreContract(name: string, open: () => { store: HealthStore; maxEntries: number }): void {
  const subject = (id = 'c1'): HealthSubject => ({ namespace: 'ns', id, labels: {} });
  const retries = { retries: 3 };

  describe(`health store: ${name}`, () => {
    test('a container without results has an empty log and no state', async () => {
      const { store } = open();
      expect(await store.get(subject())).toEqual({ log: [], state: undefined });
    });

    test('the log has the recorded results, oldest first, and only those of its container', async () => {
      const { store } = open();
      await store.update(
        subject(),
        () => ({ result: aResult(1, 1, 'bad\n'), state: aState({ failingStreak: 1 }) }),
        retries,
      );
      const after = await store.update(
        subject(),
        () => ({ result: aResult(2, 0, 'good\n'), state: aState() }),
        retries,
      );
      expect(after).toEqual(await store.get(subject()));
      expect(after.log.map(({ output }) => output)).toEqual(['bad\n', 'good\n']);
      expect(after.state).toEqual(aState());
      expect(await store.get(subject('other'))).toEqual({ log: [], state: undefined });
    });

    test('the log has no more than the last results', async () => {
      const { store, maxEntries } = open();
      for (let i = 0; i < maxEntries + 3; i += 1)
        await store.update(subject(), () => ({ result: aResult(i, 0, `${i}`), state: aState() }), retries);
      const { log } = await store.get(subject());
      expect(log.map(({ output }) => output)).toEqual(Array.from({ length: maxEntries }, (_, i) => `${i + 3}`));
    });

    test('the deciding function sees what is stored at that moment', async () => {
      const { store } = open();
      const seen: (number | undefined)[] = [];
      const count = () =>
        store.update(
          subject(),
          ({ state }) => {
            seen.push(state?.failingStreak);
            return { result: aResult(), state: aState({ failingStreak: (state?.failingStreak ?? 0) + 1 }) };
          },
          retries,
        );
      await Promise.all([count(), count(), count(), count()]);
      expect(seen).toEqual([undefined, 1, 2, 3]);
    });

    test('nothing changes when the deciding function returns nothing', async () => {
      const { store } = open();
      await store.update(subject(), () => ({ result: aResult(), state: aState() }), retries);
      const before = await store.get(subject());
      expect(await store.update(subject(), () => undefined, retries)).toMatchObject(before);
      expect(await store.get(subject())).toEqual(before);
    });

    test('only one check of a container runs at a time', async () => {
      const { store } = open();
      let inside = 0;
      let most = 0;
      const check = () =>
        store.withCheckLock(subject(), async () => {
          inside += 1;
          most = Math.max(most, inside);
          await store.update(subject(), () => ({ result: aResult(), state: aState() }), retries);
          inside -= 1;
        });
      await Promise.all([check(), check(), check()]);
      expect(most).toBe(1);
      expect((await store.get(subject())).log).toHaveLength(3);
    });

    test('when the work under the check lock fails, the lock is freed and the error passed on', async () => {
      const { store } = open();
      await expect(
        store.withCheckLock(subject(), async () => {
          throw new Error('boom');
        }),
      ).rejects.toThrow('boom');
      expect(await store.withCheckLock(subject(), async () => 'free')).toBe('free');
    });

    test('an abort ends the wait for the check lock', async () => {
      const { store } = open();
      const abort = new AbortController();
      await store.withCheckLock(subject(), async () => {
        const waiting = store.withCheckLock(subject(), async () => 'never', abort.signal);
        abort.abort();
        await expect(waiting).rejects.toMatchObject({ code: 'ABORTED' });
      });
    });

    test('a removed container has no results; removing an unknown one does nothing', async () => {
      const { store } = open();
      await store.update(subject(), () => ({ result: aResult(), state: aState() }), retries);
      await store.remove(subject());
      await store.remove(subject('never'));
      expect(await store.get(subject())).toEqual({ log: [], state: undefined });
    });
  });
}
