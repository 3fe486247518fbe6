import { expect, test } from 'vitest';
import { completedSpec } from './namespaces.ts';

const spec = { ociVersion: '1.0.2', process: { user: { uid: 0, gid: 0 }, cwd: '/', args: ['x'] } };

test('at the next start, a spec by an earlier release gets an OOM score and a umask', () => {
  expect(completedSpec(spec, {}).process).toMatchObject({ args: ['x'], user: { umask: 0o022 }, oomScoreAdj: 0 });
});

test('keeps the values of the spec, and sets the paths of joined namespaces', () => {
  const own = {
    ...spec,
    process: { ...spec.process, user: { uid: 0, gid: 0, umask: 0 }, oomScoreAdj: 300 },
    linux: { namespaces: [{ type: 'pid' }, { type: 'ipc' }] },
  };
  const namespaces = [{ type: 'pid', path: '/proc/7/ns/pid' }, { type: 'ipc' }];
  expect(completedSpec(own, { pid: '/proc/7/ns/pid' })).toEqual({ ...own, linux: { namespaces } });
});
