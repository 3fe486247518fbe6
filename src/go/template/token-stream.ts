import { HealthctlError } from '../../lib/errors.ts';
import { lex, type Token, type TokenType } from './lexer.ts';
import { quote } from './strconv.ts';

/** The tokens of a template, and the parser's position in them. */
export class TokenStream {
  /** The line where the present action began, 0 outside of actions. */
  actionLine = 0;
  private readonly tokens: readonly Token[];
  private index = 0;
  private furthest = 0;

  constructor(text: string) {
    this.tokens = lex(text);
  }

  /** A position for `rewind`. */
  mark(): number {
    return this.index;
  }

  rewind(mark: number): void {
    this.index = mark;
  }

  peek(): Token {
    this.furthest = Math.max(this.furthest, this.index);
    // The last token is eof or error, and is returned repeatedly.
    return this.tokens[Math.min(this.index, this.tokens.length - 1)] ?? END;
  }

  next(): Token {
    const token = this.peek();
    this.index++;
    return token;
  }

  peekNonSpace(): Token {
    while (this.peek().type === 'space') this.index++;
    return this.peek();
  }

  nextNonSpace(): Token {
    const token = this.peekNonSpace();
    this.index++;
    return token;
  }

  expect(type: TokenType, context: string): void {
    const token = this.nextNonSpace();
    if (token.type !== type) throw this.unexpected(token, context);
  }

  unexpected(token: Token, context: string): HealthctlError {
    if (token.type !== 'error') return this.error(`unexpected ${describeToken(token)} in ${context}`);
    if (this.actionLine === 0 || this.actionLine === token.line) return this.error(token.value);
    // Avoids "unclosed action in action".
    const location = `started at :${this.actionLine}`;
    return this.error(
      token.value.endsWith(' action') ? `${token.value} ${location}` : `${token.value} in action ${location}`,
    );
  }

  /** @param line of the error; default: that of the furthest token read */
  error(message: string, line = this.line()): HealthctlError {
    return new HealthctlError('USAGE', `template: :${line}: ${message}`);
  }

  /** The line of the furthest token read. */
  line(): number {
    return this.tokens[Math.min(this.furthest, this.tokens.length - 1)]?.line ?? 1;
  }
}

const END: Token = { type: 'eof', pos: 0, value: '', line: 1 };
const KEYWORDS: ReadonlySet<TokenType> = new Set<TokenType>([
  'block',
  'break',
  'continue',
  'dot',
  'define',
  'else',
  'end',
  'if',
  'nil',
  'range',
  'template',
  'with',
]);

function describeToken(token: Token): string {
  if (token.type === 'eof') return 'EOF';
  if (KEYWORDS.has(token.type)) return `<${token.value}>`;
  if (Buffer.byteLength(token.value) <= 10) return quote(token.value);
  return `${quote([...token.value].slice(0, 10).join(''))}...`;
}
