import { expect, test } from 'vitest';
import type { GivenHealthConfig } from '../../health/config.ts';
import type { ParsedHealthConfig } from '../../health/config-json.ts';
import { uncheckedFrom } from './unchecked.ts';

const config = (...test: readonly string[]): ParsedHealthConfig => ({ kind: 'config', config: { test } });
const absent: ParsedHealthConfig = { kind: 'absent' };

test.each<[string, ParsedHealthConfig, GivenHealthConfig | undefined, string]>([
  ['none', absent, {}, 'neither its image nor an option has a health check'],
  ['none that is known', absent, undefined, 'neither its image nor an option has a health check'],
  [
    'the image has one',
    absent,
    { test: ['CMD', 'x'] },
    'its image has a health check, which the container was made without',
  ],
  ['disabled', config('NONE'), { test: ['CMD', 'x'] }, 'its health check is switched off (NONE)'],
  [
    'unknown',
    config('FOO'),
    {},
    'the kind of its health check, "FOO", is not known: CMD, CMD-SHELL, HTTP, TCP, GRPC or NONE',
  ],
  ['malformed', config('TCP', 'db'), {}, 'its TCP check cannot be read: "db" is not HOST:PORT'],
  [
    'damaged',
    { kind: 'malformed', reason: 'it is not JSON' },
    {},
    'the label with its health check is damaged: it is not JSON',
  ],
])('%s', (_, parsed, image, what) => {
  expect(uncheckedFrom(parsed, image).what).toBe(what);
});
