import type { GoFunction } from './call.ts';
import { basicKind, compare, equal } from './compare.ts';
import { escapeHtml, escapeJs, escapeQuery } from './escape.ts';
import { ExecFailure } from './failure.ts';
import { format, sprint, sprintf, sprintln } from './printf.ts';
import { GoStringMap, type GoValue, intOf, isTrue, kindOf, mapOf, propertyOf, sliceOf, typeNameOf } from './value.ts';

const order = (holds: (sign: number) => boolean): GoFunction => ({
  params: ['any', 'any'],
  call: ([a, b]) => holds(compare(a, b)),
});
const escaping = (apply: (text: string) => string): GoFunction => ({
  params: [],
  rest: 'any',
  call: (args) => apply(textOf(args)),
});

/** Go's own template functions. */
export const builtins: ReadonlyMap<string, GoFunction> = new Map<string, GoFunction>([
  ['and', { params: ['any'], rest: 'any', call: (args) => args.at(-1), stopsAt: false }],
  ['or', { params: ['any'], rest: 'any', call: (args) => args.at(-1), stopsAt: true }],
  ['not', { params: ['any'], call: ([value]) => !isTrue(value) }],
  ['eq', { params: ['any'], rest: 'any', call: ([first, ...others]) => equalsAny(first, others) }],
  ['ne', { params: ['any', 'any'], call: ([a, b]) => !equal(a, b) }],
  ['lt', order((sign) => sign < 0)],
  ['le', order((sign) => sign <= 0)],
  ['gt', order((sign) => sign > 0)],
  ['ge', order((sign) => sign >= 0)],
  ['len', { params: ['any'], call: ([value]) => lengthOf(value) }],
  ['index', { params: ['any'], rest: 'any', call: ([item, ...indexes]) => indexOf(item, indexes) }],
  ['slice', { params: ['any'], rest: 'any', call: ([item, ...indexes]) => sliceBy(item, indexes) }],
  ['print', { params: [], rest: 'any', call: (args) => sprint(args) }],
  ['println', { params: [], rest: 'any', call: (args) => sprintln(args) }],
  ['printf', { params: ['string'], rest: 'any', call: ([text, ...args]) => sprintf(String(text), args) }],
  ['html', escaping(escapeHtml)],
  ['js', escaping(escapeJs)],
  ['urlquery', escaping(escapeQuery)],
  ['call', { params: ['any'], rest: 'any', call: ([value]) => refuseCall(value) }],
]);

/** Data contains no functions: methods are called by name. */
function refuseCall(value: GoValue): never {
  throw new ExecFailure(kindOf(value) === 'nil' ? 'call of nil' : `non-function of type ${typeNameOf(value)}`);
}

function equalsAny(first: GoValue, others: readonly GoValue[]): boolean {
  if (others.length === 0) throw new ExecFailure('missing argument for comparison');
  basicKind(first);
  return others.some((other) => equal(first, other));
}

function lengthOf(value: GoValue): number {
  switch (kindOf(value)) {
    case 'string':
      return Buffer.byteLength(String(value));
    case 'slice':
      return sliceOf(value).length;
    case 'map':
      return Object.keys(mapOf(value)).length;
    case 'nil':
    case 'pointer':
      throw new ExecFailure('len of nil pointer');
    default:
      throw new ExecFailure(`len of type ${typeNameOf(value)}`);
  }
}

function indexOf(item: GoValue, indexes: readonly GoValue[]): GoValue {
  if (kindOf(item) === 'nil') throw new ExecFailure('index of untyped nil');
  let value = item;
  for (const index of indexes) value = elementOf(value, index);
  return value;
}

function elementOf(item: GoValue, index: GoValue): GoValue {
  switch (kindOf(item)) {
    case 'nil':
    case 'pointer':
      throw new ExecFailure('index of nil pointer');
    case 'string': {
      const bytes = Buffer.from(String(item));
      return bytes[positionOf(index, bytes.length, 'string')];
    }
    case 'slice':
      return sliceOf(item)[positionOf(index, sliceOf(item).length, 'slice')];
    case 'map':
      if (kindOf(index) === 'nil') throw new ExecFailure('value is nil; should be of type string');
      if (typeof index !== 'string') throw new ExecFailure(`value has type ${typeNameOf(index)}; should be string`);
      return (
        propertyOf(mapOf(item), index) ??
        (item instanceof GoStringMap || typeNameOf(item) === 'map[string]string' ? '' : null)
      );
    default:
      throw new ExecFailure(`can't index item of type ${typeNameOf(item)}`);
  }
}

function positionOf(index: GoValue, length: number, what: 'string' | 'slice'): number {
  const position = boundOf(index, length);
  if (position === length) throw new ExecFailure(`reflect: ${what} index out of range`);
  return position;
}

/** An index up to and including the length, as slices allow. */
function boundOf(index: GoValue, length: number): number {
  if (kindOf(index) === 'nil') throw new ExecFailure('cannot index slice/array with nil');
  if (kindOf(index) !== 'int') throw new ExecFailure(`cannot index slice/array with type ${typeNameOf(index)}`);
  const position = intOf(index);
  if (position < 0n || position > BigInt(length)) throw new ExecFailure(`index out of range: ${position}`);
  return Number(position);
}

function sliceBy(item: GoValue, indexes: readonly GoValue[]): GoValue {
  if (kindOf(item) === 'nil') throw new ExecFailure('slice of untyped nil');
  if (indexes.length > 3) throw new ExecFailure(`too many slice indexes: ${indexes.length}`);
  const isString = kindOf(item) === 'string';
  if (isString && indexes.length === 3) throw new ExecFailure('cannot 3-index slice a string');
  if (!isString && kindOf(item) !== 'slice') throw new ExecFailure(`can't slice item of type ${typeNameOf(item)}`);
  const length = lengthOf(item);
  const [from = 0, to = length, most = length] = indexes.map((index) => boundOf(index, length));
  if (from > to) throw new ExecFailure(`invalid slice index: ${from} > ${to}`);
  if (to > most) throw new ExecFailure(`invalid slice index: ${to} > ${most}`);
  return isString ? Buffer.from(String(item)).subarray(from, to).toString() : sliceOf(item).slice(from, to);
}

function textOf(args: readonly GoValue[]): string {
  const [first] = args;
  if (args.length === 1 && typeof first === 'string') return first;
  return sprint(args.map((value) => (kindOf(value) === 'nil' ? format(undefined) : value)));
}
