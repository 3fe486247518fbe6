import { describe, expect, test } from 'vitest';
import { withDefaults } from './config.ts';
import { originsAfterUpdate, originsAtCreate, originsOf } from './origins.ts';

const image = { test: ['CMD', 'true'], intervalNs: 1e9, retries: 5 };

describe('the source of each field', () => {
  test('at create, options come before the image', () => {
    expect(originsAtCreate(image, { intervalNs: 2e9, timeoutNs: 3e9 })).toEqual({
      ...{ test: 'image', intervalNs: 'flag', timeoutNs: 'flag', retries: 'image' },
    });
  });

  test('a zero in an option is no source', () => {
    expect(originsAtCreate(image, { intervalNs: 0 })).toMatchObject({ intervalNs: 'image' });
    expect(originsAtCreate(undefined, undefined)).toEqual({});
  });

  test('a value too small to be used is no source', () => {
    expect(originsAtCreate({ ...image, intervalNs: 10 }, undefined)).toEqual({ test: 'image', retries: 'image' });
  });

  test('--no-healthcheck is the source of the test', () => {
    expect(originsAtCreate(image, { test: ['NONE'] })).toMatchObject({ test: 'flag', retries: 'image' });
  });

  test('an update replaces the source of the fields that it sets', () => {
    expect(originsAfterUpdate({ test: 'image', retries: 'flag' }, { retries: 1, timeoutNs: 0 })).toEqual({
      ...{ test: 'image', retries: 'update' },
    });
  });
});

describe('the shown origin of a field', () => {
  const config = withDefaults({ ...image, retries: 1, timeoutNs: 7e9 });

  test('is the recorded one, else the default', () => {
    const recorded = originsAtCreate(image, { retries: 1, timeoutNs: 7e9 });
    expect(originsOf({ config, recorded, image: undefined })).toEqual({
      ...{ test: 'image', intervalNs: 'image', retries: 'flag', timeoutNs: 'flag' },
      ...{ startPeriodNs: 'default', startIntervalNs: 'default' },
    });
  });

  test('without a record, is found by a comparison with the image', () => {
    expect(originsOf({ config, recorded: {}, image })).toEqual({
      ...{ test: 'image', intervalNs: 'image', retries: 'flag', timeoutNs: 'flag' },
      ...{ startPeriodNs: 'default', startIntervalNs: 'default' },
    });
  });

  test('without record and image, is unknown, except for a default value', () => {
    expect(originsOf({ config, recorded: {}, image: undefined })).toMatchObject({
      ...{ test: 'unknown', intervalNs: 'unknown', startPeriodNs: 'default' },
    });
  });

  test('does not exist for an absent field', () => {
    expect(Object.keys(originsOf({ config: { test: ['NONE'] }, recorded: {}, image: {} }))).toEqual(['test']);
  });
});
