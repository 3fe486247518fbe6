/*
 * The reader of unknown JSON: guards, and combinators that make guards of guards. An object may have more keys than its guard
 * names, because another version may write more. `const isX: Guard<X> = objectOf({ … })` does not compile if a field of X is missing.
 */

/** Says whether a value has a type. */
export type Guard<T> = (value: unknown) => value is T;

export type JsonObject = Readonly<Record<string, unknown>>;

export const isText: Guard<string> = (value) => typeof value === 'string';
export const isNumber: Guard<number> = (value) => typeof value === 'number';
export const isBoolean: Guard<boolean> = (value) => typeof value === 'boolean';
/** A whole number, not negative. */
export const isCount: Guard<number> = (value): value is number => Number.isSafeInteger(value) && Number(value) >= 0;
/** What Date.parse reads. */
export const isDate: Guard<string> = (value): value is string => isText(value) && !Number.isNaN(Date.parse(value));
/** A list is no object. */
export const isObject: Guard<JsonObject> = (value): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export const oneOf =
  <const T>(words: readonly T[]): Guard<T> =>
  (value): value is T =>
    (words as readonly unknown[]).includes(value);

export const listOf =
  <T>(guard: Guard<T>): Guard<readonly T[]> =>
  (value): value is readonly T[] =>
    Array.isArray(value) && value.every(guard);

export const isTexts = listOf(isText);

/** An object whose keys are data, such as labels. */
export const mapOf =
  <T>(guard: Guard<T>): Guard<Readonly<Record<string, T>>> =>
  (value): value is Readonly<Record<string, T>> =>
    isObject(value) && Object.values(value).every(guard);

/** A field that may be absent. JSON's null is not absent. */
interface Optional<T> {
  readonly optional: Guard<T>;
}
export const optional = <T>(guard: Guard<T>): Optional<T> => ({ optional: guard });

type Fields = Readonly<Record<string, Guard<unknown> | Optional<unknown>>>;
type Shaped<F extends Fields> = {
  readonly [K in keyof F as F[K] extends Guard<unknown> ? K : never]: F[K] extends Guard<infer T> ? T : never;
} & {
  readonly [K in keyof F as F[K] extends Guard<unknown> ? never : K]?: F[K] extends Optional<infer T> ? T : never;
};

export function objectOf<const F extends Fields>(fields: F): Guard<Shaped<F>> {
  const entries = Object.entries(fields);
  return (value): value is Shaped<F> =>
    isObject(value) &&
    entries.every(([key, field]) => {
      const found = value[key];
      return typeof field === 'function' ? field(found) : found === undefined || field.optional(found);
    });
}

/** The value if the guard accepts it. */
export const as = <T>(guard: Guard<T>, value: unknown): T | undefined => (guard(value) ? value : undefined);

/** The value of a JSON text; undefined for no text and for one that is not JSON. */
export function parseJsonText(text: string | undefined): unknown {
  try {
    return text === undefined ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The value as an object; an empty one for anything else. */
export const objectIn = (value: unknown): JsonObject => as(isObject, value) ?? {};
/** The items of a list; none of anything else. */
export const itemsIn = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
/** The texts in a list; other items are left out. */
export const textsIn = (value: unknown): readonly string[] => itemsIn(value).filter(isText);
/** The entries of an object whose values are texts; others are left out. */
export function textMapIn(value: unknown): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(objectIn(value)).filter((entry): entry is [string, string] => isText(entry[1])),
  );
}
