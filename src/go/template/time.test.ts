import { describe, expect, test } from 'vitest';
import { messageOf } from '../../lib/errors.ts';
import { duration, parseTemplate, struct, time } from './template.ts';

// Output of Go 1.26's text/template for values of time.Time and time.Duration.

const result = (start: string, end: string) => struct({ Start: time(start), End: time(end) }, { type: 'main.R' });
const data = struct(
  {
    A: result('2026-08-20T10:00:00.5Z', '2026-08-20T10:00:02.123456789Z'),
    B: result('2024-02-29T23:59:59.999999999+05:30', '2026-01-01T00:05:06-08:00'),
    Z: time('0001-01-01T00:00:00Z'),
    W: time('0099-12-31T12:00:00Z'),
    H: struct(
      { Interval: duration(90_000_000_000n), Timeout: duration(1_500_000_000n), Neg: duration(-90_500_000n) },
      { type: 'main.H' },
    ),
    S: 'x',
    N: 5,
  },
  { type: 'main.D' },
);

const show = (template: string): string => {
  try {
    return parseTemplate(template).execute(data);
  } catch (error) {
    return `error: ${messageOf(error)}`;
  }
};

test.each([
  [
    '{{.A.Start}} {{.A.End}} {{.B.Start}} {{.B.End}} {{.Z}} {{.W}}',
    '2026-08-20 10:00:00.5 +0000 UTC 2026-08-20 10:00:02.123456789 +0000 UTC 2024-02-29 23:59:59.999999999 +0530 +0530 2026-01-01 00:05:06 -0800 -0800 0001-01-01 00:00:00 +0000 UTC 0099-12-31 12:00:00 +0000 UTC',
  ],
  [
    '{{.A.End.Sub .A.Start}} {{.A.Start.Sub .A.End}} {{.B.Start.Sub .Z}} {{.Z.Sub .B.Start}}',
    '1.623456789s -1.623456789s 2562047h47m16.854775807s -2562047h47m16.854775808s',
  ],
  [
    '{{(.A.End.Sub .A.Start).Seconds}} {{(.A.End.Sub .A.Start).Milliseconds}} {{(.A.End.Sub .A.Start).Minutes}}',
    '1.623456789 1623 0.02705761315',
  ],
  [
    '{{printf "%.2f" (.A.End.Sub .A.Start).Seconds}} {{printf "%d" (.A.End.Sub .A.Start)}} {{printf "%v %s" .A.Start (.A.End.Sub .A.Start)}}',
    '1.62 1623456789 2026-08-20 10:00:00.5 +0000 UTC 1.623456789s',
  ],
  [
    '{{.A.Start.Format "15:04:05"}} {{.B.Start.Format "15:04:05"}} {{.A.End.Format "2006-01-02T15:04:05.000Z07:00"}} {{.B.End.Format "2006-01-02T15:04:05.999Z07:00"}}',
    '10:00:00 23:59:59 2026-08-20T10:00:02.123Z 2026-01-01T00:05:06-08:00',
  ],
  [
    '{{.A.Start.Format "Mon Jan _2 15:04:05 2006"}}|{{.B.End.Format "Mon Jan _2 15:04:05 MST 2006"}}|{{.A.Start.Format "Monday, 02-Jan-06 15:04:05 MST"}}',
    'Thu Aug 20 10:00:00 2026|Thu Jan  1 00:05:06 -0800 2026|Thursday, 20-Aug-26 10:00:00 UTC',
  ],
  [
    '{{.B.Start.Format "January 2 3:4:5 PM pm 03 002 __2 06 1 -0700 -07:00 -07 Z0700 Z07:00:00 -070000 Z07"}}',
    'February 29 11:59:59 PM pm 11 060  60 24 2 +0530 +05:30 +05 +0530 +05:30:00 +053000 +05',
  ],
  [
    '{{.A.Start.Format "January Janet Jan. Monk Mon. MST _2006 .000 .999 ,000000 .00005 005 2 20 200 15h 1st Z -0"}}',
    'August Janet Aug. Monk Thu. UTC _2026 .500 .5 ,500000 .00000 000 20 200 2000 10h 8st Z -0',
  ],
  [
    '{{.B.End.Format "Janet 06 .9 .0 .000000000 .999999999 05.000 5.9 Z0700 Z070000"}}',
    'Janet 26  .0 .000000000  06.000 6 -0800 -080000',
  ],
  ['{{.W.Format "2006 06 Jan 2 __2 002"}} {{.Z.Format "2006-01-02 Mon"}}', '0099 99 Dec 31 365 365 0001-01-01 Mon'],
  [
    '{{.A.Start.Unix}} {{.A.End.UnixNano}} {{.A.End.UnixMilli}} {{.A.End.UnixMicro}} {{.Z.Unix}} {{.W.UnixMilli}}',
    '1787220000 1787220002123456789 1787220002123 1787220002123456 -62135596800 -59011502400000',
  ],
  [
    '{{.B.Start.Year}} {{.B.Start.Month}} {{.B.Start.Day}} {{.B.Start.Hour}} {{.B.Start.Minute}} {{.B.Start.Second}} {{.B.Start.Nanosecond}} {{.B.Start.Weekday}} {{.B.Start.YearDay}}',
    '2024 February 29 23 59 59 999999999 Thursday 60',
  ],
  [
    '{{printf "%d %v %s %T %02d" .A.Start.Month .A.Start.Month .A.Start.Month .A.Start.Month .A.Start.Month}} {{.A.Start.Weekday.String}} {{printf "%d" .A.Start.Weekday}}',
    '8 August August time.Month 08 Thursday 4',
  ],
  [
    '{{if eq .A.Start.Month 8}}August{{end}} {{if lt .A.Start.Hour 12}}am{{end}} {{if gt (.A.End.Sub .A.Start).Seconds 1.5}}slow{{end}}',
    'August am slow',
  ],
  [
    '{{.A.Start.Before .A.End}} {{.A.Start.After .A.End}} {{.A.Start.Equal .A.Start.UTC}} {{.A.Start.Compare .A.End}} {{.Z.IsZero}} {{.A.Start.IsZero}}',
    'true false true -1 true false',
  ],
  [
    '{{.B.Start.UTC}} {{.B.Start.UTC.Format "2006-01-02T15:04:05Z07:00"}} {{.A.Start.IsDST}} {{.A.Start.Location}} {{.A.Start.UTC.Location.String}}',
    '2024-02-29 18:29:59.999999999 +0000 UTC 2024-02-29T18:29:59Z false UTC UTC',
  ],
  [
    '{{.A.Start.Add .H.Interval}} {{.A.Start.Add 1500}} {{.A.Start.AddDate 0 1 -20}} {{.B.Start.AddDate 1 0 0}} {{.A.Start.AddDate -2026 0 0}}',
    '2026-08-20 10:01:30.5 +0000 UTC 2026-08-20 10:00:00.5000015 +0000 UTC 2026-08-31 10:00:00.5 +0000 UTC 2025-03-01 23:59:59.999999999 +0530 +0530 0000-08-20 10:00:00.5 +0000 UTC',
  ],
  [
    '{{.A.End.Truncate .H.Interval}} {{.A.End.Round .H.Timeout}} {{.A.End.Truncate 1000000000}} {{.A.End.Round 1000000000}} {{.A.End.Truncate 0}} {{.W.Truncate .H.Interval}}',
    '2026-08-20 10:00:00 +0000 UTC 2026-08-20 10:00:01.5 +0000 UTC 2026-08-20 10:00:02 +0000 UTC 2026-08-20 10:00:02 +0000 UTC 2026-08-20 10:00:02.123456789 +0000 UTC 0099-12-31 12:00:00 +0000 UTC',
  ],
  [
    '{{.H.Interval}} {{.H.Interval.Seconds}} {{.H.Interval.Minutes}} {{.H.Interval.Hours}} {{.H.Interval.Milliseconds}} {{.H.Interval.Microseconds}} {{.H.Interval.Nanoseconds}} {{.H.Interval.String}}',
    '1m30s 90 1.5 0.025 90000 90000000 90000000000 1m30s',
  ],
  [
    '{{.H.Neg}} {{.H.Neg.Abs}} {{.H.Neg.Round 1000000}} {{.H.Neg.Truncate 1000000}} {{.H.Timeout.Round .H.Interval}} {{.H.Timeout.Truncate 1000000000}} {{.H.Neg.Seconds}} {{.H.Neg.Milliseconds}}',
    '-90.5ms 90.5ms -91ms -90ms 0s 1s -0.0905 -90',
  ],
  [
    '{{printf "%.3f|%d|%v|%q" .H.Timeout.Seconds .H.Timeout .H.Timeout .H.Timeout.String}} {{len .H.Interval.String}}',
    '1.500|1500000000|1.5s|"1.5s" 5',
  ],
  [
    '{{.A.Start.Month.String}} {{(.A.End.Sub .A.Start).String}} {{.A.Start.String}} {{.A.End.Nanosecond}}',
    'August 1.623456789s 2026-08-20 10:00:00.5 +0000 UTC 123456789',
  ],
  [
    '{{with .A}}{{.End.Sub .Start}}{{end}} {{$s := .A.Start}}{{.A.End.Sub $s}} {{.A.Start | .A.End.Sub}}',
    '1.623456789s 1.623456789s 1.623456789s',
  ],
  [
    '{{.A.End.Sub}}',
    'error: template: :1:4: executing "" at \u003c.A.End.Sub\u003e: wrong number of args for Sub: want 1 got 0',
  ],
  [
    '{{.A.End.Sub .A.Start .A.Start}}',
    'error: template: :1:4: executing "" at \u003c.A.End.Sub\u003e: wrong number of args for Sub: want 1 got 2',
  ],
  [
    '{{.A.End.Sub .S}}',
    'error: template: :1:13: executing "" at \u003c.S\u003e: wrong type for value; expected time.Time; got string',
  ],
  [
    '{{.A.End.Sub "x"}}',
    'error: template: :1:13: executing "" at \u003c"x"\u003e: can\'t handle "x" for arg of type time.Time',
  ],
  [
    '{{.A.End.Add .N}}',
    'error: template: :1:13: executing "" at \u003c.N\u003e: wrong type for value; expected time.Duration; got int',
  ],
  ['{{.A.End.Add "1s"}}', 'error: template: :1:13: executing "" at \u003c"1s"\u003e: expected integer; found "1s"'],
  ['{{.A.End.Format 5}}', 'error: template: :1:16: executing "" at \u003c5\u003e: expected string; found 5'],
  [
    '{{.A.Start.Nope}}',
    'error: template: :1:4: executing "" at \u003c.A.Start.Nope\u003e: can\'t evaluate field Nope in type time.Time',
  ],
  [
    '{{.H.Interval.Nope}}',
    'error: template: :1:4: executing "" at \u003c.H.Interval.Nope\u003e: can\'t evaluate field Nope in type time.Duration',
  ],
  [
    '{{.A.Start.Clock}}',
    'error: template: :1:4: executing "" at \u003c.A.Start.Clock\u003e: function Clock has 3 return values; should be 1 or 2',
  ],
  [
    '{{.S.Format "x"}}',
    'error: template: :1:4: executing "" at \u003c.S.Format\u003e: can\'t evaluate field Format in type string',
  ],
  [
    '{{.A.Start.Year 5}}',
    'error: template: :1:4: executing "" at \u003c.A.Start.Year\u003e: wrong number of args for Year: want 0 got 1',
  ],
  [
    '{{.H.Interval.Seconds.Nope}}',
    'error: template: :1:4: executing "" at \u003c.H.Interval.Seconds.Nope\u003e: can\'t evaluate field Nope in type float64',
  ],
  [
    '{{.A.Start.Month.Nope}}',
    'error: template: :1:4: executing "" at \u003c.A.Start.Month.Nope\u003e: can\'t evaluate field Nope in type time.Month',
  ],
])('%s', (template, expected) => {
  expect(show(template)).toBe(expected);
});

describe('in the local zone', () => {
  test('shows the same moment', () => {
    expect(show('{{.A.Start.Local.Equal .A.Start}} {{.A.Start.Local.Unix}}')).toBe('true 1787220000');
  });
});
