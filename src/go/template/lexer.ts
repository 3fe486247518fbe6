import { quote } from './strconv.ts';
import { isPrintable, wordLengthAt } from './unicode.ts';

/** The kinds of tokens. Keywords have their own spelling as kind. */
export type TokenType =
  | 'error'
  | 'bool'
  | 'char'
  | 'charConstant'
  | 'assign'
  | 'declare'
  | 'eof'
  | 'field'
  | 'identifier'
  | 'leftDelim'
  | 'leftParen'
  | 'number'
  | 'pipe'
  | 'rawString'
  | 'rightDelim'
  | 'rightParen'
  | 'space'
  | 'string'
  | 'text'
  | 'variable'
  | Keyword;

type Keyword =
  | 'block'
  | 'break'
  | 'continue'
  | 'dot'
  | 'define'
  | 'else'
  | 'end'
  | 'if'
  | 'nil'
  | 'range'
  | 'template'
  | 'with';

export interface Token {
  readonly type: TokenType;
  /** Index of its first character in the text. */
  readonly pos: number;
  /** The text of the token, or the message of an error. */
  readonly value: string;
  /** Counted from 1. */
  readonly line: number;
}

const KEYWORDS: ReadonlyMap<string, Keyword> = new Map(
  (['block', 'break', 'continue', 'define', 'else', 'end', 'if', 'nil', 'range', 'template', 'with'] as const).map(
    (word) => [word, word],
  ),
);
const SPACES = /[ \t\r\n]*/y;
const TRIMMED_END = /[ \t\r\n]-\}\}/y;
const NUMBER =
  /[+-]?(?:0[xX][\da-fA-F_]*(?:\.[\da-fA-F_]*)?(?:[pP][+-]?[\d_]*)?|0[oO][0-7_]*(?:\.[0-7_]*)?|0[bB][01_]*(?:\.[01_]*)?|[\d_]*(?:\.[\d_]*)?(?:[eE][+-]?[\d_]*)?)i?/y;
const SINGLES: ReadonlyMap<string, TokenType> = new Map([
  ['=', 'assign'],
  ['|', 'pipe'],
]);

/** Splits a template into tokens; the last one is `eof` or `error`, with the texts of Go's text/template/parse. */
export function lex(text: string): Token[] {
  const lexer = new Lexer(text);
  lexer.run();
  return lexer.tokens;
}

/** The text and a position in it, shared by all rules. */
class Lexer {
  readonly tokens: Token[] = [];
  private readonly text: string;
  private start = 0;
  private pos = 0;
  private line = 1;
  private parenDepth = 0;

  constructor(text: string) {
    this.text = text;
  }

  run(): void {
    while (this.lexText()) if (!this.lexAction()) return;
  }

  /** Reads up to the next action. False at the end. */
  private lexText(): boolean {
    const open = this.text.indexOf('{{', this.pos);
    const trims = open >= 0 && /^-[ \t\r\n]/.test(this.text.slice(open + 2, open + 4));
    const plain = this.text.slice(this.pos, open < 0 ? undefined : open);
    this.pos += trims ? plain.replace(/[ \t\r\n]+$/, '').length : plain.length;
    if (this.pos > this.start) this.emit('text');
    if (open < 0) {
      this.emit('eof');
      return false;
    }
    this.pos = open;
    this.skip();
    const inner = open + (trims ? 4 : 2);
    if (this.text.startsWith('/*', inner)) return this.lexComment(inner) && this.lexText();
    this.pos = open + 2;
    this.emit('leftDelim');
    if (trims) this.pos += 2;
    this.skip();
    this.parenDepth = 0;
    return true;
  }

  private lexComment(start: number): boolean {
    // The space of a trim marker may be a line break: an error belongs to the line of the comment.
    this.pos = start;
    this.skip();
    const end = this.text.indexOf('*/', start + 2);
    if (end < 0) return this.fail('unclosed comment');
    this.pos = end + 2;
    const close = this.rightDelimLength();
    if (close === 0) return this.fail('comment ends before closing delimiter');
    this.pos += close;
    if (close > 2) this.skipSpace();
    this.skip();
    return true;
  }

  /** Reads up to and including the closing delimiter. False after an error. */
  private lexAction(): boolean {
    for (;;) {
      const close = this.rightDelimLength();
      if (close > 0) {
        if (this.parenDepth > 0) return this.fail('unclosed left paren');
        return this.lexRightDelim(close);
      }
      if (!this.lexInside()) return false;
    }
  }

  private lexRightDelim(length: number): boolean {
    this.pos += length - 2;
    this.skip();
    this.pos += 2;
    this.emit('rightDelim');
    if (length > 2) this.skipSpace();
    this.skip();
    return true;
  }

  private lexInside(): boolean {
    const character = this.text[this.pos];
    if (character === undefined) return this.fail('unclosed action');
    if (/[ \t\r\n]/.test(character)) return this.lexSpace();
    const single = SINGLES.get(character);
    if (single !== undefined) return this.take(1, single);
    if (character === ':') return this.text[this.pos + 1] === '=' ? this.take(2, 'declare') : this.fail('expected :=');
    if (character === '"') return this.lexQuoted('"', 'string', 'unterminated quoted string');
    if (character === "'") return this.lexQuoted("'", 'charConstant', 'unterminated character constant');
    if (character === '`') return this.lexRaw();
    if (character === '$') return this.lexNamed('variable', 'variable');
    if (character === '.' && !/\d/.test(this.text[this.pos + 1] ?? '0')) return this.lexNamed('field', 'dot');
    if (/[.+\-\d]/.test(character)) return this.lexNumber();
    if (wordLengthAt(this.text, this.pos) > 0) return this.lexWord();
    return this.lexSymbol(character);
  }

  private lexSymbol(character: string): boolean {
    if (character === '(') this.parenDepth++;
    if (character === ')' && --this.parenDepth < 0) return this.fail('unexpected right paren');
    if (character === '(') return this.take(1, 'leftParen');
    if (character === ')') return this.take(1, 'rightParen');
    if (/[!-~]/.test(character)) return this.take(1, 'char');
    return this.fail(`unrecognized character in action: ${this.nameCharacter(this.pos)}`);
  }

  private lexSpace(): boolean {
    SPACES.lastIndex = this.pos;
    const end = this.pos + (SPACES.exec(this.text)?.[0].length ?? 0);
    // The last space belongs to a following trim marker.
    const trims = this.text.startsWith('-}}', end);
    this.pos = trims ? end - 1 : end;
    if (this.pos > this.start) this.emit('space');
    return true;
  }

  private lexQuoted(mark: string, type: TokenType, message: string): boolean {
    let end = this.pos + 1;
    for (; this.text[end] !== mark; end++) {
      if (this.text[end] === '\\') end++;
      const character = this.text[end];
      if (character === undefined || character === '\n') return this.fail(message);
    }
    return this.take(end + 1 - this.pos, type);
  }

  private lexRaw(): boolean {
    const end = this.text.indexOf('`', this.pos + 1);
    return end < 0 ? this.fail('unterminated raw quoted string') : this.take(end + 1 - this.pos, 'rawString');
  }

  /** A `.field`, a `$variable`, or the mark alone. */
  private lexNamed(type: TokenType, alone: TokenType): boolean {
    const length = wordLengthAt(this.text, this.pos + 1);
    const end = this.pos + 1 + length;
    if (!this.isTerminator(end)) return this.fail(`bad character ${this.nameCharacter(end)}`);
    return this.take(1 + length, length === 0 ? alone : type);
  }

  private lexWord(): boolean {
    const length = wordLengthAt(this.text, this.pos);
    const word = this.text.slice(this.pos, this.pos + length);
    if (!this.isTerminator(this.pos + length))
      return this.fail(`bad character ${this.nameCharacter(this.pos + length)}`);
    const plain: TokenType = word === 'true' || word === 'false' ? 'bool' : 'identifier';
    return this.take(length, KEYWORDS.get(word) ?? plain);
  }

  private lexNumber(): boolean {
    let length = this.numberLength(this.pos);
    // A second number with its own sign is the imaginary part of a complex number, which is not supported.
    const isComplex = /[+-]/.test(this.text[this.pos + length] ?? '');
    if (isComplex) length += this.numberLength(this.pos + length);
    const after = this.characterLength(this.pos + length);
    if (isComplex || after > 0) {
      return this.fail(`bad number syntax: ${quote(this.text.slice(this.pos, this.pos + length + after))}`);
    }
    return this.take(length, 'number');
  }

  /** The length of the letter, digit or underscore there; 0 if there is none. */
  private characterLength(index: number): number {
    return wordLengthAt(this.text, index) === 0 ? 0 : String.fromCodePoint(this.text.codePointAt(index) ?? 0).length;
  }

  private numberLength(index: number): number {
    NUMBER.lastIndex = index;
    return NUMBER.exec(this.text)?.[0].length ?? 0;
  }

  /** 2 at `}}`, 4 at ` -}}`, else 0. */
  private rightDelimLength(): number {
    if (this.text.startsWith('}}', this.pos)) return 2;
    TRIMMED_END.lastIndex = this.pos;
    return TRIMMED_END.test(this.text) ? 4 : 0;
  }

  private isTerminator(index: number): boolean {
    const character = this.text[index];
    return character === undefined || /[ \t\r\n.,|:()]/.test(character) || this.text.startsWith('}}', index);
  }

  private nameCharacter(index: number): string {
    const code = this.text.codePointAt(index) ?? 0;
    const name = `U+${code.toString(16).toUpperCase().padStart(4, '0')}`;
    const character = String.fromCodePoint(code);
    return isPrintable(character) ? `${name} '${character}'` : name;
  }

  private skipSpace(): void {
    SPACES.lastIndex = this.pos;
    this.pos += SPACES.exec(this.text)?.[0].length ?? 0;
  }

  private take(length: number, type: TokenType): true {
    this.pos += length;
    this.emit(type);
    return true;
  }

  private emit(type: TokenType): void {
    this.tokens.push({ type, pos: this.start, value: this.text.slice(this.start, this.pos), line: this.line });
    this.skip();
  }

  private skip(): void {
    for (let i = this.start; i < this.pos; i++) if (this.text[i] === '\n') this.line++;
    this.start = this.pos;
  }

  private fail(message: string): false {
    this.tokens.push({ type: 'error', pos: this.start, value: message, line: this.line });
    return false;
  }
}
