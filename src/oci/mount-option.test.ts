import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { HealthctlError } from '../lib/errors.ts';
import { parseMount } from './mount-option.ts';

const parse = (text: string) => parseMount(text, '/home/me');

describe('--mount', () => {
  const bind = {
    source: '/a',
    destination: '/b',
    readOnly: false,
    propagation: 'rprivate',
    mount: { recursive: 'enabled' },
  };
  test.each([
    ['type=bind,source=/a,target=/b', bind],
    ['TYPE=BIND,src=/a/./c/..,dst=/x/../b', bind],
    ['type=bind,src=./a,destination=/b', { ...bind, source: '/home/me/a' }],
    ['type=bind,src=/a,dst=/b,ro', { ...bind, readOnly: true }],
    ['type=bind,src=/a,dst=/b,readonly=false', bind],
    [
      'type=bind,src=/a,dst=/b,bind-propagation=rslave',
      { ...bind, propagation: 'rslave', mount: { ...bind.mount, hasPropagation: true } },
    ],
    ['type=bind,src=/a,dst=/b,bind-nonrecursive', { ...bind, mount: { recursive: 'disabled' } }],
    [
      'type=bind,src=/a,dst=/b,ro,bind-recursive=writable',
      { ...bind, readOnly: true, mount: { recursive: 'writable' } },
    ],
    ['type=bind,"src=/a,1",dst=/b', { ...bind, source: '/a,1' }],
  ])('reads the bind %s', (text, expected) => expect(parse(text)).toEqual({ kind: 'bind', bind: expected }));

  const volume = { destination: '/b', readOnly: false, noCopy: false, labels: {}, isMount: true };
  test.each([
    ['dst=/b', volume],
    ['type=volume,src=data,dst=/b', { ...volume, name: 'data' }],
    ['src=data,dst=/b,ro,volume-nocopy', { ...volume, name: 'data', readOnly: true, noCopy: true }],
    [
      'src=data,dst=/b,volume-label=a=1=2,volume-label=b,volume-driver=local',
      { ...volume, name: 'data', labels: { a: '1=2', b: '' } },
    ],
  ])('reads the volume %s', (text, expected) => expect(parse(text)).toEqual({ kind: 'volume', volume: expected }));

  test('reads a tmpfs', () => {
    expect(parse('type=tmpfs,dst=/b,tmpfs-size=1m,tmpfs-mode=01770,ro')).toEqual({
      kind: 'tmpfs',
      tmpfs: {
        destination: '/b',
        options: ['noexec', 'nosuid', 'nodev', 'rprivate', 'ro', 'size=1048576', 'mode=1770'],
        mount: { size: 1_048_576, mode: 0o1770 },
      },
    });
  });

  test.each([
    ['', 'EOF'],
    ['type=bind', 'target is required'],
    ['type=,dst=/b', 'type is required'],
    ['dst', "invalid field 'dst' must be a key=value pair"],
    ['dst=/b,colour=red', "unexpected key 'colour' in 'colour=red'"],
    ['dst=/b,ro=perhaps', 'invalid value for ro: perhaps'],
    ['dst=/b,bind-propagation=shared', "cannot mix 'bind-*' options with mount type 'volume'"],
    ['type=bind,dst=/b,volume-nocopy', "cannot mix 'volume-*' options with mount type 'bind'"],
    ['type=bind,dst=/b,tmpfs-size=1m', "cannot mix 'tmpfs-*' options with mount type 'bind'"],
    ['type=bind,dst=/b', 'invalid mount config for type "bind": field Source must not be empty'],
    [
      'type=bind,src=a,dst=/b',
      'invalid mount config for type "bind": invalid mount path: \'a\' mount path must be absolute',
    ],
    [
      'type=bind,src=/a,dst=/b,bind-propagation=up',
      'invalid mount config for type "bind": invalid propagation mode: up',
    ],
    ['type=npipe,src=/a,dst=/b', 'invalid mount config for type "npipe": mount type unknown'],
    ['type=tmpfs,src=/a,dst=/b', 'invalid mount config for type "tmpfs": field Source must not be specified'],
    ['dst=/b,ro', 'invalid mount config for type "volume": must not set ReadOnly mode when using anonymous volumes'],
    ['src=x,dst=b', 'invalid mount config for type "volume": invalid mount path: \'b\' mount path must be absolute'],
    ['type=tmpfs,dst=/b,tmpfs-size=huge', 'invalid value for tmpfs-size: huge'],
    ['type=tmpfs,dst=/b,tmpfs-mode=9', 'invalid value for tmpfs-mode: 9'],
    ...['/a', '..', 'a/../../b'].map((part): [string, string] => [
      `src=data,dst=/b,volume-subpath=${part}`,
      'invalid mount config for type "volume": subpath must be a relative path within the volume',
    ]),
    [
      'dst=/b,volume-subpath=x',
      'invalid mount config for type "volume": must not set Subpath when using anonymous volumes',
    ],
    ['src=data,dst=/b,volume-driver=nfs', 'error looking up volume plugin nfs: plugin "nfs" not found'],
    [
      'type=bind,src=/a,dst=/b,bind-recursive=readonly',
      "option 'bind-recursive=readonly' requires 'readonly' to be specified in conjunction",
    ],
    [
      'type=bind,src=/a,dst=/b,bind-recursive=maybe',
      'invalid value for bind-recursive: maybe (must be "enabled", "disabled", "writable", or "readonly")',
    ],
    ['dst=/b,"src', 'parse error on line 1, column 8: extraneous or missing " in quoted-field'],
    ['dst=/b,s"rc', 'parse error on line 1, column 9: bare " in non-quoted-field'],
  ])('refuses %s: %s', (text, message) =>
    expect(() => parse(text)).toThrow(expect.objectContaining({ code: 'USAGE', message })),
  );

  test.each(['../../etc', 'a/b', '.', '..', 'x/../..'])('refuses the volume name %s', (name) => {
    expect(() => parse(`src=${name},dst=/b`)).toThrow(/invalid characters for a local volume name|too short/);
  });

  test('property: any text gives a mount or a HealthctlError', () => {
    const piece = fc.oneof(
      fc.string(),
      fc.constantFrom('type=bind', 'type=tmpfs', 'src=/a', 'dst=/b', 'ro', '"', '""', 'tmpfs-size=1'),
    );
    fc.assert(
      fc.property(
        fc.array(piece, { maxLength: 6 }).map((pieces) => pieces.join(',')),
        (text) => {
          try {
            expect(['bind', 'volume', 'tmpfs']).toContain(parse(text).kind);
          } catch (error) {
            expect(error).toBeInstanceOf(HealthctlError);
          }
        },
      ),
    );
  });
});
