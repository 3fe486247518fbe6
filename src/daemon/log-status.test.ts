import { expect, test } from 'vitest';
import { aRecord } from '../../test/builders/container.ts';
import type { KnownContainer } from '../monitor/host-model.ts';
import { compactRecordOf } from '../record/compact-record.ts';
import { logStatus } from './log-status.ts';

test.each([
  [4, 'first\r\nlast\r\n', 'last'],
  [-1, 'Health check exceeded timeout (5s): first\nlast\n', 'Health check exceeded timeout (5s): first'],
])('with exit code %i, the line that says most is logged', (exitCode, output, shown) => {
  const logged: string[] = [];
  const log = { info: (text: string) => void logged.push(text), warn: (text: string) => void logged.push(text) };
  const record = compactRecordOf(aRecord({ id: 'c1', labels: { 'nerdctl/name': 'web' } }));
  const container = { namespace: 'default', id: 'c1', record } as KnownContainer;
  logStatus(log, container, { status: 'unhealthy', failingStreak: 3, exitCode, output });
  expect(logged).toEqual([
    `container default/web (c1): unhealthy after 3 failures, the last with exit code ${exitCode}: ${shown}`,
  ]);
});
