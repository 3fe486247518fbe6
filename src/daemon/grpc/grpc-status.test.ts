import { describe, expect, test } from 'vitest';
import { GRPC_STATUS, statusHeaders, timeoutMsFrom } from './grpc-status.ts';

describe('statusHeaders', () => {
  test('success has the status 0', () => {
    expect(statusHeaders({ code: GRPC_STATUS.ok })).toEqual({ 'grpc-status': '0' });
  });
  test('characters that headers do not allow are escaped', () => {
    expect(statusHeaders({ code: GRPC_STATUS.notFound, details: '100 % "ä"\n\u{1f600}' })).toEqual({
      'grpc-status': '5',
      'grpc-message': '100 %25 "%C3%A4"%0A%F0%9F%98%80',
    });
  });
});

describe('timeoutMsFrom', () => {
  test.each([
    [undefined, Number.POSITIVE_INFINITY],
    ['100m', 100],
    ['2S', 2_000],
    ['1M', 60_000],
    ['1H', 3_600_000],
    ['500u', 0.5],
    ['1000000n', 1],
    ['0m', 0],
    ['99999999H', 99_999_999 * 3_600_000],
  ])('%s', (header, ms) => {
    expect(timeoutMsFrom(header)).toBeCloseTo(ms ?? 0, 6);
  });
  test.each(['', '1', 'm', '-1m', '1.5S', '123456789m', '1s', ' 1S', '1S '])('%j is no timeout', (header) => {
    expect(timeoutMsFrom(header)).toBeUndefined();
  });
});
