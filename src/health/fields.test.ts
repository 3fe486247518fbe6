import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AUTHORITY } from '../../testbed/certificates.ts';
import { checkConfigOf, type GivenHealthConfig, isSameConfig, mergeHealthConfig, withDefaults } from './config.ts';
import { dockerPartOf, hasOwnFields, jsonFromHealthConfig, parseHealthConfig } from './config-json.ts';
import { EXEC_MODES, FIELD_NAMES, HEALTH_FIELDS, ON_FAILURE, OPTION_FIELD_NAMES, OPTION_FIELDS } from './fields.ts';

const ns = fc.integer({ min: 1e6, max: 1e12 });
const anyConfig: fc.Arbitrary<GivenHealthConfig> = fc.record(
  {
    test: fc.array(fc.string(), { minLength: 1 }),
    intervalNs: ns,
    timeoutNs: ns,
    startPeriodNs: ns,
    startIntervalNs: ns,
    retries: fc.integer({ min: 1, max: 100 }),
    onFailure: fc.constantFrom(...ON_FAILURE.filter((word) => word !== 'none')),
    maxRestarts: fc.integer({ min: 1, max: 100 }),
    exec: fc.constantFrom(...EXEC_MODES),
    reap: fc.constant(true),
  },
  { requiredKeys: [] },
);

test('every field survives JSON, and JSON with the defaults', () => {
  fc.assert(
    fc.property(anyConfig, (config) => {
      expect(parseHealthConfig(jsonFromHealthConfig(config))).toEqual({ kind: 'config', config });
      const complete = withDefaults(config);
      expect(isSameConfig(withDefaults(complete), complete)).toBe(true);
    }),
  );
});

test("every field of the flags overrides the image's", () => {
  fc.assert(
    fc.property(anyConfig, anyConfig, (image, flags) => {
      expect(mergeHealthConfig(image, flags)).toEqual({ ...image, ...flags });
    }),
  );
});

test("a zero in our own field is a value; a zero in Docker's field inherits", () => {
  const image: GivenHealthConfig = { test: ['CMD', 'x'], retries: 2, onFailure: 'kill', maxRestarts: 3, reap: true };
  const flags: GivenHealthConfig = { test: [], retries: 0, onFailure: 'none', maxRestarts: 0, reap: false };
  const merged = mergeHealthConfig(image, flags);
  expect(merged).toEqual({ ...flags, test: ['CMD', 'x'], retries: 2 });
  expect(jsonFromHealthConfig(merged ?? {})).toEqual({ Test: ['CMD', 'x'], Retries: 2 });
  expect(parseHealthConfig({ OnFailure: 'none', MaxRestarts: 0, Reap: false })).toEqual({
    kind: 'config',
    config: { onFailure: 'none', maxRestarts: 0 },
  });
});

test("keys and options are unique; keys come in Docker's order, then ours", () => {
  const keys = FIELD_NAMES.map((name) => HEALTH_FIELDS[name].key);
  expect(keys).toEqual([
    ...['Test', 'Interval', 'Timeout', 'StartPeriod', 'StartInterval', 'Retries'],
    ...['OnFailure', 'MaxRestarts', 'Exec', 'Reap'],
  ]);
  const options = OPTION_FIELD_NAMES.map((name) => OPTION_FIELDS[name].option);
  expect(new Set(options.map(({ name }) => name)).size).toBe(options.length);
  expect(new Set(options.map(({ turn }) => turn)).size).toBe(options.length);
});

test("Docker's part of a config has none of our fields", () => {
  const config: GivenHealthConfig = { retries: 0, exec: 'fresh' };
  expect(dockerPartOf(config)).toEqual({ retries: 0 });
  expect(hasOwnFields(config)).toBe(true);
  expect(hasOwnFields(dockerPartOf(config))).toBe(false);
});

test.each([
  [{ OnFailure: 'explode' }, 'OnFailure is not one of none, kill, stop, restart: "explode"'],
  [{ MaxRestarts: -1 }, 'MaxRestarts is not a whole number: -1'],
  [{ Exec: 1 }, 'Exec is not one of fresh, resident: 1'],
  [{ Reap: 'yes' }, 'Reap is neither true nor false: "yes"'],
])('%j counts as malformed', (value, reason) => {
  expect(parseHealthConfig(value)).toEqual({ kind: 'malformed', reason });
});

describe('isSameConfig', () => {
  const config = withDefaults({ test: ['CMD', 'x'] });
  test.each<[Partial<typeof config>, boolean]>([
    [{}, true],
    [{ test: ['CMD', 'x'] }, true],
    [{ test: ['CMD', 'y'] }, false],
    [{ retries: 9 }, false],
    [{ startIntervalNs: 1e9 }, false],
    [{ exec: 'resident' }, false],
    [{ reap: true }, false],
    [{ onFailure: 'kill' }, true],
    [{ maxRestarts: 2 }, true],
  ])('compares %j: %s', (over, expected) => {
    expect(isSameConfig(config, { ...config, ...over })).toBe(expected);
  });
});

describe('checkConfigOf', () => {
  test('has the parsed kind of the test', () => {
    const config = checkConfigOf({ test: ['HTTP', 'https://localhost/', `ca=${AUTHORITY}`] });
    expect(config).toMatchObject({ retries: 3, kind: { kind: 'http', path: '/', tls: { verify: true } } });
  });
  test.each([undefined, ['NONE'], ['HTTP'], ['FTP', 'x']])('is undefined for %j, which makes no check', (items) => {
    expect(checkConfigOf(items ? { test: items } : {})).toBeUndefined();
  });
});
