import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { monitorEnvironment } from './autostart.ts';

test("a started monitor inherits healthctl's settings and nothing else", () => {
  const shell = { PATH: '/home/me/bin', NOTIFY_SOCKET: '/run/x', NODE_OPTIONS: '--inspect', HOME: '/root' };
  const env = monitorEnvironment({ ...shell, HEALTHCTL_TOML: 'a.toml', HEALTHCTL_RUN_ROOT: '/r' });
  expect(env).toEqual({
    PATH: expect.stringMatching(/^\/usr\/local\/sbin:.*\/usr\/bin/),
    MALLOC_ARENA_MAX: '1',
    HEALTHCTL_TOML: resolve('a.toml'), // it works in another directory
    HEALTHCTL_RUN_ROOT: '/r',
  });
  expect(monitorEnvironment({ HEALTHCTL_TOML: '' })).not.toHaveProperty('HEALTHCTL_TOML', resolve(''));
});
