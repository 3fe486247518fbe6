import type { NumberNode } from './ast.ts';
import type { Token } from './lexer.ts';
import { parseFloating, parseInteger, quote, unquoteCharacter } from './strconv.ts';

const MAX_INT = 2n ** 63n - 1n;
const MIN_INT = -(2n ** 63n);

/** The number of a token, or an error text. Complex numbers are not supported. */
export function numberNode({ type, value: source, pos }: Token): NumberNode | string {
  if (type === 'charConstant') {
    const code = unquoteCharacter(source);
    if (code === 'invalid') return 'invalid syntax';
    if (code === 'malformed') return `malformed character constant: ${source}`;
    return { type: 'number', pos, source, int: BigInt(code), float: code, isFloat: false };
  }
  const int = parseInteger(source);
  if (int !== undefined && int >= MIN_INT && int <= MAX_INT) {
    // Go takes the digit e of a hexadecimal number for an exponent, unless the token begins with its 0.
    return { type: 'number', pos, source, int, float: Number(int), isFloat: /^[+-]0[xX].*[eE]/.test(source) };
  }
  // Between the largest int64 and uint64, Go has a number but no int.
  if (int !== undefined && int > 0n && int < 2n ** 64n)
    return { type: 'number', pos, source, float: Number(int), isFloat: false };
  const looksFloating = /[.eEpP]/.test(source);
  const float = int === undefined ? parseFloating(source) : Number(int);
  if (float === undefined) return `illegal number syntax: ${quote(source)}`;
  if (!looksFloating) return `integer overflow: ${quote(source)}`;
  const whole = Number.isInteger(float) && Math.abs(float) < 2 ** 63;
  return { type: 'number', pos, source, ...(whole ? { int: BigInt(float) } : {}), float, isFloat: true };
}
