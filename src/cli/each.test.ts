import { describe, expect, test } from 'vitest';
import { HealthctlError } from '../lib/errors.ts';
import { forEachName, withPrefix } from './each.ts';

const missing = (name: string) => new HealthctlError('NOT_FOUND', `No such container: ${name}`);

describe('forEachName', () => {
  test('tries all names; prints successes unchanged and in order, and joins errors', async () => {
    const result = await forEachName(['a', 'x', '/b', 'y'], async (name) => {
      if (name === 'x' || name === 'y') throw missing(name);
    });
    expect(result.stdout).toBe('a\n/b\n');
    expect(result.errors?.map(({ message }) => message)).toEqual(['No such container: x', 'No such container: y']);
  });

  test('prints the string that the work returns instead of the name', async () => {
    expect((await forEachName(['a', 'b'], async (name) => `${name.length}`)).stdout).toBe('1\n1\n');
  });

  test.each(['', '/', '//'])('refuses the name %j', async (name) => {
    const result = await forEachName([name], async () => {});
    expect(result).toMatchObject({ stdout: '', errors: [{ message: 'container name cannot be empty' }] });
  });

  test('handles no more names at once than the limit', async () => {
    let [now, most] = [0, 0];
    const work = async (): Promise<void> => {
      now += 1;
      most = Math.max(most, now);
      await Promise.resolve();
      now -= 1;
    };
    await forEachName(['a', 'b', 'c', 'd'], work, { atOnce: 2 });
    expect(most).toBe(2);
    await forEachName(['a', 'b', 'c', 'd'], work, { atOnce: 1 });
  });

  test('prints an error that would be the same for all names once, and stops', async () => {
    const called: string[] = [];
    const result = await forEachName(
      ['a', 'b', 'c'],
      async (name) => {
        called.push(name);
        throw new HealthctlError('UNAVAILABLE', 'cannot connect to containerd');
      },
      { atOnce: 1 },
    );
    expect(called).toEqual(['a']);
    expect(result.errors).toHaveLength(1);
    const atOnce = await forEachName(['a', 'b'], async () => {
      throw new HealthctlError('UNAVAILABLE', 'cannot connect to containerd');
    });
    expect(atOnce.errors).toHaveLength(1);
  });
});

describe('withPrefix', () => {
  const failing = (error: Error) => () => Promise.reject(error);

  test('adds the prefix to the message, and keeps code, hint and exit status', async () => {
    const error = new HealthctlError('RUNTIME', 'no', { hint: 'do', exitCode: 127 });
    await expect(withPrefix('cannot stop container: a', failing(error))).rejects.toMatchObject({
      code: 'RUNTIME',
      message: 'cannot stop container: a: no',
      hint: 'do',
      exitCode: 127,
    });
  });

  test("refuses an unknown signal like Docker's daemon: exit 1, no usage", async () => {
    const error = new HealthctlError('USAGE', 'invalid signal: FOO');
    await expect(withPrefix('p', failing(error))).rejects.toMatchObject({ code: 'INVALID' });
  });

  test('errors that concern all containers get no prefix', async () => {
    const error = new HealthctlError('UNAVAILABLE', 'down');
    await expect(withPrefix('p', failing(error))).rejects.toBe(error);
  });
});
