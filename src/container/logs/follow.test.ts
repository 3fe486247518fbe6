import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createFakeClock } from '../../../test/fakes/clock.ts';
import { followFile } from './follow.ts';
import type { GrowingFile } from './growing-file.ts';

/** A file in memory. `append` notifies listeners only if `notify` is called. */
function aFile(text = '') {
  let content = Buffer.from(text);
  const listeners = new Set<() => void>();
  const file: GrowingFile = {
    key: 'a',
    read: async (position, length) => content.subarray(position, position + length),
    size: async () => content.length,
    dataFrom: async (position) => {
      const kept = content.subarray(position).findIndex((byte) => byte !== 0);
      return kept < 0 ? content.length : position + kept;
    },
    writtenAtMs: async () => 0,
    onChange: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    close: async () => undefined,
  };
  return {
    file,
    append: (more: string) => {
      content = Buffer.concat([content, Buffer.from(more)]);
    },
    replace: (all: string) => {
      content = Buffer.from(all);
    },
    notify: () => {
      for (const listener of listeners) listener();
    },
    listeners,
  };
}

function follow(file: GrowingFile, options: { from?: number; write?: (bytes: Buffer) => Promise<void> } = {}) {
  const clock = createFakeClock();
  const [ended, left] = [new AbortController(), new AbortController()];
  let written = '';
  const done = followFile(file, {
    from: options.from ?? 0,
    write:
      options.write ??
      (async (bytes) => {
        written += bytes.toString();
      }),
    clock,
    ended: ended.signal,
    signal: left.signal,
  });
  return { clock, done, written: () => written, end: () => ended.abort(), leave: () => left.abort() };
}

describe('followFile', () => {
  test('copies from the offset, then appended data, and wakes at a notification', async () => {
    const growing = aFile('old new');
    const following = follow(growing.file, { from: 4 });
    await following.clock.advance(0);
    expect(following.written()).toBe('new');
    growing.append(' more');
    growing.notify();
    await following.clock.advance(0);
    expect(following.written()).toBe('new more');
    following.end();
    await following.done;
  });

  test('finds new data without a notification, and does not poll fast', async () => {
    const growing = aFile();
    const following = follow(growing.file);
    await following.clock.advance(0);
    growing.append('x');
    await following.clock.advance(100);
    expect(following.written()).toBe('');
    await following.clock.advance(200);
    expect(following.written()).toBe('x');
    following.end();
    await following.done;
  });

  test('copies the remaining data at the end once, and releases everything', async () => {
    const growing = aFile('a');
    const following = follow(growing.file);
    await following.clock.advance(0);
    growing.append('b');
    following.end();
    await following.done;
    expect(following.written()).toBe('ab');
    expect(growing.listeners.size).toBe(0);
    expect(following.clock.sleepers).toBe(0);
  });

  test('notices an end that comes during a write', async () => {
    const growing = aFile('a');
    const writes: string[] = [];
    const following = follow(growing.file, {
      write: async (bytes) => {
        writes.push(bytes.toString());
        if (writes.length > 1) return;
        growing.append('b');
        following.end();
      },
    });
    await following.done;
    expect(writes.join('')).toBe('ab');
  });

  test('stops in the middle when no reader is left', async () => {
    const growing = aFile('x'.repeat(300_000));
    let bytes = 0;
    const following = follow(growing.file, {
      write: async (chunk) => {
        bytes += chunk.length;
        following.leave();
      },
    });
    await following.done;
    expect(bytes).toBe(65_536);
    expect(growing.listeners.size).toBe(0);
  });

  test('ends at the end even if the file still grows', async () => {
    const growing = aFile('x');
    const following = follow(growing.file, { write: async () => growing.append('x') });
    following.end();
    await following.done;
  });

  test('reads a truncated file from its beginning', async () => {
    const growing = aFile('long text');
    const following = follow(growing.file);
    await following.clock.advance(0);
    growing.replace('new');
    growing.notify();
    await following.clock.advance(0);
    expect(following.written()).toBe('long textnew');
    following.end();
    await following.done;
  });

  test('fails if the file cannot be read, or its data cannot be written', async () => {
    const broken = { ...aFile('x').file, read: () => Promise.reject(new Error('EIO')) };
    await expect(follow(broken).done).rejects.toThrow('EIO');
    await expect(follow(aFile('x').file, { write: () => Promise.reject(new Error('gone')) }).done).rejects.toThrow(
      'gone',
    );
  });

  test('writes every byte once and in order, however it was appended and notified', async () => {
    const step = fc.record({ text: fc.string(), notify: fc.boolean(), waitMs: fc.nat(400) });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
        const growing = aFile();
        const following = follow(growing.file);
        for (const { text, notify, waitMs } of steps) {
          growing.append(text);
          if (notify) growing.notify();
          await following.clock.advance(waitMs);
        }
        following.end();
        await following.done;
        expect(following.written()).toBe(steps.map(({ text }) => text).join(''));
      }),
      { numRuns: 50 },
    );
  });
});
