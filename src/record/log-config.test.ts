import { expect, test } from 'vitest';
import { logConfigOf, logLimitOf, parseLogConfig } from './log-config.ts';

const limit = (...options: string[]) => logLimitOf(parseLogConfig('json-file', options));

test('sizes are in powers of 1000, and one file is the default', () => {
  expect(limit()).toBeUndefined();
  expect(limit('max-file=3')).toBeUndefined();
  expect(limit('max-size=10m')).toEqual({ maxSize: 10_000_000, maxFile: 1 });
  expect(limit('max-size=1.5kB', 'max-file=3')).toEqual({ maxSize: 1_500, maxFile: 3 });
  expect(limit('max-size=1', 'max-size=2')).toEqual({ maxSize: 2, maxFile: 1 });
});

test('what the driver local keeps is limited without an option too, as in Docker', () => {
  const limitOf = (...options: string[]) => logLimitOf(parseLogConfig('local', options));
  expect(limitOf()).toEqual({ maxSize: 20_000_000, maxFile: 5 });
  expect(limitOf('max-file=2')).toEqual({ maxSize: 20_000_000, maxFile: 2 });
  expect(limitOf('max-size=1m', 'compress=false')).toEqual({ maxSize: 1_000_000, maxFile: 5 });
});

test.each([
  ['json-file', ['foo=1'], "unknown log opt 'foo' for json-file log driver"],
  ['json-file', ['max-size=0'], 'max-size must be a positive number'],
  ['json-file', ['max-size=ten'], "invalid size: 'ten'"],
  ['json-file', ['max-size=1m', 'max-file=0'], 'max-file cannot be less than 1'],
  ['json-file', ['max-file=x'], 'strconv.Atoi: parsing "x": invalid syntax'],
  ['json-file', ['max-size'], 'invalid logging option format: max-size'],
  ['local', ['labels=a'], "unknown log opt 'labels' for log driver local"],
  ['none', ['max-size=1m'], 'invalid logging opts for driver none'],
  ['fluentd', [], 'error looking up logging plugin fluentd: plugin "fluentd" not found'],
])('refuses %s with %j', (driver, options, message) => {
  expect(() => parseLogConfig(driver, options)).toThrow(message);
});

test('parses everything that it stores', () => {
  const config = parseLogConfig('', ['max-size=1m']);
  expect(logConfigOf({ LogConfig: { Type: config.driver, Config: config.options } })).toEqual(config);
  for (const driver of ['none', 'local'])
    expect(logConfigOf({ LogConfig: { Type: driver, Config: {} } })).toEqual(parseLogConfig(driver, []));
  for (const value of [undefined, null, 'x', [], { Type: 'file', Config: null }, { Config: { 'max-size': 7 } }])
    expect(logConfigOf({ LogConfig: value })).toEqual({ driver: 'json-file', options: {} });
});
