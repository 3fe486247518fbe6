import { describe, type Operand } from './ast.ts';
import { ExecFailure } from './failure.ts';
import { GoDuration, GoTime, type GoValue, intOf, isSlice, isStringSlice, kindOf, typeNameOf } from './value.ts';

/**
 * The type of a parameter: `any` accepts everything, `strings` a slice of strings, `time` a time.Time, `duration` a
 * time.Duration.
 */
export type Param = 'any' | 'string' | 'int' | 'strings' | 'time' | 'duration';

/** A template function. It throws ExecFailure; its arguments have the types of its parameters. */
export interface GoFunction {
  readonly params: readonly Param[];
  /** The type of any further arguments. */
  readonly rest?: Param;
  call(args: readonly GoValue[]): GoValue;
  /** For `and` and `or`: the truth value that ends the evaluation of arguments. */
  readonly stopsAt?: boolean;
}

const TYPE_NAMES: Readonly<Record<Param, string>> = {
  any: 'interface {}',
  string: 'string',
  int: 'int',
  strings: '[]string',
  time: 'time.Time',
  duration: 'time.Duration',
};

export interface CallSite {
  readonly operands: readonly Operand[];
  /** The value of the preceding command in a pipeline: the last argument. */
  readonly final: readonly GoValue[];
  evaluate(operand: Operand): GoValue;
  /** Names the operand for error messages. */
  at(operand: Operand): void;
}

/** Evaluates the arguments of a call, and checks their number and types. */
export function callArguments(name: string, fn: GoFunction, { operands, final, evaluate, at }: CallSite): GoValue[] {
  const given = operands.length + final.length;
  const wanted = fn.params.length;
  if (fn.rest !== undefined && given < wanted) {
    throw new ExecFailure(`wrong number of args for ${name}: want at least ${wanted} got ${operands.length}`);
  }
  if (fn.rest === undefined && given !== wanted) {
    throw new ExecFailure(`wrong number of args for ${name}: want ${wanted} got ${given}`);
  }
  const paramAt = (i: number): Param => fn.params[i] ?? fn.rest ?? 'any';
  const values = operands.map((operand, i) => {
    at(operand);
    const param = paramAt(i);
    checkConstant(operand, param);
    // An int parameter accepts the constant 1e1.
    if (operand.type === 'number' && (param === 'int' || param === 'duration')) return operand.int;
    const value = evaluate(operand);
    return operand.type === 'nil' ? value : convert(value, param);
  });
  return [...values, ...final.map((value) => convert(value, paramAt(operands.length)))];
}

function checkConstant(operand: Operand, param: Param): void {
  if (param === 'any') return;
  const type = TYPE_NAMES[param];
  if (operand.type === 'nil') {
    if (param !== 'strings') throw new ExecFailure(`cannot assign nil to ${type}`);
    return;
  }
  if (operand.type !== 'bool' && operand.type !== 'number' && operand.type !== 'string') return;
  if (param === 'strings' || param === 'time')
    throw new ExecFailure(`can't handle ${describe(operand)} for arg of type ${type}`);
  if (param === 'string' && operand.type !== 'string')
    throw new ExecFailure(`expected string; found ${describe(operand)}`);
  if ((param === 'int' || param === 'duration') && !(operand.type === 'number' && operand.int !== undefined)) {
    throw new ExecFailure(`expected integer; found ${describe(operand)}`);
  }
}

function convert(value: GoValue, param: Param): GoValue {
  if (param === 'any') return value ?? undefined;
  if (value === undefined && param !== 'strings') throw new ExecFailure(`invalid value; expected ${TYPE_NAMES[param]}`);
  if (param === 'string' && typeof value === 'string') return value;
  if (param === 'int' && typeNameOf(value) === 'int') return intOf(value);
  if (param === 'strings' && isStrings(value)) return value;
  if (param === 'time' && value instanceof GoTime) return value;
  if (param === 'duration' && value instanceof GoDuration) return value;
  const got = value === null ? 'interface {}' : typeNameOf(value);
  throw new ExecFailure(`wrong type for value; expected ${TYPE_NAMES[param]}; got ${got}`);
}

/** More lenient than Go: JSON data cannot be a []string otherwise. */
function isStrings(value: GoValue): boolean {
  return (
    value === undefined ||
    (kindOf(value) === 'slice' && (!isSlice(value) || value.length === 0 || isStringSlice(value)))
  );
}
