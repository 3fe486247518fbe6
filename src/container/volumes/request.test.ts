import { describe, expect, test } from 'vitest';
import { volumeRequestsOf } from './request.ts';

const nothing = { volumes: [], binds: [], tmpfs: [] };
const anonymous = (destination: string) => ({ destination, readOnly: false, noCopy: false, labels: {} });

describe('the volumes of an image', () => {
  test('are anonymous, one for each path', () => {
    expect(volumeRequestsOf(nothing, ['/a', '/a/', '/b/../c'])).toEqual([anonymous('/a'), anonymous('/c')]);
  });

  test("are replaced by the user's mounts at the same paths", () => {
    const bind = { source: '/x', destination: '/a', readOnly: false, propagation: 'rprivate' as const };
    const given = {
      volumes: [{ ...anonymous('/b'), name: 'data' }],
      binds: [bind],
      tmpfs: [{ destination: '/c', options: [] }],
    };
    expect(volumeRequestsOf(given, ['/a', '/b', '/c', '/d'])).toEqual([...given.volumes, anonymous('/d')]);
  });

  test.each(['data', '', '/', '/x/..', '../../etc'])('cannot be mounted at %j', (path) => {
    expect(() => volumeRequestsOf(nothing, [path])).toThrow(expect.objectContaining({ code: 'INVALID' }));
  });
});
