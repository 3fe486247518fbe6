import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { checkKindOf, type GivenHealthConfig, isChecked, mergeHealthConfig, withDefaults } from './config.ts';
import { jsonFromHealthConfig, parseHealthConfig, parseHealthConfigText } from './config-json.ts';

const S = 1e9;

describe('checkKindOf', () => {
  test.each<[readonly string[] | undefined, ReturnType<typeof checkKindOf>]>([
    [undefined, { kind: 'none' }],
    [[], { kind: 'none' }],
    [['NONE'], { kind: 'disabled' }],
    [['none'], { kind: 'unknown', type: 'none' }],
    [[''], { kind: 'unknown', type: '' }],
    [['CMD'], { kind: 'no-command' }],
    [['CMD', 'a', 'b c'], { kind: 'exec', args: ['a', 'b c'] }],
    [['CMD-SHELL', 'a && b'], { kind: 'exec', args: ['/bin/sh', '-c', 'a && b'] }],
    [['CMD-SHELL', 'a', 'b'], { kind: 'exec', args: ['/bin/sh', '-c', 'a', 'b'] }],
    [['CMD-SHELL'], { kind: 'exec', args: ['/bin/sh', '-c'] }],
    [['TCP', 'db:1'], { kind: 'tcp', host: 'db', port: 1 }],
    [['GRPC', 'db:1', 'x'], { kind: 'grpc', host: 'db', port: 1, service: 'x', authority: 'db:1', tls: undefined }],
    [['TCP'], { kind: 'malformed', type: 'TCP', reason: 'TCP takes one item, HOST:PORT' }],
    [['tcp', 'db:1'], { kind: 'unknown', type: 'tcp' }],
  ])('the kind of %j', (testField, expected) => {
    expect(checkKindOf(testField)).toEqual(expected);
    expect(isChecked(testField && { test: testField })).toBe(
      ['exec', 'no-command', 'tcp', 'grpc'].includes(expected.kind),
    );
  });
});

describe('mergeHealthConfig', () => {
  const image: GivenHealthConfig = {
    test: ['CMD', 'x'],
    intervalNs: 40 * S,
    timeoutNs: 20 * S,
    startPeriodNs: 10 * S,
    startIntervalNs: 2 * S,
    retries: 7,
  };
  test.each<[string, GivenHealthConfig | undefined, GivenHealthConfig | undefined, GivenHealthConfig | undefined]>([
    ['none × none', undefined, undefined, undefined],
    ['none × timings', undefined, { intervalNs: S }, { intervalNs: S }],
    ['check × none', image, undefined, image],
    ['check × a command', image, { test: ['CMD-SHELL', 'y'] }, { ...image, test: ['CMD-SHELL', 'y'] }],
    ['check × an interval', image, { intervalNs: S }, { ...image, intervalNs: S }],
    ['check × zero keeps the image’s', image, { startPeriodNs: 0, retries: 0 }, image],
    ['check × --no-healthcheck', image, { test: ['NONE'] }, { ...image, test: ['NONE'] }],
    ['NONE × a command', { test: ['NONE'] }, { test: ['CMD-SHELL', 'y'] }, { test: ['CMD-SHELL', 'y'] }],
    ['NONE × timings', { test: ['NONE'] }, { intervalNs: S }, { test: ['NONE'], intervalNs: S }],
  ])('%s', (_, ofImage, flags, expected) => {
    expect(mergeHealthConfig(ofImage, flags)).toEqual(expected);
  });
});

describe('withDefaults', () => {
  test("has Docker's defaults; the start interval is never longer than the interval", () => {
    expect(withDefaults({ test: ['CMD', 'x'] })).toEqual({
      test: ['CMD', 'x'],
      intervalNs: 30 * S,
      timeoutNs: 30 * S,
      startPeriodNs: 0,
      startIntervalNs: 5 * S,
      retries: 3,
    });
    expect(withDefaults({ intervalNs: S }).startIntervalNs).toBe(S);
    expect(withDefaults({ intervalNs: S, startIntervalNs: 9 * S }).startIntervalNs).toBe(9 * S);
  });
  test('negative and tiny values of an image count as not given', () => {
    expect(withDefaults({ intervalNs: -1, retries: -5 })).toMatchObject({ intervalNs: 30 * S, retries: 3 });
    expect(withDefaults({ intervalNs: 10, timeoutNs: 999_999, startPeriodNs: 1e6 })).toMatchObject({
      intervalNs: 30 * S,
      timeoutNs: 30 * S,
      startPeriodNs: 1e6,
    });
  });
});

describe('parseHealthConfig', () => {
  test.each<[unknown, ReturnType<typeof parseHealthConfig>]>([
    [undefined, { kind: 'absent' }],
    [null, { kind: 'absent' }],
    [{}, { kind: 'config', config: {} }],
    [
      { Test: null, Interval: 0 },
      { kind: 'config', config: {} },
    ],
    [
      { Test: ['CMD', 'a'], Interval: S, Retries: 2, Other: [1] },
      { kind: 'config', config: { test: ['CMD', 'a'], intervalNs: S, retries: 2 } },
    ],
    [
      { test: ['CMD', 'a'], INTERVAL: S, startperiod: S, Retries: 1, retries: 2 },
      { kind: 'config', config: { test: ['CMD', 'a'], intervalNs: S, startPeriodNs: S, retries: 2 } },
    ],
    [{ test: 'curl' }, { kind: 'malformed', reason: 'Test is not a list of strings: "curl"' }],
    ['text', { kind: 'malformed', reason: 'it is not an object: "text"' }],
    [{ Test: 'curl' }, { kind: 'malformed', reason: 'Test is not a list of strings: "curl"' }],
    [{ Test: ['CMD', 1] }, { kind: 'malformed', reason: 'Test is not a list of strings: ["CMD",1]' }],
    [{ Interval: '30s' }, { kind: 'malformed', reason: 'Interval is not a whole number: "30s"' }],
    [{ Interval: 2 ** 64 }, { kind: 'malformed', reason: 'Interval is beyond 64 bits: 18446744073709552000' }],
    [{ Timeout: -(2 ** 64) }, { kind: 'malformed', reason: 'Timeout is beyond 64 bits: -18446744073709552000' }],
    [{ Retries: 1.5 }, { kind: 'malformed', reason: 'Retries is not a whole number: 1.5' }],
  ])('the config from %j', (value, expected) => {
    expect(parseHealthConfig(value)).toEqual(expected);
  });

  test('never throws, whatever an image contains', () => {
    fc.assert(fc.property(fc.anything(), (value) => void parseHealthConfig(value)));
    fc.assert(fc.property(fc.string(), (text) => void parseHealthConfigText(text)));
  });

  test("reads what it wrote, up to Go's largest duration", () => {
    const duration = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER });
    const config = fc.record(
      {
        test: fc.array(fc.string(), { minLength: 1 }),
        intervalNs: duration,
        startPeriodNs: duration,
        retries: fc.integer({ min: 1 }),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(config, (given) => {
        expect(parseHealthConfigText(JSON.stringify(jsonFromHealthConfig(given)))).toEqual({
          kind: 'config',
          config: given,
        });
      }),
    );
    const parsed = parseHealthConfig({ Interval: Number('9223372036854775807') });
    expect(parsed.kind === 'config' && BigInt(JSON.stringify(parsed.config.intervalNs)) < 2n ** 63n).toBe(true);
  });

  test("writes keys in Docker's order", () => {
    expect(
      Object.keys(jsonFromHealthConfig(withDefaults({ retries: 1, startPeriodNs: 1e6, test: ['CMD', 'x'] }))),
    ).toEqual(['Test', 'Interval', 'Timeout', 'StartPeriod', 'StartInterval', 'Retries']);
  });
});
