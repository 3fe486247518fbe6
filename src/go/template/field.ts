import type { GoFunction } from './call.ts';
import { ExecFailure } from './failure.ts';
import { quote } from './strconv.ts';
import { timeMethod } from './time-methods.ts';
import { embeddedIn, GoNil, GoStruct, type GoValue, kindOf, mapOf, propertyOf, typeNameOf } from './value.ts';

export interface FieldOptions {
  /** Whether the template passes arguments to the field, which only a method accepts. */
  readonly hasArguments: boolean;
  readonly missingKeyIsError: boolean;
  /** Whether the receiver comes from a map of any type, whose type Go does not show then. */
  readonly inInterface: boolean;
}

/** The value of a field or key; for a method, a function that returns it. */
export function fieldOf(
  receiver: GoValue,
  name: string,
  options: FieldOptions,
): { readonly value: GoValue } | (() => GoFunction) {
  if (receiver === undefined) {
    if (options.missingKeyIsError) throw new ExecFailure(`nil data; no entry for key ${quote(name)}`);
    return { value: undefined };
  }
  if (receiver === null) throw new ExecFailure(`nil pointer evaluating interface {}.${name}`);
  if (receiver instanceof GoStruct) return structField(receiver, name, options);
  if (receiver instanceof GoNil && receiver.kind === 'pointer') {
    throw new ExecFailure(`nil pointer evaluating ${receiver.typeName}.${name}`);
  }
  const method = timeMethod(receiver, name);
  if (method) return () => method;
  if (kindOf(receiver) === 'map') return { value: mapEntry(receiver, name, options) };
  throw new ExecFailure(
    `can't evaluate field ${name} in type ${options.inInterface ? 'interface {}' : typeNameOf(receiver)}`,
  );
}

function structField(
  receiver: GoStruct,
  name: string,
  { hasArguments }: FieldOptions,
): { readonly value: GoValue } | (() => GoFunction) {
  const { methods = {}, type } = receiver.options;
  const method = Object.hasOwn(methods, name) ? methods[name] : undefined;
  if (method !== undefined) {
    // Most columns of a list are such methods: no call object is needed for them.
    if (method.params === 0 && !hasArguments) return { value: method.call() };
    const params = Array.from({ length: method.params }, () => 'string' as const);
    return () => ({ params, call: (values) => method.call(...values.map(String)) });
  }
  const embedded = embeddedIn(receiver, name);
  if (embedded && !hasArguments) return { value: embedded };
  if (!Object.hasOwn(receiver.fields, name)) throw new ExecFailure(`can't evaluate field ${name} in type ${type}`);
  if (hasArguments) throw new ExecFailure(`${name} has arguments but cannot be invoked as function`);
  return { value: receiver.fields[name] };
}

function mapEntry(receiver: GoValue, name: string, { hasArguments, missingKeyIsError }: FieldOptions): GoValue {
  if (hasArguments) throw new ExecFailure(`${name} is not a method but has arguments`);
  const value = propertyOf(mapOf(receiver), name);
  if (value === undefined && missingKeyIsError) throw new ExecFailure(`map has no entry for key ${quote(name)}`);
  return value;
}
