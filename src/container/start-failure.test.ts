import { describe, expect, test } from 'vitest';
import { HealthctlError } from '../lib/errors.ts';
import { startFailure } from './start-failure.ts';

const prefix = 'failed to start exec "x": OCI runtime exec failed: exec failed: ';

describe('error and exit code of a failed start', () => {
  test.each([
    ['unable to start container process: exec: "nope": executable file not found in $PATH', 127],
    ['unable to start container process: exec: "/nope": stat /nope: no such file or directory', 127],
    ['unable to start container process: exec: "/etc": permission denied', 126],
    ['unable to start container process: exec: "/etc": is a directory', 126],
    // crun's text.
    ['executable file `nope` not found in $PATH: No such file or directory', 127],
    ['Cwd must be an absolute path', 126],
  ])('%s', (text, exitCode) => {
    const error = new HealthctlError('RUNTIME', `${prefix}${text}: unknown`);
    expect(startFailure(error, 126)).toMatchObject({
      message: `OCI runtime exec failed: exec failed: ${text}`,
      exitCode,
      cause: error,
    });
  });

  test('the exit code of run is 125 if nothing more is known', () => {
    expect(startFailure(new HealthctlError('RUNTIME', 'something'), 125)).toMatchObject({ exitCode: 125 });
  });

  test('errors from elsewhere than the runtime stay unchanged', () => {
    const error = new HealthctlError('UNAVAILABLE', 'cannot connect');
    expect(startFailure(error, 126)).toBe(error);
  });
});

test('the error for refused real-time scheduling names the cgroup that needs a budget', () => {
  const file = '/sys/fs/cgroup/cpu/default/abc/cpu.rt_runtime_us';
  const text = `unable to apply cgroup configuration: failed to write "5000": write ${file}: invalid argument`;
  expect(startFailure(new HealthctlError('RUNTIME', text), 125)).toMatchObject({
    hint: 'a cgroup above has no real-time budget left: write to /sys/fs/cgroup/cpu/default/cpu.rt_runtime_us, and to those above it first',
  });
  expect(startFailure(new HealthctlError('RUNTIME', 'no such file'), 125)).toMatchObject({ hint: undefined });
});
