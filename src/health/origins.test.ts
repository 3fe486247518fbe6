import { describe, expect, test } from 'vitest';
import { withDefaults } from './config.ts';
import { giversAfterUpdate, giversAtCreate, originsOf } from './origins.ts';

const image = { test: ['CMD', 'true'], intervalNs: 1e9, retries: 5 };

describe('what gave a field', () => {
  test('at create: an option before the image', () => {
    expect(giversAtCreate(image, { intervalNs: 2e9, timeoutNs: 3e9 })).toEqual({
      ...{ test: 'image', intervalNs: 'flag', timeoutNs: 'flag', retries: 'image' },
    });
  });

  test('a zero of an option gives nothing', () => {
    expect(giversAtCreate(image, { intervalNs: 0 })).toMatchObject({ intervalNs: 'image' });
    expect(giversAtCreate(undefined, undefined)).toEqual({});
  });

  test('--no-healthcheck', () => {
    expect(giversAtCreate(image, { test: ['NONE'] })).toMatchObject({ test: 'flag', retries: 'image' });
  });

  test('an update replaces what it gives', () => {
    expect(giversAfterUpdate({ test: 'image', retries: 'flag' }, { retries: 1, timeoutNs: 0 })).toEqual({
      ...{ test: 'image', retries: 'update' },
    });
  });
});

describe('the origin of a field', () => {
  const config = withDefaults({ ...image, retries: 1, timeoutNs: 7e9 });

  test('as recorded, else the default', () => {
    const givers = giversAtCreate(image, { retries: 1, timeoutNs: 7e9 });
    expect(originsOf({ config, givers, image: undefined })).toEqual({
      ...{ test: 'image', intervalNs: 'image', retries: 'flag', timeoutNs: 'flag' },
      ...{ startPeriodNs: 'default', startIntervalNs: 'default' },
    });
  });

  test('without a record: compared with the image', () => {
    expect(originsOf({ config, givers: {}, image })).toEqual({
      ...{ test: 'image', intervalNs: 'image', retries: 'flag', timeoutNs: 'flag' },
      ...{ startPeriodNs: 'default', startIntervalNs: 'default' },
    });
  });

  test('without record and image: unknown, unless it is the default', () => {
    expect(originsOf({ config, givers: {}, image: undefined })).toMatchObject({
      ...{ test: 'unknown', intervalNs: 'unknown', startPeriodNs: 'default' },
    });
  });

  test('what is not there has no origin', () => {
    expect(Object.keys(originsOf({ config: { test: ['NONE'] }, givers: {}, image: {} }))).toEqual(['test']);
  });
});
