import { describe, expect, test } from 'vitest';
import type { GivenHealthConfig } from '../health/config.ts';
import { healthLabelsFrom, recordedOriginsOf } from './health-labels.ts';

const from = (imageValue: unknown, flags?: GivenHealthConfig) =>
  healthLabelsFrom({ image: 'demo:1', imageValue, flags });
const parsed = (labels: Readonly<Record<string, string>>) =>
  Object.fromEntries(Object.entries(labels).map(([key, json]) => [key, JSON.parse(json)]));

describe('healthLabelsFrom', () => {
  test('without a check in image and options there are no labels', () => {
    expect(from(undefined)).toEqual({ labels: {}, originLabels: {}, warnings: [] });
  });

  test('only timings give no labels and a warning', () => {
    const { labels, warnings } = from(undefined, { intervalNs: 1e9 });
    expect(labels).toEqual({});
    expect(warnings).toEqual([expect.stringContaining('nothing is checked')]);
  });

  test("a check is stored in nerdctl's form, with defaults", () => {
    const { labels, warnings } = from({ Test: ['CMD', 'true'], Retries: 1 }, { intervalNs: 1e9 });
    expect(parsed(labels)).toEqual({
      'nerdctl/healthcheck': { Test: ['CMD', 'true'], Interval: 1e9, Timeout: 30e9, StartInterval: 1e9, Retries: 1 },
    });
    expect(warnings).toEqual([]);
  });

  test('the source of each field is stored', () => {
    const { originLabels } = from({ Test: ['CMD', 'true'], Retries: 1 }, { intervalNs: 1e9 });
    expect(parsed(originLabels)).toEqual({
      'healthctl/health-origins': { Test: 'image', Interval: 'flag', Retries: 'image' },
    });
    expect(recordedOriginsOf(originLabels)).toEqual({ test: 'image', intervalNs: 'flag', retries: 'image' });
    expect(from(undefined, { intervalNs: 1e9 }).originLabels).toEqual({});
  });

  test.each(['', 'x', '[]', '{"Test":1,"Retries":"me"}'])(
    'a damaged record of the sources counts as none: %s',
    (text) => {
      expect(recordedOriginsOf({ 'healthctl/health-origins': text })).toEqual({});
    },
  );

  test('the action on unhealthy is stored only in our own label, and ignored from an image', () => {
    const check = { Test: ['CMD', 'true'], Interval: 30e9, Timeout: 30e9, StartInterval: 5e9, Retries: 3 };
    const { labels } = from({ Test: ['CMD', 'true'], OnFailure: 'kill' }, { onFailure: 'restart', maxRestarts: 2 });
    expect(parsed(labels)).toEqual({
      'healthctl/healthcheck': { ...check, OnFailure: 'restart', MaxRestarts: 2 },
      'nerdctl/healthcheck': check,
    });
    expect(parsed(from({ Test: ['CMD', 'true'], OnFailure: 'kill', MaxRestarts: 2 }).labels)).toEqual({
      'nerdctl/healthcheck': check,
    });
  });

  test("a disabled check is stored with the image's config", () => {
    const { labels } = from({ Test: ['CMD', 'true'], Retries: 5 }, { test: ['NONE'] });
    expect(parsed(labels)).toEqual({ 'nerdctl/healthcheck': { Test: ['NONE'], Retries: 5 } });
  });

  test('a check of an unknown kind is stored in our own label, with a warning', () => {
    const { labels, warnings } = from({ Test: ['FOO', 'x'] });
    expect(parsed(labels)).toEqual({
      'healthctl/healthcheck': { Test: ['FOO', 'x'] },
      'nerdctl/healthcheck': { Test: ['NONE'] },
    });
    expect(warnings).toEqual([expect.stringContaining('"FOO"')]);
  });

  test.each([[['HTTP', 'http://localhost/']], [['TCP', 'db:1']], [['GRPC', 'db:1', 'x']]])(
    'a native check is stored completely in our label, and as NONE for nerdctl: %o',
    (items) => {
      const { labels, warnings } = from({ Test: items, Retries: 1 });
      expect(parsed(labels)).toEqual({
        'healthctl/healthcheck': { Test: items, Interval: 30e9, Timeout: 30e9, StartInterval: 5e9, Retries: 1 },
        'nerdctl/healthcheck': { Test: ['NONE'] },
      });
      expect(warnings).toEqual([]);
    },
  );

  test('a native check that cannot be parsed is stored, not made, and gives a warning with image and value', () => {
    const { labels, warnings } = from({ Test: ['TCP', 'db'] });
    expect(parsed(labels)['healthctl/healthcheck']).toEqual({ Test: ['TCP', 'db'] });
    expect(warnings).toEqual([
      'nothing is checked: the health check of image demo:1 is malformed and not used: TCP: "db" is not HOST:PORT',
    ]);
  });

  test('a malformed check of an image is not made, and gives a warning with image and value', () => {
    const { labels, warnings } = from({ Test: 'curl localhost' });
    expect(labels).toEqual({});
    expect(warnings).toEqual([
      'the health check of image demo:1 is malformed and not used: Test is not a list of strings: "curl localhost"',
    ]);
  });

  test('a start interval without a start period gives a warning', () => {
    expect(from(undefined, { test: ['CMD', 'x'], startIntervalNs: 1e9 }).warnings).toEqual([
      expect.stringContaining('--health-start-interval has no effect'),
    ]);
    expect(from({ StartPeriod: 1e9 }, { test: ['CMD', 'x'], startIntervalNs: 1e9 }).warnings).toEqual([]);
  });

  test('a duration below a millisecond in an image is replaced by the default, with a warning', () => {
    const { labels, warnings } = from({ Test: ['CMD', 'true'], Interval: 10, Timeout: 1e9 });
    expect(parsed(labels)['nerdctl/healthcheck']).toMatchObject({ Interval: 30e9, Timeout: 1e9 });
    expect(warnings).toEqual(['the health check of image demo:1 has Interval 10ns, which is below 1ms and not used']);
  });
});
