import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { HealthctlError } from '../lib/errors.ts';
import { parseImageConfig, trustedImageLabels } from './config.ts';

const DIFF_ID = `sha256:${'1'.repeat(64)}`;
const bytes = (value: unknown) => Buffer.from(JSON.stringify(value));
const withConfig = (config: unknown) => bytes({ os: 'linux', rootfs: { diff_ids: [DIFF_ID] }, config });

describe('parseImageConfig', () => {
  test('reads what Docker writes', () => {
    const document = {
      architecture: 'arm64',
      variant: 'v8',
      os: 'linux',
      created: '2024-01-01T00:00:00Z',
      author: 'me',
      comment: 'the first',
      docker_version: '20.10.24',
      history: [
        { created: '2024-01-01T00:00:00Z', created_by: 'ADD x', comment: 'buildkit' },
        { created_by: 'CMD', empty_layer: true },
      ],
      rootfs: { type: 'layers', diff_ids: [DIFF_ID] },
      config: {
        Env: ['A=1'],
        Cmd: ['sleep'],
        Entrypoint: ['/init'],
        User: 'probe',
        WorkingDir: '/foo',
        Labels: { a: 'b' },
        StopSignal: 'SIGQUIT',
        ExposedPorts: { '80/tcp': {} },
        Volumes: { '/data': {} },
        Shell: ['/bin/bash', '-c'],
        OnBuild: ['RUN x'],
        Healthcheck: { Test: ['CMD', 'true'], Interval: 5e9 },
        ArgsEscaped: true,
      },
    };
    expect(parseImageConfig('x', bytes(document))).toEqual({
      architecture: 'arm64',
      variant: 'v8',
      os: 'linux',
      created: '2024-01-01T00:00:00Z',
      author: 'me',
      comment: 'the first',
      dockerVersion: '20.10.24',
      env: ['A=1'],
      cmd: ['sleep'],
      entrypoint: ['/init'],
      user: 'probe',
      workingDir: '/foo',
      labels: { a: 'b' },
      stopSignal: 'SIGQUIT',
      exposedPorts: ['80/tcp'],
      volumes: ['/data'],
      shell: ['/bin/bash', '-c'],
      onBuild: ['RUN x'],
      healthcheck: { Test: ['CMD', 'true'], Interval: 5e9 },
      diffIds: [DIFF_ID],
      history: [
        { created: '2024-01-01T00:00:00Z', createdBy: 'ADD x', comment: 'buildkit', isEmpty: false },
        { created: undefined, createdBy: 'CMD', comment: '', isEmpty: true },
      ],
    });
  });

  test('reads keys in any case, like Go, but does not change the keys of maps', () => {
    const config = {
      env: ['A=1'],
      CMD: ['sleep'],
      workingdir: '/foo',
      labels: { Env: 'x', env: 'y' },
      exposedports: { '80/TCP': {} },
      healthcheck: { test: ['CMD', 'true'] },
    };
    const document = { OS: 'linux', Architecture: 'arm64', RootFS: { Diff_IDs: [DIFF_ID] }, Config: config };
    expect(parseImageConfig('x', bytes(document))).toMatchObject({
      ...{ architecture: 'arm64', os: 'linux', env: ['A=1'], cmd: ['sleep'], workingDir: '/foo' },
      ...{ labels: { Env: 'x', env: 'y' }, exposedPorts: ['80/TCP'], diffIds: [DIFF_ID] },
      healthcheck: { test: ['CMD', 'true'] },
    });
  });

  test('treats null like an absent field', () => {
    const nulls = { Env: null, Cmd: null, Entrypoint: null, Labels: null, ExposedPorts: null, Healthcheck: null };
    const parsed = parseImageConfig('x', withConfig(nulls));
    expect(parsed).toMatchObject({ env: [], cmd: undefined, entrypoint: undefined, labels: {}, exposedPorts: [] });
    expect(parsed.healthcheck).toBeUndefined();
    expect(parseImageConfig('x', bytes({ rootfs: {} }))).toMatchObject({ os: 'linux', diffIds: [], env: [] });
  });

  test.each([
    [{ Env: 'A=1' }, 'config of image demo:1: config.Env is not a list of strings'],
    [{ Env: [1] }, 'config of image demo:1: config.Env is not a list of strings'],
    [{ Cmd: {} }, 'config of image demo:1: config.Cmd is not a list of strings'],
    [{ User: 0 }, 'config of image demo:1: config.User is not a string'],
    [{ Labels: { a: 1 } }, 'config of image demo:1: config.Labels is not an object of strings'],
    [{ ExposedPorts: ['80'] }, 'config of image demo:1: config.ExposedPorts is not an object'],
    ['text', 'config of image demo:1: config is not an object'],
  ])('refuses %j, naming image and field', (config, message) => {
    expect(() => parseImageConfig('demo:1', withConfig(config))).toThrow(
      expect.objectContaining({ code: 'CORRUPT', message }),
    );
  });

  test.each([
    ['{', 'config of image x is not valid JSON'],
    ['[]', 'config of image x: the document is not an object'],
    ['{}', 'config of image x: rootfs is missing'],
    [
      '{"rootfs":{"diff_ids":["../../x"]}}',
      'config of image x: rootfs.diff_ids holds something that is not a sha256 digest',
    ],
  ])('refuses %s', (text, message) => {
    expect(() => parseImageConfig('x', Buffer.from(text))).toThrow(
      expect.objectContaining({ code: 'CORRUPT', message }),
    );
  });

  test('passes on a health check unchanged', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (healthcheck) => {
        const seen = parseImageConfig('x', withConfig({ Healthcheck: healthcheck })).healthcheck;
        expect(seen).toEqual(healthcheck === null ? undefined : JSON.parse(JSON.stringify(healthcheck)));
      }),
    );
  });

  test("uses nerdctl's label if there is no health check", () => {
    const label = (text: string) => ({ Labels: { 'nerdctl/healthcheck': text } });
    expect(parseImageConfig('x', withConfig(label('{"Test":["NONE"]}'))).healthcheck).toEqual({ Test: ['NONE'] });
    expect(parseImageConfig('x', withConfig(label('{oops'))).healthcheck).toBe('{oops');
    const both = { ...label('{"Test":["NONE"]}'), Healthcheck: { Test: ['CMD', 'true'] } };
    expect(parseImageConfig('x', withConfig(both)).healthcheck).toEqual({ Test: ['CMD', 'true'] });
  });

  test('throws only our own error', () => {
    fc.assert(
      fc.property(fc.oneof(fc.json(), fc.string()), (text) => {
        try {
          parseImageConfig('x', Buffer.from(text));
        } catch (error) {
          expect(error).toBeInstanceOf(HealthctlError);
        }
      }),
    );
  });
});

test('trustedImageLabels omits reserved prefixes', () => {
  const labels = {
    'nerdctl/state-dir': '/etc',
    'healthctl/owner': 'me',
    'containerd.io/gc.root': 'x',
    'nerdctl-like': 'kept',
    'org.x': 'kept',
  };
  expect(trustedImageLabels(labels)).toEqual({ 'nerdctl-like': 'kept', 'org.x': 'kept' });
});
