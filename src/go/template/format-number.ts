import { type Flags, pad } from './pad.ts';
import { quote } from './strconv.ts';
import { isPrintable } from './unicode.ts';

const BASES: ReadonlyMap<string, number> = new Map([
  ['v', 10],
  ['d', 10],
  ['b', 2],
  ['o', 8],
  ['O', 8],
  ['x', 16],
  ['X', 16],
]);

/** Formats an int for a verb of Go's fmt; undefined if ints do not have the verb. */
export function formatInteger(value: bigint, verb: string, flags: Flags): string | undefined {
  if (verb === 'c') return pad(characterOf(value), flags);
  if (verb === 'q') return pad(quote(characterOf(value), "'", flags.plus), flags);
  if (verb === 'U') return pad(formatUnicode(value, flags), { ...flags, zero: false });
  const base = BASES.get(verb);
  if (base === undefined) return undefined;
  const { precision, width, zero } = flags;
  if (precision === 0 && value === 0n) return pad('', { ...flags, zero: false });
  const sign = signOf(value < 0n, flags);
  const filled = precision ?? (zero && width !== undefined ? width - sign.length : 0);
  const digits = (value < 0n ? -value : value).toString(base).padStart(filled, '0');
  const text = sign + prefixOf(verb, digits, flags) + digits;
  return pad(verb === 'X' ? text.toUpperCase() : text, { ...flags, zero: false });
}

/** Formats a float64 for a verb of Go's fmt; undefined for an unsupported verb. */
export function formatFloat(value: number, verb: string, flags: Flags): string | undefined {
  const size = Math.abs(value);
  const plain = floatDigits(size, verb, flags.precision);
  if (plain === undefined) return undefined;
  const isSharp = flags.sharp && verb !== 'b' && Number.isFinite(value);
  const digits = isSharp ? withPoint(plain, verb, flags.precision) : plain;
  const infinite = value === Number.POSITIVE_INFINITY;
  const sign = signOf(value < 0 || Object.is(value, -0), { ...flags, plus: flags.plus || infinite });
  if (!Number.isFinite(value)) return pad(sign + digits, { ...flags, zero: false });
  const { width, zero } = flags;
  return pad(sign + (zero && width !== undefined ? digits.padStart(width - sign.length, '0') : digits), {
    ...flags,
    zero: false,
  });
}

function floatDigits(size: number, verb: string, precision: number | undefined): string | undefined {
  if (!'vgGeEfFxXb'.includes(verb)) return undefined;
  if (Number.isNaN(size)) return 'NaN';
  if (size === Number.POSITIVE_INFINITY) return 'Inf';
  switch (verb) {
    case 'e':
      return exponential(size, precision ?? 6);
    case 'E':
      return exponential(size, precision ?? 6).toUpperCase();
    case 'f':
    case 'F':
      return fixed(size, precision ?? 6);
    case 'x':
      return hexadecimal(size, precision);
    case 'X':
      return hexadecimal(size, precision).toUpperCase();
    case 'b': {
      const { mantissa, power } = partsOf(size);
      return `${mantissa}p${power < 0 ? '-' : '+'}${Math.abs(power)}`;
    }
    case 'G':
      return general(size, precision).toUpperCase();
    default:
      return general(size, precision);
  }
}

/**
 * %g: the shortest form, or the requested number of digits; with an exponent if it is below -4 or at least the
 * precision, which is 6 for the shortest form.
 */
function general(size: number, precision: number | undefined): string {
  const wanted = precision === undefined ? undefined : Math.max(precision, 1);
  const { digits, exponent } = wanted === undefined ? shortest(size) : rounded(size, () => wanted);
  const significant = digits.replace(/0+$/, '');
  const enough = significant.length > exponent ? Math.min(wanted ?? 6, significant.length) : wanted;
  const limit = wanted === undefined ? 6 : (enough ?? wanted);
  if (exponent < -4 || exponent >= limit) {
    const fraction = significant.length > 1 ? `.${significant.slice(1)}` : '';
    return `${significant[0] ?? '0'}${fraction}e${exponentText(exponent)}`;
  }
  return decimalText(significant, exponent, Math.max(significant.length - 1 - exponent, 0));
}

function exponential(size: number, precision: number): string {
  const { digits, exponent } = rounded(size, () => precision + 1);
  return `${digits[0] ?? '0'}${precision > 0 ? `.${digits.slice(1, precision + 1).padEnd(precision, '0')}` : ''}e${exponentText(exponent)}`;
}

function fixed(size: number, precision: number): string {
  const { digits, exponent } = rounded(size, (first) => first + 1 + precision);
  return decimalText(digits, exponent, precision);
}

/** Decimal digits; the first is the digit of 10^exponent. */
interface Decimal {
  readonly digits: string;
  readonly exponent: number;
}

function shortest(size: number): Decimal {
  const [mantissa = '', power = '0'] = size.toExponential().split('e');
  return { digits: mantissa.replace('.', ''), exponent: Number(power) };
}

/**
 * The exact value, rounded half to even like Go (toFixed rounds half up).
 *
 * @param count number of digits to keep, given the exponent of the first
 */
function rounded(size: number, count: (exponent: number) => number): Decimal {
  const { digits, exponent } = exact(size);
  const kept = count(exponent);
  if (kept >= digits.length) return { digits, exponent };
  if (kept < 0) return { digits: '', exponent };
  const head = digits.slice(0, kept);
  const rest = digits.slice(kept);
  const isOdd = kept > 0 && Number(head.at(-1)) % 2 === 1;
  const half = `5${'0'.repeat(rest.length - 1)}`;
  if (rest < half || (rest === half && !isOdd)) return { digits: head, exponent };
  const up = (BigInt(head || '0') + 1n).toString().padStart(kept, '0');
  return { digits: up, exponent: up.length > kept ? exponent + 1 : exponent };
}

/** The fixed-point representation of one as a mantissa: 2^60, so that 15 hexadecimal digits follow. */
const ONE = 1n << 60n;

/** %x: `0x1.8p+01`, the shortest form, or the requested number of digits after the point, rounded half to even. */
function hexadecimal(size: number, precision = -1): string {
  const { mantissa: whole, power } = partsOf(size);
  let mantissa = whole << 8n;
  let exponent = size === 0 ? 0 : power + 52;
  for (; mantissa !== 0n && mantissa < ONE; exponent -= 1) mantissa <<= 1n;
  if (precision >= 0 && precision < 15) {
    const dropped = BigInt(60 - 4 * precision);
    const [kept, rest] = [mantissa >> dropped, mantissa & ((1n << dropped) - 1n)];
    const half = 1n << (dropped - 1n);
    const isUp = rest > half || (rest === half && kept % 2n === 1n);
    mantissa = (kept + (isUp ? 1n : 0n)) << dropped;
    if (mantissa >= 2n * ONE) {
      mantissa >>= 1n;
      exponent += 1;
    }
  }
  const digits = (mantissa % ONE).toString(16).padStart(15, '0');
  const fraction = precision < 0 ? digits.replace(/0+$/, '') : digits.slice(0, precision).padEnd(precision, '0');
  return `0x${mantissa / ONE}${fraction === '' ? '' : `.${fraction}`}p${exponentText(exponent)}`;
}

/** The `#` flag: always a decimal point, and for %g the trailing zeros (Go: fmt/format.go, fmtFloat). */
function withPoint(text: string, verb: string, precision: number | undefined): string {
  const isHex = verb === 'x' || verb === 'X';
  const at = text.search(isHex ? /p/i : /e/i);
  const [number, tail] = at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at)];
  const counted = number.replace('.', '');
  const significant = counted.replace(/^0+/, '').length;
  const wanted = 'vgGx'.includes(verb) ? (precision ?? 6) : 0;
  const missing = wanted - significant - (number === '0' ? 1 : 0);
  return `${number}${number.includes('.') ? '' : '.'}${'0'.repeat(Math.max(missing, 0))}${tail}`;
}

/** All decimal digits of a double. */
function exact(size: number): Decimal {
  if (size === 0) return { digits: '0', exponent: 0 };
  const { mantissa, power } = partsOf(size);
  const digits = (power >= 0 ? mantissa << BigInt(power) : mantissa * 5n ** BigInt(-power)).toString();
  return { digits, exponent: digits.length - 1 + Math.min(power, 0) };
}

/** A double as mantissa × 2^power. */
function partsOf(size: number): { readonly mantissa: bigint; readonly power: number } {
  const bits = new DataView(new ArrayBuffer(8));
  bits.setFloat64(0, size);
  const word = bits.getBigUint64(0);
  const biased = Number(word >> 52n);
  const fraction = word & ((1n << 52n) - 1n);
  const mantissa = biased === 0 ? fraction : fraction | (1n << 52n);
  return { mantissa, power: Math.max(biased, 1) - 1075 };
}

/** Writes digits with a decimal point, and the given number of digits after it. */
function decimalText(digits: string, exponent: number, after: number): string {
  const whole = exponent < 0 ? '0' : digits.slice(0, exponent + 1).padEnd(exponent + 1, '0');
  if (after === 0) return whole;
  const zeros = '0'.repeat(Math.min(Math.max(-exponent - 1, 0), after));
  return `${whole}.${(zeros + digits.slice(Math.max(exponent + 1, 0))).slice(0, after).padEnd(after, '0')}`;
}

function exponentText(exponent: number): string {
  return `${exponent < 0 ? '-' : '+'}${Math.abs(exponent).toString().padStart(2, '0')}`;
}

function signOf(negative: boolean, { plus, space }: Flags): string {
  if (negative) return '-';
  if (plus) return '+';
  return space ? ' ' : '';
}

function prefixOf(verb: string, digits: string, { sharp }: Flags): string {
  if (verb === 'O') return '0o';
  if (!sharp) return '';
  if (verb === 'o') return digits.startsWith('0') ? '' : '0';
  return verb === 'b' ? '0b' : verb === 'x' || verb === 'X' ? '0x' : '';
}

function characterOf(value: bigint): string {
  const valid = value >= 0n && value <= 0x10ffffn && !(value >= 0xd800n && value < 0xe000n);
  return valid ? String.fromCodePoint(Number(value)) : '\ufffd';
}

function formatUnicode(value: bigint, { sharp, precision = 0 }: Flags): string {
  const name = `U+${BigInt.asUintN(64, value).toString(16).toUpperCase().padStart(Math.max(precision, 4), '0')}`;
  return sharp && value >= 0n && value <= 0x10ffffn && isPrintable(characterOf(value))
    ? `${name} '${characterOf(value)}'`
    : name;
}
