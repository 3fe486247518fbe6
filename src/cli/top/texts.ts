const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** A time span in at most five columns: `9s`, `12m`, `3h20m`, `2d4h`, `120d`. */
export function shortSpan(ms: number): string {
  const span = Math.max(0, ms);
  if (span < 2 * MINUTE_MS) return `${Math.floor(span / SECOND_MS)}s`;
  if (span < 2 * HOUR_MS) return `${Math.floor(span / MINUTE_MS)}m`;
  if (span < DAY_MS) return twoUnits(span, { large: ['h', HOUR_MS], small: ['m', MINUTE_MS] });
  if (span < 10 * DAY_MS) return twoUnits(span, { large: ['d', DAY_MS], small: ['h', HOUR_MS] });
  return `${Math.floor(span / DAY_MS)}d`;
}

type Unit = readonly [name: string, ms: number];

function twoUnits(
  span: number,
  { large: [large, largeMs], small: [small, smallMs] }: { large: Unit; small: Unit },
): string {
  const whole = `${Math.floor(span / largeMs)}${large}`;
  const rest = Math.floor((span % largeMs) / smallMs);
  const text = rest === 0 ? whole : `${whole}${rest}${small}`;
  return text.length > 5 ? whole : text;
}

/** A duration of a check in at most five columns: `7ms`, `850ms`, `1.20s`, `12.5s`, `130s`. */
export function tookText(ms: number): string {
  if (ms < 999.5) return `${Math.round(Math.max(0, ms))}ms`;
  const seconds = ms / SECOND_MS;
  return `${seconds.toFixed(seconds < 9.995 ? 2 : seconds < 99.95 ? 1 : 0)}s`;
}

/** A share of a processor in at most five columns: `0.4%`, `99.9%`, `250%`. */
export function shareText(share: number): string {
  const percent = Math.max(0, share) * 100;
  return `${percent.toFixed(percent < 99.95 ? 1 : 0)}%`;
}

const UNITS = ['B', 'K', 'M', 'G', 'T', 'P'];

/** A size in powers of 1024 in at most five columns, as in top: `512K`, `12.5M`, `1.2G`. */
export function sizeText(bytes: number): string {
  let [size, unit] = [Math.max(0, bytes), 0];
  for (; size >= 999.5 && unit < UNITS.length - 1; unit += 1) size /= 1024;
  return `${unit === 0 || size >= 99.95 ? Math.round(size) : size.toFixed(1)}${UNITS[unit]}`;
}

/** `15:04:05`, in local time. */
export function clockText(ms: number): string {
  const date = new Date(ms);
  return [date.getHours(), date.getMinutes(), date.getSeconds()].map((part) => `${part}`.padStart(2, '0')).join(':');
}
