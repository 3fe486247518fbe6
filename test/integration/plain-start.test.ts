import { spawn } from 'node:child_process';
import { closeSync, existsSync, openSync } from 'node:fs';
import { expect, test } from 'vitest';
import { openLibc } from '../../src/system/libc.ts';
import { startPlainly } from '../../src/system/plain-start.ts';

test('a process that outlives the shell does not inherit descriptors that the shell left open', () => {
  const file = openSync('/dev/null', 'r');
  // F_DUPFD: without close-on-exec
  const left = openLibc().func('int fcntl(int fd, int command, int value)')(file, 0, 200);
  const child = startPlainly(() => spawn('sleep', ['60'], { stdio: 'ignore' }));
  try {
    expect(existsSync(`/proc/${child.pid}/fd/0`)).toBe(true);
    expect(existsSync(`/proc/${child.pid}/fd/${left}`)).toBe(false);
  } finally {
    child.kill('SIGKILL');
    closeSync(left);
    closeSync(file);
  }
});
