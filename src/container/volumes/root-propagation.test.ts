import { expect, test } from 'vitest';
import { parseVolume } from '../../oci/mount-flags.ts';
import { parseMount } from '../../oci/mount-option.ts';
import type { Bind, MountRequest } from '../../oci/mounts.ts';
import { withRootPropagation } from './root-propagation.ts';

const ctx = { dirs: { dataRoot: '/data/root' } } as Parameters<typeof withRootPropagation>[0];
const bindOf = (mount: MountRequest): Bind => {
  if (mount.kind !== 'bind') throw new Error('no bind');
  return mount.bind;
};
const byFlag = (text: string) => withRootPropagation(ctx, bindOf(parseVolume(text, '/'))).propagation;
const byMount = (text: string) => withRootPropagation(ctx, bindOf(parseMount(text, '/'))).propagation;

test.each(['/', '/data', '/data/root', '/data/root/x'])('a bind of %s gets rslave', (source) => {
  expect(byFlag(`${source}:/foo`)).toBe('rslave');
  expect(byFlag(`${source}:/foo:ro`)).toBe('rslave');
  expect(byMount(`type=bind,source=${source},target=/foo`)).toBe('rslave');
});

test.each(['/dat', '/data/rooted', '/other'])('a bind of %s stays private', (source) => {
  expect(byFlag(`${source}:/foo`)).toBe('rprivate');
});

test.each(['private', 'rprivate', 'slave', 'shared'])('%s of the data is refused', (propagation) => {
  const text = 'invalid mount config: must use either propagation mode "rslave" or "rshared"';
  expect(() => byFlag(`/data:/foo:${propagation}`)).toThrow(text);
  expect(() => byMount(`type=bind,source=/data,target=/foo,bind-propagation=${propagation}`)).toThrow(text);
});

test.each(['rslave', 'rshared'])('%s is kept', (propagation) => {
  expect(byFlag(`/data:/foo:${propagation}`)).toBe(propagation);
});
