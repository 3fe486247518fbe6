import { encodeJson } from '../lib/json.ts';
import { syscallsByNumber } from './syscall-order.ts';
import type { SeccompArgument, SeccompRule } from './types.ts';

/**
 * The same filter in the form that libseccomp compiles fastest. A runtime compiles it for each process, at the start of
 * a container and at each exec, which is half of the cost of an exec. libseccomp (src/gen_bpf.c, src/db.c) searches the
 * list of all rules for each rule, and the rest of the program for each comparison, unless another architecture has the
 * same comparison. So the highest system call comes first, there are few comparisons, and the comparisons of one
 * argument use one operator. Masks are best: bounds and values are in another order on 32-bit architectures than on
 * 64-bit ones, masks are not.
 *
 * The decision about a system call does not change: system calls are independent of each other, and the rules of one
 * system call keep their order. If all rules of a system call have the same action, those that compare one argument
 * with a value or with a low bound are merged into fewer rules, which compare some of its bits.
 */
export function arrangeRules(rules: readonly SeccompRule[]): readonly SeccompRule[] {
  const filtersOf = new Map<string, Filter[]>();
  const known = new Map<string, Filter>();
  for (const { names, ...filter } of rules) {
    const same = sameOf(known, filter);
    for (const name of names) {
      const before = filtersOf.get(name);
      if (before) before.push(same);
      else filtersOf.set(name, [same]);
    }
  }
  const arranged: { readonly names: string[]; readonly filter: Filter }[] = [];
  const add = (name: string): void => {
    for (const filter of merge(filtersOf.get(name) ?? [])) {
      const last = arranged.at(-1);
      if (last?.filter === filter) last.names.push(name);
      else arranged.push({ names: [name], filter });
    }
    filtersOf.delete(name);
  };
  for (const name of syscallsByNumber()) add(name);
  for (const name of filtersOf.keys()) add(name);
  return arranged.map(({ names, filter }) => ({ names, ...filter }));
}

/** A rule without the system calls that it applies to. */
type Filter = Omit<SeccompRule, 'names'>;

/** Returns the first of equal filters, so that `===` compares filters. */
function sameOf(known: Map<string, Filter>, filter: Filter): Filter {
  const key = encodeJson(filter);
  const same = known.get(key);
  if (same) return same;
  known.set(key, filter);
  return filter;
}

function merge(filters: readonly Filter[]): readonly Filter[] {
  const [first] = filters;
  if (!first || filters.length < 3) return filters;
  if (filters.some(({ action, errnoRet }) => action !== first.action || errnoRet !== first.errnoRet)) return filters;
  const { args: _, ...end } = first;
  const setsOf = new Map<number, { readonly values: Set<bigint>; readonly bounds: SeccompArgument[] }>();
  const others: Filter[] = [];
  for (const filter of filters) {
    const [argument, ...more] = filter.args ?? [];
    const isBound = argument !== undefined && valuesBelow(argument) !== undefined;
    if (!argument || more.length > 0 || (argument.op !== 'SCMP_CMP_EQ' && !isBound)) {
      others.push(filter);
      continue;
    }
    const sets = setsOf.get(argument.index) ?? { values: new Set(), bounds: [] };
    setsOf.set(argument.index, sets);
    if (isBound) sets.bounds.push(argument);
    else sets.values.add(BigInt(argument.value));
  }
  const merged = [...setsOf].flatMap(([index, sets]) => mergeArgument(index, sets));
  return [...others, ...merged.map((argument) => ({ ...end, args: [argument] }))];
}

/** @param sets what one argument may be: some values, or below one of some bounds */
function mergeArgument(
  index: number,
  { values, bounds }: { readonly values: ReadonlySet<bigint>; readonly bounds: readonly SeccompArgument[] },
): readonly SeccompArgument[] {
  const kept = [...bounds, ...argumentsOf(index, cubesOf(values))];
  if (bounds.length === 0) return kept;
  const dissolved = cubesOf(new Set([...values, ...bounds.flatMap((bound) => valuesBelow(bound) ?? [])]));
  return dissolved.length <= kept.length ? argumentsOf(index, dissolved) : kept;
}

/**
 * The numbers that pass a comparison with an upper bound; undefined for another comparison, and for too many numbers to
 * merge.
 */
function valuesBelow({ op, value }: SeccompArgument): readonly bigint[] | undefined {
  const count = op === 'SCMP_CMP_LT' ? BigInt(value) : op === 'SCMP_CMP_LE' ? BigInt(value) + 1n : undefined;
  if (count === undefined || count > MOST_VALUES) return undefined;
  return Array.from({ length: Number(count) }, (_, number) => BigInt(number));
}

const ALL_BITS = 2n ** 64n - 1n;

/** All numbers whose bits in `mask` are those of `value`. */
interface Cube {
  readonly mask: bigint;
  readonly value: bigint;
}

/** Uses masks for all of them if one needs a mask: libseccomp shares no code between two operators. */
function argumentsOf(index: number, cubes: readonly Cube[]): readonly SeccompArgument[] {
  if (cubes.every(({ mask }) => mask === ALL_BITS))
    return cubes.map(({ value }) => ({ index, op: 'SCMP_CMP_EQ', value: plain(value), valueTwo: 0 }));
  return cubes.map(({ mask, value }) => {
    return { index, op: 'SCMP_CMP_MASKED_EQ', value: plain(mask), valueTwo: plain(value) };
  });
}

const plain = (value: bigint): number | bigint => (value <= Number.MAX_SAFE_INTEGER ? Number(value) : value);

/** More values are not merged: the search compares all pairs. */
const MOST_VALUES = 256;

/**
 * A few cubes that together contain these numbers and no others, by Quine and McCluskey: of the largest cubes, always
 * the one with the most remaining numbers.
 */
function cubesOf(values: ReadonlySet<bigint>): readonly Cube[] {
  const single = [...values].map((value) => ({ mask: ALL_BITS, value }));
  if (values.size > MOST_VALUES) return single;
  const largest = largestOf(single);
  const left = new Set(values);
  const chosen: Cube[] = [];
  while (left.size > 0) {
    let best: { readonly cube: Cube; readonly held: readonly bigint[] } | undefined;
    for (const cube of largest) {
      const held = [...left].filter((value) => (value & cube.mask) === cube.value);
      if (held.length > (best?.held.length ?? 0)) best = { cube, held };
    }
    if (!best) break; // each number is in a cube
    chosen.push(best.cube);
    for (const value of best.held) left.delete(value);
  }
  return chosen;
}

/** Joins cubes that differ in one bit, repeatedly. @returns the cubes that cannot be joined any further */
function largestOf(cubes: readonly Cube[]): readonly Cube[] {
  const joined = new Map<string, Cube>();
  const isPart = new Set<Cube>();
  for (const [at, a] of cubes.entries()) {
    for (const b of cubes.slice(at + 1)) {
      const bit = a.value ^ b.value;
      if (a.mask !== b.mask || (bit & (bit - 1n)) !== 0n) continue;
      isPart.add(a).add(b);
      const cube = { mask: a.mask & ~bit, value: a.value & ~bit };
      joined.set(`${cube.mask} ${cube.value}`, cube);
    }
  }
  const whole = cubes.filter((cube) => !isPart.has(cube));
  return joined.size === 0 ? whole : [...whole, ...largestOf([...joined.values()])];
}
