import { expect, test } from 'vitest';
import { checkVolumeOptions, contentOf, mountFlagsOf, type VolumeOptions } from './volume-options.ts';

test.each<[VolumeOptions, string]>([
  [{ colour: 'red' }, 'invalid option: "colour"'],
  [{ device: '/a' }, 'missing required option: "type"'],
  [{ type: 'none' }, 'missing required option: "device"'],
  [{ o: 'bind' }, 'missing required option: "device"'],
  [{ size: '1g' }, 'quota size requested but no quota support'],
  [{ size: 'much' }, "invalid size: 'much'"],
])('%j is refused', (options, message) => expect(() => checkVolumeOptions(options)).toThrow(message));

test.each<[VolumeOptions]>([[{}], [{ type: 'none', o: 'bind', device: '/a' }], [{ type: 'tmpfs', device: 'tmpfs' }]])(
  '%j is accepted',
  (options) => expect(() => checkVolumeOptions(options)).not.toThrow(),
);

test.each<[VolumeOptions, ReturnType<typeof contentOf>]>([
  [{}, { kind: 'own', isInMemory: false }],
  [
    { type: 'tmpfs', device: 'tmpfs', o: 'size=1m' },
    { kind: 'own', isInMemory: true },
  ],
  [
    { type: 'none', device: '/srv/a', o: 'bind' },
    { kind: 'host', path: '/srv/a', readOnly: false, isRecursive: false },
  ],
  [
    { type: '', device: '/srv/a', o: 'ro,rbind' },
    { kind: 'own', isInMemory: false },
  ],
  [
    { type: 'none', device: '/srv/a', o: 'ro,rbind' },
    { kind: 'host', path: '/srv/a', readOnly: true, isRecursive: true },
  ],
  [
    { type: 'nfs', device: ':/export', o: 'addr=10.0.0.1,nfsvers=4,' },
    { kind: 'file-system', type: 'nfs', device: ':/export', options: ['addr=10.0.0.1', 'nfsvers=4'] },
  ],
])('%j means %j', (options, content) => expect(contentOf(options)).toEqual(content));

test('words of mount(8) become flags, others are for the file system', () => {
  expect(mountFlagsOf({ o: 'size=4m,nosuid,,uid=1000,noexec,rw' })).toEqual({ flags: 10, data: 'size=4m,uid=1000' });
  expect(mountFlagsOf({})).toEqual({ flags: 0, data: '' });
});
