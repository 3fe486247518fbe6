import { ExecFailure } from './failure.ts';
import { formatVerb } from './format-value.ts';
import { noFlags } from './pad.ts';
import { floatOf, GoNil, GoTime, type GoValue, intOf, type Kind, kindOf, typeNameOf } from './value.ts';

type BasicKind = 'bool' | 'string' | 'int' | 'float' | 'invalid';

/** The kinds that Go's templates can compare; all others are `invalid`. */
export function basicKind(value: GoValue): BasicKind {
  const kind: Kind = kindOf(value);
  return kind === 'bool' || kind === 'string' || kind === 'int' || kind === 'float' ? kind : 'invalid';
}

/** Go's `eq` of two values. */
export function equal(a: GoValue, b: GoValue): boolean {
  const kind = basicKind(a);
  if (kind !== basicKind(b)) {
    if (kindOf(a) !== 'nil' && kindOf(b) !== 'nil') throw incompatible(a, b);
    return false;
  }
  if (kind === 'int') return intOf(a) === intOf(b);
  if (kind === 'float') return floatOf(a) === floatOf(b);
  if (kind === 'bool' || kind === 'string') return a === b;
  if (isNil(a) || isNil(b)) return isNil(a) === isNil(b);
  if (kindOf(a) !== kindOf(b)) {
    const types = `${typeNameOf(a)}, ${typeNameOf(b)}`;
    throw new ExecFailure(
      `non-comparable types ${formatVerb(a, 's', noFlags)}: ${types}: ${formatVerb(b, 'v', noFlags)}`,
    );
  }
  if (kindOf(b) !== 'struct')
    throw new ExecFailure(`non-comparable type ${formatVerb(b, 's', noFlags)}: ${typeNameOf(b)}`);
  if (a instanceof GoTime && b instanceof GoTime) return a.rfc3339 === b.rfc3339;
  return a === b;
}

/** Negative, zero or positive, as a is less than, equal to or greater than b. */
export function compare(a: GoValue, b: GoValue): number {
  const kind = basicKind(a);
  if (kind === 'invalid' || basicKind(b) === 'invalid') throw new ExecFailure('invalid type for comparison');
  if (kind !== basicKind(b)) throw incompatible(a, b);
  if (kind === 'bool') throw new ExecFailure('invalid type for comparison');
  if (kind === 'int') return sign(intOf(a), intOf(b));
  if (kind === 'float') return sign(floatOf(a), floatOf(b));
  return Buffer.compare(Buffer.from(String(a)), Buffer.from(String(b)));
}

function incompatible(a: GoValue, b: GoValue): ExecFailure {
  return new ExecFailure(`incompatible types for comparison: ${typeNameOf(a)} and ${typeNameOf(b)}`);
}

function sign(a: bigint | number, b: bigint | number): number {
  if (a < b) return -1;
  return a > b ? 1 : 0;
}

function isNil(value: GoValue): boolean {
  return kindOf(value) === 'nil' || value instanceof GoNil;
}
