import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { HealthctlError } from '../lib/errors.ts';
import { chooseManifest, gcLabels, type Index, MEDIA_TYPES, parseManifest, printable } from './manifest.ts';
import { formatPlatform, hostPlatform, parsePlatform, platformFit } from './platform.ts';

const digest = (digit: string) => `sha256:${digit.repeat(64)}`;
const bytes = (value: unknown) => Buffer.from(JSON.stringify(value));
const config = { mediaType: MEDIA_TYPES.dockerConfig, digest: digest('a'), size: 10 };
const layer = { mediaType: MEDIA_TYPES.dockerLayerGzip, digest: digest('b'), size: 20 };
const manifest = { schemaVersion: 2, mediaType: MEDIA_TYPES.dockerManifest, config, layers: [layer] };

describe('parseManifest', () => {
  test('parses an image', () => {
    const parsed = parseManifest('m', bytes(manifest));
    expect(parsed).toMatchObject({ kind: 'manifest', mediaType: MEDIA_TYPES.dockerManifest, config, layers: [layer] });
    expect(gcLabels(parsed)).toEqual({
      'containerd.io/gc.ref.content.config': digest('a'),
      'containerd.io/gc.ref.content.l.0': digest('b'),
    });
  });

  test('an OCI manifest may omit its media type', () => {
    const { mediaType: _, ...unnamed } = manifest;
    expect(parseManifest('m', bytes(unnamed)).mediaType).toBe(MEDIA_TYPES.ociManifest);
    expect(parseManifest('m', bytes(unnamed), MEDIA_TYPES.dockerManifest).mediaType).toBe(MEDIA_TYPES.dockerManifest);
  });

  test('parses an index', () => {
    const parsed = parseManifest(
      'm',
      bytes({ manifests: [{ ...layer, platform: { os: 'linux', architecture: 'arm', variant: 'v7' } }] }),
    );
    expect(parsed).toMatchObject({
      kind: 'index',
      manifests: [{ platform: { os: 'linux', architecture: 'arm', variant: 'v7' } }],
    });
    expect(gcLabels(parsed)).toEqual({ 'containerd.io/gc.ref.content.m.0': digest('b') });
  });

  test.each([
    [{ schemaVersion: 1, fsLayers: [] }, 'INVALID', 'm has the outdated schema version 1'],
    [{}, 'CORRUPT', 'm is neither a manifest nor an index'],
    [
      { ...manifest, config: { ...config, digest: 'sha256:../x' } },
      'CORRUPT',
      'm: config.digest is not a sha256 digest: sha256:../x',
    ],
    [
      { ...manifest, config: { ...config, digest: `sha512:${'a'.repeat(128)}` } },
      'CORRUPT',
      /config\.digest is not a sha256 digest/,
    ],
    [{ ...manifest, config: { ...config, size: -1 } }, 'CORRUPT', 'm: config.size is not a size'],
    [{ ...manifest, config: { ...config, size: 2 ** 60 } }, 'CORRUPT', 'm: config.size is not a size'],
    [{ ...manifest, config: { ...config, size: 9e6 } }, 'CORRUPT', 'm: config.size is more than 8388608 bytes'],
    [{ ...manifest, layers: [{ ...layer, size: undefined }] }, 'CORRUPT', 'm: layers[0].size is missing'],
    [{ ...manifest, layers: Array(1001).fill(layer) }, 'CORRUPT', 'm has more than 1000 layers'],
    [{ ...manifest, manifests: [] }, 'CORRUPT', 'm: manifests and layers exclude each other'],
    [
      { ...manifest, config: { ...config, mediaType: 'application/vnd.cncf.helm.config.v1+json' } },
      'INVALID',
      /not of a container image/,
    ],
    [
      { ...manifest, layers: [{ ...layer, mediaType: 'text/\u001b[31mx' }] },
      'INVALID',
      'm has a layer of an unknown kind: text/ [31mx',
    ],
  ])('refuses %j', (document, code, message) => {
    const expected = typeof message === 'string' ? message : expect.stringMatching(message);
    expect(() => parseManifest('m', bytes(document))).toThrow(expect.objectContaining({ code, message: expected }));
  });

  test('throws only our own error', () => {
    const anything = fc.record(
      { config: fc.jsonValue(), layers: fc.jsonValue(), manifests: fc.jsonValue() },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(anything, (document) => {
        try {
          parseManifest('m', bytes(document));
        } catch (error) {
          expect(error).toBeInstanceOf(HealthctlError);
        }
      }),
    );
  });
});

describe('chooseManifest', () => {
  const entry = (digit: string, platform?: string, annotations = {}) => ({
    mediaType: MEDIA_TYPES.ociManifest,
    digest: digest(digit),
    size: 1,
    annotations,
    ...(platform === undefined ? {} : { platform: parsePlatform(platform) }),
  });
  const index = (...manifests: Index['manifests']): Index => ({ kind: 'index', mediaType: '', manifests });
  const chosen = (of: Index, platform: string) => chooseManifest(of, parsePlatform(platform)).digest;

  test('chooses the manifest of the platform', () => {
    const all = index(
      entry('1', 'linux/arm64'),
      entry('2', 'linux/amd64'),
      entry('3', 'linux/arm/v6'),
      entry('4', 'linux/arm/v7'),
    );
    expect(chosen(all, 'linux/amd64')).toBe(digest('2'));
    expect(chosen(all, 'linux/arm64/v8')).toBe(digest('1'));
    expect(chosen(all, 'linux/arm/v7')).toBe(digest('4'));
    expect(chosen(all, 'linux/arm/v6')).toBe(digest('3'));
  });

  test('chooses no manifest of a newer variant for an older ARM machine', () => {
    expect(() => chosen(index(entry('4', 'linux/arm/v7')), 'linux/arm/v6')).toThrow(
      expect.objectContaining({
        code: 'NOT_FOUND',
        message: 'no matching manifest for linux/arm/v6 in the manifest list entries',
        hint: 'it has linux/arm/v7',
      }),
    );
  });

  test('prefers the baseline of amd64', () => {
    const all = index(entry('3', 'linux/amd64/v3'), entry('1', 'linux/amd64'));
    expect(chosen(all, 'linux/amd64')).toBe(digest('1'));
    expect(chosen(all, 'linux/amd64/v3')).toBe(digest('3'));
  });

  test('skips attestations, and prefers entries with a platform', () => {
    const attestation = entry('9', 'linux/amd64', { 'vnd.docker.reference.type': 'attestation-manifest' });
    expect(chosen(index(attestation, entry('5'), entry('2', 'linux/amd64')), 'linux/amd64')).toBe(digest('2'));
    expect(chosen(index(attestation, entry('5')), 'linux/amd64')).toBe(digest('5'));
    expect(() => chosen(index(attestation), 'linux/amd64')).toThrow('no matching manifest');
  });
});

describe('platforms', () => {
  test("hostPlatform names this machine's architecture and variant", () => {
    expect(formatPlatform(hostPlatform('x64'))).toBe('linux/amd64');
    expect(formatPlatform(hostPlatform('arm64'))).toBe('linux/arm64/v8');
    expect(formatPlatform(hostPlatform('riscv64'))).toBe('linux/riscv64');
  });

  test.each([
    ['linux/amd64', 'linux/amd64'],
    ['linux/x86_64', 'linux/amd64'],
    ['arm64', 'linux/arm64'],
    ['linux/aarch64/v8', 'linux/arm64'],
    ['Linux/ARM', 'linux/arm/v7'],
    ['windows/amd64', 'windows/amd64'],
  ])('%s', (text, formatted) => expect(formatPlatform(parsePlatform(text))).toBe(formatted));

  test.each(['', '/', 'a/b/c/d', 'linux/', 'linux/a b'])('refuses %j', (text) => {
    expect(() => parsePlatform(text)).toThrow(expect.objectContaining({ code: 'INVALID' }));
  });

  test('a platform fits itself best', () => {
    for (const text of ['linux/amd64', 'linux/arm/v6', 'linux/arm64']) {
      expect(platformFit(parsePlatform(text), parsePlatform(text))).toBe(100);
    }
    expect(platformFit(parsePlatform('linux/amd64'), parsePlatform('windows/amd64'))).toBe(0);
  });
});

test('printable leaves nothing that a terminal interprets', () => {
  expect(printable('a\u001b]0;x\u0007\nb')).toBe('a ]0;x b');
  expect(printable('x'.repeat(300))).toHaveLength(203);
});
