import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseEventTime } from './time.ts';

const NOW = Date.parse('2026-03-04T05:06:07.891Z');
const inUtc = { nowMs: NOW, zoneMinutes: 0 };
const inIndia = { nowMs: NOW, zoneMinutes: 330 };
const iso = (text: string, reference = inUtc): string => new Date(parseEventTime(text, reference)).toISOString();

test.each([
  // Durations are cut to whole seconds, as in Docker.
  ['10m', '2026-03-04T04:56:07.000Z'],
  ['1h30m', '2026-03-04T03:36:07.000Z'],
  ['0s', '2026-03-04T05:06:07.000Z'],
  ['-10s', '2026-03-04T05:06:17.000Z'],
  ['2026-01-02', '2026-01-02T00:00:00.000Z'],
  ['2026-01-02Z', '2026-01-02T00:00:00.000Z'],
  ['2026-01-02+01:00', '2026-01-01T23:00:00.000Z'],
  ['2026-01-02-01:00', '2026-01-02T01:00:00.000Z'],
  ['2026-01-02T03', '2026-01-02T03:00:00.000Z'],
  ['2026-01-02T03:04', '2026-01-02T03:04:00.000Z'],
  ['2026-01-02T03:04:05', '2026-01-02T03:04:05.000Z'],
  ['2026-01-02T3:04:05', '2026-01-02T03:04:05.000Z'],
  ['2026-01-02T03:04:05,5', '2026-01-02T03:04:05.500Z'],
  ['2026-01-02T03:04:05.678', '2026-01-02T03:04:05.678Z'],
  ['2026-01-02T03:04:05.678Z', '2026-01-02T03:04:05.678Z'],
  ['2026-01-02T03Z', '2026-01-02T03:00:00.000Z'],
  ['2026-01-02T03:04+02:00', '2026-01-02T01:04:00.000Z'],
  ['2026-01-02T03:04:05-02:30', '2026-01-02T05:34:05.000Z'],
  ['2024-02-29', '2024-02-29T00:00:00.000Z'],
  ['0099-01-01', '0099-01-01T00:00:00.000Z'],
  ['0', '1970-01-01T00:00:00.000Z'],
  ['1767225600', '2026-01-01T00:00:00.000Z'],
  ['1767225600.5', '2026-01-01T00:00:00.500Z'],
  ['1767225600.000500000', '2026-01-01T00:00:00.000Z'],
  ['+1767225600', '2026-01-01T00:00:00.000Z'],
])('reads %s as %s', (text, expected) => {
  expect(iso(text)).toBe(expected);
});

test('a time without a zone is local, one with a zone is not', () => {
  expect(iso('2026-01-02T03:04:05', inIndia)).toBe('2026-01-01T21:34:05.000Z');
  expect(iso('2026-01-02T03:04:05Z', inIndia)).toBe('2026-01-02T03:04:05.000Z');
});

test.each([
  ['yesterday', 'failed to parse value as time or duration: "yesterday"'],
  ['', 'failed to parse value as time or duration: ""'],
  ['10', undefined],
  ['1.x', 'failed to parse value as time or duration: "1.x"'],
  ['99999999999999999999', 'failed to parse value as time or duration: "99999999999999999999"'],
  ['-5', 'parsing time "-5" as "2006-01-02": cannot parse "-5" as "2006"'],
  ['2026-1-2', 'parsing time "2026-1-2" as "2006-01-02": cannot parse "1-2" as "01"'],
  ['2026-13-01', 'parsing time "2026-13-01": month out of range'],
  ['2026-02-29', 'parsing time "2026-02-29": day out of range'],
  ['2026-01-02T24', 'parsing time "2026-01-02T24": hour out of range'],
  ['2026-01-02T03:60', 'parsing time "2026-01-02T03:60": minute out of range'],
  ['2026-01-02T03:04:60', 'parsing time "2026-01-02T03:04:60": second out of range'],
  ['2026-01-02x', 'parsing time "2026-01-02x": extra text: "x"'],
  [
    '2026-01-02T03:04:05z',
    'parsing time "2026-01-02T03:04:05z" as "2006-01-02T15:04:05Z07:00": cannot parse "z" as "Z07:00"',
  ],
  ['2026-01-02T03:04:05+25:00', 'parsing time "2026-01-02T03:04:05+25:00": time zone offset hour out of range'],
  ['2026-01-02 03:04', 'parsing time "2026-01-02 03:04": extra text: " 03:04"'],
])('refuses %j: %s', (text, message) => {
  if (message === undefined) expect(parseEventTime(text, inUtc)).toBe(10_000);
  else expect(() => parseEventTime(text, inUtc)).toThrow(expect.objectContaining({ code: 'INVALID', message }));
});

test.each([
  ['7d', 'there is no unit of days: write 168h'],
  ['2w', 'there is no unit of weeks: write 336h'],
  ['1.5d', 'write it like 10m, 168h, 2026-01-01T12:00:00 or 1767225600'],
  ['yesterday', 'write it like 10m, 168h, 2026-01-01T12:00:00 or 1767225600'],
])('the hint for %j', (text, hint) => {
  expect(() => parseEventTime(text, inUtc)).toThrow(expect.objectContaining({ hint }));
});

const moment = fc.date({
  min: new Date('0001-01-01T00:00:00Z'),
  max: new Date('9999-12-31T00:00:00Z'),
  noInvalidDate: true,
});

test('parses RFC 3339 in any zone, and Unix seconds, to the original moment', () => {
  fc.assert(
    fc.property(moment, fc.integer({ min: -720, max: 720 }), (date, zone) => {
      const at = date.getTime();
      const text = date.toISOString();
      fc.pre(text.length === 24);
      const shifted = new Date(at + zone * 60_000).toISOString();
      fc.pre(shifted.length === 24 && !shifted.startsWith('0000'));
      const two = (value: number): string => String(value).padStart(2, '0');
      const offset = `${zone < 0 ? '-' : '+'}${two(Math.trunc(Math.abs(zone) / 60))}:${two(Math.abs(zone) % 60)}`;
      expect(parseEventTime(text, inIndia)).toBe(at);
      expect(parseEventTime(shifted.replace('Z', offset), inIndia)).toBe(at);
      expect(parseEventTime(shifted.replace('Z', ''), { nowMs: NOW, zoneMinutes: zone })).toBe(at);
      if (at >= 0)
        expect(parseEventTime(`${Math.trunc(at / 1000)}.${String(at % 1000).padStart(3, '0')}`, inUtc)).toBe(at);
    }),
  );
});

test('any text gives a time or an error', () => {
  const likely = fc.string({ unit: fc.constantFrom(...'0123456789-+:.,TZz smh') });
  fc.assert(
    fc.property(fc.oneof(fc.string(), likely), (text) => {
      try {
        expect(Number.isFinite(parseEventTime(text, inUtc))).toBe(true);
      } catch (error) {
        expect(error).toMatchObject({ code: 'INVALID' });
      }
    }),
  );
});
