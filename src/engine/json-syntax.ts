import { HealthctlError } from '../lib/errors.ts';

/**
 * Finds the end of the first JSON value of a text.
 *
 * @param start where it begins: no white space
 * @throws INVALID with the words of Go's scanner (encoding/json/scanner.go), which clients see
 */
export function endOfJsonValue(text: string, start: number): number {
  return new Scanner(text).value(start);
}

const LITERALS = ['true', 'false', 'null'] as const;
const ESCAPES = '"\\/bfnrtu';

/** No document of Docker's is as deep; a deeper one could exhaust the stack. Go's limit is 10,000. */
const MAX_DEPTH = 1_000;

class Scanner {
  readonly #text: string;
  #depth = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** @returns where the value ends */
  value(at: number): number {
    const character = this.#text[at];
    if (character === '{' || character === '[') return this.#nested(at, character);
    if (character === '"') return this.#string(at + 1);
    const literal = LITERALS.find(([first]) => first === character);
    if (literal !== undefined) return this.#literal(at, literal);
    if (character !== undefined && /[-\d]/.test(character)) return this.#number(at);
    throw this.#refusal(at, 'looking for beginning of value');
  }

  #nested(at: number, opening: '{' | '['): number {
    this.#depth += 1;
    if (this.#depth > MAX_DEPTH) throw new HealthctlError('INVALID', 'invalid JSON: exceeded max depth');
    const end = opening === '{' ? this.#object(at + 1) : this.#array(at + 1);
    this.#depth -= 1;
    return end;
  }

  #object(at: number): number {
    let next = this.#skipSpace(at);
    if (this.#text[next] === '}') return next + 1;
    for (;;) {
      if (this.#text[next] !== '"') throw this.#refusal(next, 'looking for beginning of object key string');
      next = this.#skipSpace(this.#string(next + 1));
      if (this.#text[next] !== ':') throw this.#refusal(next, 'after object key');
      next = this.#skipSpace(this.value(this.#skipSpace(next + 1)));
      if (this.#text[next] === '}') return next + 1;
      if (this.#text[next] !== ',') throw this.#refusal(next, 'after object key:value pair');
      next = this.#skipSpace(next + 1);
    }
  }

  #array(at: number): number {
    let next = this.#skipSpace(at);
    if (this.#text[next] === ']') return next + 1;
    for (;;) {
      next = this.#skipSpace(this.value(next));
      if (this.#text[next] === ']') return next + 1;
      if (this.#text[next] !== ',') throw this.#refusal(next, 'after array element');
      next = this.#skipSpace(next + 1);
    }
  }

  #string(at: number): number {
    for (let next = at; ; next += 1) {
      const character = this.#text[next];
      if (character === '"') return next + 1;
      if (character === undefined || character < ' ') throw this.#refusal(next, 'in string literal');
      if (character === '\\') next = this.#escape(next + 1);
    }
  }

  /** @returns where its last character is */
  #escape(at: number): number {
    const character = this.#text[at];
    if (character === undefined || !ESCAPES.includes(character)) throw this.#refusal(at, 'in string escape code');
    if (character !== 'u') return at;
    for (let next = at + 1; next < at + 5; next += 1)
      if (!/[\da-f]/i.test(this.#text[next] ?? '')) throw this.#refusal(next, 'in \\u hexadecimal character escape');
    return at + 4;
  }

  #literal(at: number, literal: string): number {
    for (let index = 1; index < literal.length; index += 1)
      if (this.#text[at + index] !== literal[index])
        throw this.#refusal(at + index, `in literal ${literal} (expecting '${literal[index]}')`);
    return at + literal.length;
  }

  #number(at: number): number {
    let next = this.#text[at] === '-' ? at + 1 : at;
    next = this.#text[next] === '0' ? next + 1 : this.#digits(next, 'in numeric literal');
    if (this.#text[next] === '.') next = this.#digits(next + 1, 'after decimal point in numeric literal');
    if (!/e/i.test(this.#text[next] ?? '')) return next;
    const signed = /[-+]/.test(this.#text[next + 1] ?? '') ? next + 2 : next + 1;
    return this.#digits(signed, 'in exponent of numeric literal');
  }

  /** At least one. */
  #digits(at: number, context: string): number {
    let next = at;
    while (/\d/.test(this.#text[next] ?? '')) next += 1;
    if (next === at) throw this.#refusal(at, context);
    return next;
  }

  #skipSpace(at: number): number {
    let next = at;
    while (/[ \t\r\n]/.test(this.#text[next] ?? '')) next += 1;
    return next;
  }

  #refusal(at: number, context: string): HealthctlError {
    const character = this.#text[at];
    const reason = character === undefined ? 'unexpected EOF' : `invalid character ${quoted(character)} ${context}`;
    return new HealthctlError('INVALID', `invalid JSON: ${reason}`);
  }
}

/** Go's form of a character in these errors. */
function quoted(character: string): string {
  if (character === "'") return "'\\''";
  if (character === '"') return "'\"'";
  return `'${JSON.stringify(character).slice(1, -1)}'`;
}
