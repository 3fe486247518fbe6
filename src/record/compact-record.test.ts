import { expect, test } from 'vitest';
import { aRecord } from '../../test/builders/container.ts';
import { ownRecord } from '../../test/builders/listed.ts';
import { compactRecordOf, recordFromCompact } from './compact-record.ts';
import { briefOf, detailsOf } from './details.ts';

const foreign = aRecord({
  labels: { a: 'b' },
  specJson: () =>
    JSON.stringify({
      ociVersion: '1.0.2',
      process: { args: ['nginx', '-g'], cwd: '/', user: { uid: 0, gid: 0 }, env: ['A=1'], rlimits: [] },
      mounts: [{ destination: '/data', source: '/srv', type: 'bind', options: ['rbind', 'ro'] }],
      linux: { seccomp: { defaultAction: 'SCMP_ACT_ERRNO' } },
    }),
});

test.each([
  ['of ours', ownRecord()],
  ['of another tool', foreign],
  ['without a spec', aRecord()],
  ['with a damaged spec', aRecord({ specJson: () => '{' })],
])('lists show the same for a record %s after it was sent in its compact form', (_what, record) => {
  const sent = recordFromCompact(JSON.parse(JSON.stringify(compactRecordOf(record))));
  expect(briefOf(sent)).toEqual(briefOf(record));
  expect(detailsOf(sent).mounts).toEqual(detailsOf(record).mounts);
  expect({ ...sent, specJson: 0, extensionJson: 0 }).toEqual({ ...record, specJson: 0, extensionJson: 0 });
});

test('the compact form omits what lists do not show', () => {
  expect(JSON.stringify(compactRecordOf(foreign))).not.toContain('seccomp');
  expect(JSON.stringify(compactRecordOf(ownRecord()))).not.toContain('PATH=');
});
