import { describe, expect, test } from 'vitest';
import { HealthctlError } from '../../lib/errors.ts';
import type { Call } from '../route.ts';
import { loadMessageOf } from './load.ts';
import { openProgressLines, withErrorLine } from './progress-lines.ts';

/** A client that takes a line when told to. */
function clientOf() {
  const lines: unknown[] = [];
  const waiting: (() => void)[] = [];
  const takeAll = () => {
    for (const take of waiting.splice(0)) take();
  };
  const client = { begun: 0, isSlow: false, lines, takeAll };
  const stream = () => {
    client.begun += 1;
    return {
      write: (chunk: string | Uint8Array) => {
        lines.push(JSON.parse(String(chunk)));
        return client.isSlow ? new Promise<void>((resolve) => waiting.push(resolve)) : Promise.resolve();
      },
    };
  };
  return { ...client, client, call: { stream } as unknown as Call };
}

describe('lines of progress', () => {
  test('have Docker’s form', async () => {
    const { call, lines } = clientOf();
    const progress = openProgressLines(call, { status: 'Pulling from library/web', id: '1' });
    progress.onProgress({ ref: 'abc', status: 'Pulling fs layer' });
    await progress.finish();
    progress.onProgress({ ref: 'abc', status: 'Downloading', current: 1_048_576, total: 4_194_304 });
    await progress.finish();
    expect(lines).toEqual([
      { status: 'Pulling from library/web', id: '1' },
      { status: 'Pulling fs layer', progressDetail: {}, id: 'abc' },
      {
        status: 'Downloading',
        progressDetail: { current: 1_048_576, total: 4_194_304 },
        progress: `[${'='.repeat(12)}>${' '.repeat(38)}]  1.049MB/4.194MB`,
        id: 'abc',
      },
    ]);
  });

  test('counts are dropped for a client that does not keep up; all other lines come', async () => {
    const { call, client, lines } = clientOf();
    client.isSlow = true;
    const progress = openProgressLines(call);
    progress.onProgress({ ref: 'abc', status: 'Pulling fs layer' });
    for (let current = 1; current < 1000; current += 1)
      progress.onProgress({ ref: 'abc', status: 'Downloading', current, total: 1000 });
    progress.onProgress({ ref: 'abc', status: 'Download complete' });
    client.isSlow = false;
    await Promise.resolve();
    client.takeAll();
    await progress.finish();
    expect(lines).toMatchObject([{ status: 'Pulling fs layer' }, { status: 'Download complete' }]);
  });

  test('an error before the first line is thrown, a later one is a line', async () => {
    const { call, client, lines } = clientOf();
    const progress = openProgressLines(call);
    const fail = () => Promise.reject(new HealthctlError('NOT_FOUND', 'no such manifest'));
    await expect(withErrorLine(progress, fail)).rejects.toThrow('no such manifest');
    expect(client.begun).toBe(0);
    await withErrorLine(progress, async () => {
      await progress.send({ status: 'one' });
      await fail();
    });
    expect(lines).toEqual([
      { status: 'one' },
      { errorDetail: { message: 'no such manifest' }, error: 'no such manifest' },
    ]);
  });
});

test.each([
  ['it is no tar archive, or truncated', 'unexpected EOF'],
  ['it is truncated', 'unexpected EOF'],
  ['it is no tar archive, or damaged', 'archive/tar: invalid tar header'],
  ['its gzip data are damaged', 'the archive is not an image archive: its gzip data are damaged'],
])('a load of which it is said that %s', (why, message) => {
  const error = new HealthctlError('CORRUPT', `the archive is not an image archive: ${why}`);
  expect(loadMessageOf(error)).toBe(message);
});
