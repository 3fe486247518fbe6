import { formatDuration, HOUR, MAX_DURATION, MIN_DURATION, MINUTE, SECOND } from '../duration.ts';
import type { GoFunction, Param } from './call.ts';
import { ExecFailure } from './failure.ts';
import { type ClockTime, formatLayout, MONTHS, WEEKDAYS } from './time-layout.ts';
import { GoDuration, GoEnum, GoFloat, GoTime, type GoValue, intOf, struct } from './value.ts';

/** A moment in nanoseconds since the epoch, and the zone for its display. */
interface Moment {
  readonly ns: bigint;
  /** East of UTC. */
  readonly offsetSeconds: number;
  readonly isUtc: boolean;
}

type Method = (args: readonly GoValue[]) => GoValue;

/** A method of a time.Time, time.Duration, time.Month or time.Weekday; undefined if Go has no such method. */
export function timeMethod(receiver: GoValue, name: string): GoFunction | undefined {
  if (receiver instanceof GoTime) return methodIn(TIME_METHODS, momentOf(receiver), name);
  if (receiver instanceof GoDuration) return methodIn(DURATION_METHODS, receiver.ns, name);
  if (receiver instanceof GoEnum && name === 'String') return { params: [], call: () => receiver.name };
  return undefined;
}

type Methods<Receiver> = Readonly<
  Record<
    string,
    { readonly params: readonly Param[]; readonly of: (receiver: Receiver) => Method } | { readonly refusal: string }
  >
>;

function methodIn<Receiver>(methods: Methods<Receiver>, receiver: Receiver, name: string): GoFunction | undefined {
  const method = Object.hasOwn(methods, name) ? methods[name] : undefined;
  if (method && 'refusal' in method) throw new ExecFailure(method.refusal);
  return method && { params: method.params, call: method.of(receiver) };
}

/** Go's zero time, the origin of Truncate and Round. */
const ZERO_NS = -62_135_596_800n * SECOND;

const read = <Receiver>(value: (receiver: Receiver) => GoValue) => ({
  params: [],
  of: (receiver: Receiver) => () => value(receiver),
});
const withTime = (value: (moment: Moment, other: Moment) => GoValue) => ({
  params: ['time'] as const,
  of: (moment: Moment) => (args: readonly GoValue[]) => value(moment, momentOf(args[0])),
});
const withDuration = <Receiver>(value: (receiver: Receiver, ns: bigint) => GoValue) => ({
  params: ['duration'] as const,
  of: (receiver: Receiver) => (args: readonly GoValue[]) => value(receiver, intOf(args[0])),
});
/** Go's error for methods with more than one result. */
const refused = (refusal: string) => ({ refusal });

const sign = (value: bigint): number => (value < 0n ? -1 : value > 0n ? 1 : 0);
const clampDuration = (ns: bigint): bigint =>
  ns > MAX_DURATION ? MAX_DURATION : ns < MIN_DURATION ? MIN_DURATION : ns;

/** The methods of time.Time that a template can call. */
const TIME_METHODS: Methods<Moment> = {
  Add: withDuration((moment, ns) => timeAt({ ...moment, ns: moment.ns + ns })),
  AddDate: {
    params: ['int', 'int', 'int'],
    of: (moment) => (args) => {
      const [years = 0, months = 0, days = 0] = args.map((value) => Number(intOf(value)));
      return timeAt({ ...moment, ns: addDate(moment, { years, months, days }) });
    },
  },
  After: withTime((moment, other) => moment.ns > other.ns),
  Before: withTime((moment, other) => moment.ns < other.ns),
  Clock: refused('function Clock has 3 return values; should be 1 or 2'),
  Compare: withTime((moment, other) => sign(moment.ns - other.ns)),
  Date: refused('function Date has 3 return values; should be 1 or 2'),
  Day: read((moment) => clockOf(moment).day),
  Equal: withTime((moment, other) => moment.ns === other.ns),
  Format: {
    params: ['string'],
    of: (moment) => (args) => formatLayout(String(args[0]), clockOf(moment)),
  },
  Hour: read((moment) => clockOf(moment).hour),
  ISOWeek: refused('invalid function signature for ISOWeek: second return value should be error; is int'),
  IsDST: read(() => false),
  IsZero: read((moment) => moment.ns === ZERO_NS),
  Local: read((moment) => timeAt({ ns: moment.ns, ...localZone(moment.ns) })),
  Location: read(({ isUtc }) => {
    const name = isUtc ? 'UTC' : 'Local';
    const methods = { String: { params: 0, call: () => name } };
    return struct({}, { type: '*time.Location', methods, text: name });
  }),
  Minute: read((moment) => clockOf(moment).minute),
  Month: read((moment) => {
    const { month } = clockOf(moment);
    return new GoEnum(BigInt(month), MONTHS[month - 1] ?? '', 'time.Month');
  }),
  Nanosecond: read((moment) => clockOf(moment).nanosecond),
  Round: withDuration((moment, ns) => timeAt({ ...moment, ns: ZERO_NS + roundUp(moment.ns - ZERO_NS, ns) })),
  Second: read((moment) => clockOf(moment).second),
  String: read((moment) => formatLayout('2006-01-02 15:04:05.999999999 -0700 MST', clockOf(moment))),
  Sub: withTime((moment, other) => new GoDuration(clampDuration(moment.ns - other.ns))),
  Truncate: withDuration((moment, ns) => timeAt({ ...moment, ns: ZERO_NS + cutDown(moment.ns - ZERO_NS, ns) })),
  UTC: read(({ ns }) => timeAt({ ns, offsetSeconds: 0, isUtc: true })),
  Unix: read(({ ns }) => floorDiv(ns, SECOND)),
  UnixMicro: read(({ ns }) => floorDiv(ns, 1_000n)),
  UnixMilli: read(({ ns }) => floorDiv(ns, 1_000_000n)),
  UnixNano: read(({ ns }) => ns),
  Weekday: read((moment) => {
    const { weekday } = clockOf(moment);
    return new GoEnum(BigInt(weekday), WEEKDAYS[weekday] ?? '', 'time.Weekday');
  }),
  Year: read((moment) => clockOf(moment).year),
  YearDay: read((moment) => clockOf(moment).yearDay),
  Zone: refused('invalid function signature for Zone: second return value should be error; is int'),
};

/** The methods of time.Duration. */
const DURATION_METHODS: Methods<bigint> = {
  Abs: read((ns) => new GoDuration(clampDuration(ns < 0n ? -ns : ns))),
  Hours: read((ns) => new GoFloat(inUnits(ns, HOUR))),
  Microseconds: read((ns) => ns / 1_000n),
  Milliseconds: read((ns) => ns / 1_000_000n),
  Minutes: read((ns) => new GoFloat(inUnits(ns, MINUTE))),
  Nanoseconds: read((ns) => ns),
  Round: withDuration((ns, unit) => new GoDuration(clampDuration(roundAway(ns, unit)))),
  Seconds: read((ns) => new GoFloat(inUnits(ns, SECOND))),
  String: read((ns) => formatDuration(ns)),
  Truncate: withDuration((ns, unit) => new GoDuration(unit <= 0n ? ns : ns - (ns % unit))),
};

/** Like Go: whole units, plus the rest as a fraction. */
const inUnits = (ns: bigint, unit: bigint): number => Number(ns / unit) + Number(ns % unit) / Number(unit);

const floorDiv = (value: bigint, by: bigint): bigint => (value - (((value % by) + by) % by)) / by;
const cutDown = (value: bigint, unit: bigint): bigint =>
  unit <= 0n ? value : value - (((value % unit) + unit) % unit);
/** Rounds half a unit up. */
function roundUp(value: bigint, unit: bigint): bigint {
  if (unit <= 0n) return value;
  const rest = value - cutDown(value, unit);
  return rest + rest < unit ? value - rest : value + unit - rest;
}
/** Rounds half a unit away from zero. */
const roundAway = (ns: bigint, unit: bigint): bigint => (ns < 0n ? -roundUp(-ns, unit) : roundUp(ns, unit));

const RFC3339 = /^(\d{4,})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,9})\d*)?(Z|([+-])(\d\d):(\d\d))$/;

function momentOf(value: GoValue): Moment {
  const text = value instanceof GoTime ? value.rfc3339 : '';
  const [, year, month, day, hour, minute, second, fraction = '', zone, east, zoneHour, zoneMinute] =
    RFC3339.exec(text) ?? [];
  if (zone === undefined) throw new ExecFailure(`${JSON.stringify(text)} is no time`);
  const offsetSeconds = (east === '-' ? -1 : 1) * (Number(zoneHour ?? 0) * 3600 + Number(zoneMinute ?? 0) * 60);
  const wall = utcMs({ year: Number(year), month: Number(month), day: Number(day) });
  const seconds = BigInt(wall / 1000 + Number(hour) * 3600 + Number(minute) * 60 + Number(second) - offsetSeconds);
  return { ns: seconds * SECOND + BigInt(fraction.padEnd(9, '0')), offsetSeconds, isUtc: zone === 'Z' };
}

function timeAt(moment: Moment): GoTime {
  return new GoTime(formatLayout('2006-01-02T15:04:05.999999999Z07:00', clockOf(moment)));
}

function clockOf({ ns, offsetSeconds, isUtc }: Moment): ClockTime {
  const seconds = floorDiv(ns, SECOND);
  const wall = new Date((Number(seconds) + offsetSeconds) * 1000);
  const year = wall.getUTCFullYear();
  const startOfYear = utcMs({ year, month: 1, day: 1 });
  return {
    year,
    month: wall.getUTCMonth() + 1,
    day: wall.getUTCDate(),
    hour: wall.getUTCHours(),
    minute: wall.getUTCMinutes(),
    second: wall.getUTCSeconds(),
    nanosecond: Number(ns - seconds * SECOND),
    weekday: wall.getUTCDay(),
    yearDay: Math.floor((wall.getTime() - startOfYear) / 86_400_000) + 1,
    offsetSeconds,
    isUtc,
  };
}

/** `Date.UTC` takes years below 100 as years of the last century. */
function utcMs({ year, month, day }: { readonly year: number; readonly month: number; readonly day: number }): number {
  return new Date(Date.UTC(2000, 0, 1)).setUTCFullYear(year, month - 1, day);
}

function addDate(
  moment: Moment,
  more: { readonly years: number; readonly months: number; readonly days: number },
): bigint {
  const { year, month, day } = clockOf(moment);
  const from = utcMs({ year, month, day });
  const to = utcMs({ year: year + more.years, month: month + more.months, day: day + more.days });
  if (Number.isNaN(to)) throw new ExecFailure('the date is out of range');
  return moment.ns + BigInt(to - from) * 1_000_000n;
}

function localZone(ns: bigint): Pick<Moment, 'offsetSeconds' | 'isUtc'> {
  const minutes = -new Date(Number(ns / 1_000_000n)).getTimezoneOffset();
  return { offsetSeconds: minutes * 60, isUtc: minutes === 0 };
}
