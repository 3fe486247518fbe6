import { type CommandNode, describe, type Node, type Operand, type PipeNode } from './ast.ts';
import type { Token, TokenType } from './lexer.ts';
import { numberNode } from './number.ts';
import { quote, unquote } from './strconv.ts';
import { TokenStream } from './token-stream.ts';

/** The templates that a text defines, by name; '' is the text itself. */
export type Templates = ReadonlyMap<string, readonly Node[]>;

/** Limit on nested actions and parentheses: deeper nesting in a hostile text could exhaust the stack. */
const MAX_NESTING = 200;

/** A keyword that ends a list of nodes. */
interface ListEnd {
  readonly nodes: readonly Node[];
  readonly by: 'end' | 'else';
}

/**
 * Parses a template. Errors are USAGE, in Go's words: `template: :1: unexpected "}" in operand`.
 *
 * @param isFunction whether a function of that name exists
 */
export function parse(text: string, isFunction: (name: string) => boolean): Templates {
  const parser = new Parser(text, isFunction);
  parser.parseText();
  return parser.templates;
}

/** The position in the token list, and the variables in scope. */
class Parser {
  readonly templates = new Map<string, readonly Node[]>();
  private readonly tokens: TokenStream;
  private readonly isFunction: (name: string) => boolean;
  private variables = ['$'];
  private rangeDepth = 0;
  private nesting = 0;

  constructor(text: string, isFunction: (name: string) => boolean) {
    this.tokens = new TokenStream(text);
    this.isFunction = isFunction;
  }

  parseText(): void {
    const nodes: Node[] = [];
    while (this.tokens.peek().type !== 'eof') {
      if (this.tokens.peek().type === 'leftDelim') {
        const start = this.tokens.mark();
        this.tokens.next();
        if (this.tokens.nextNonSpace().type === 'define') {
          this.parseDefinition();
          continue;
        }
        this.tokens.rewind(start);
      }
      const node = this.parseNode();
      if (node === 'end' || node === 'else') throw this.tokens.error(`unexpected {{${node}}}`);
      nodes.push(node);
    }
    this.add('', nodes);
  }

  private parseDefinition(): void {
    const context = 'define clause';
    const token = this.tokens.nextNonSpace();
    if (token.type !== 'string' && token.type !== 'rawString') throw this.tokens.unexpected(token, context);
    const name = this.unquote(token);
    this.tokens.expect('rightDelim', context);
    this.add(name, this.parseScope(context));
  }

  /** A list with its own variables, up to its end. */
  private parseScope(context: 'define clause' | 'block clause'): readonly Node[] {
    const outer = { variables: this.variables, rangeDepth: this.rangeDepth };
    this.variables = ['$'];
    this.rangeDepth = 0;
    this.tokens.actionLine = 0;
    const line = this.tokens.line();
    const list = this.parseList();
    if (list.by !== 'end') {
      // Go reports it at the start of the block.
      const message = `unexpected {{${list.by}}} in ${context}`;
      throw context === 'block clause' ? this.tokens.error(message, line) : this.tokens.error(message);
    }
    this.variables = outer.variables;
    this.rangeDepth = outer.rangeDepth;
    return list.nodes;
  }

  private add(name: string, nodes: readonly Node[]): void {
    const known = this.templates.get(name);
    if (known === undefined || isEmpty(known)) this.templates.set(name, nodes);
    else if (!isEmpty(nodes)) throw this.tokens.error(`template: multiple definition of template ${quote(name)}`);
  }

  private parseList(): ListEnd {
    const nodes: Node[] = [];
    while (this.tokens.peekNonSpace().type !== 'eof') {
      const node = this.parseNode();
      if (node === 'end' || node === 'else') return { nodes, by: node };
      nodes.push(node);
    }
    throw this.tokens.error('unexpected EOF');
  }

  private parseNode(): Node | 'end' | 'else' {
    const token = this.tokens.nextNonSpace();
    if (token.type === 'text') return { type: 'text', pos: token.pos, text: token.value };
    if (token.type !== 'leftDelim') throw this.tokens.unexpected(token, 'input');
    this.tokens.actionLine = token.line;
    const node = this.nested(() => this.parseAction());
    this.tokens.actionLine = 0;
    return node;
  }

  private parseAction(): Node | 'end' | 'else' {
    const token = this.tokens.peekNonSpace();
    switch (token.type) {
      case 'block':
        this.tokens.next();
        return this.parseBlock();
      case 'break':
      case 'continue':
        return this.parseLoopControl(this.tokens.next(), token.type);
      case 'else':
        this.tokens.next();
        // For `{{else if …}}`, the caller parses the `if`.
        if (this.tokens.peekNonSpace().type !== 'if' && this.tokens.peekNonSpace().type !== 'with')
          this.tokens.expect('rightDelim', 'else');
        return 'else';
      case 'end':
        this.tokens.next();
        this.tokens.expect('rightDelim', 'end');
        return 'end';
      case 'if':
      case 'with':
      case 'range':
        return this.parseControl(this.tokens.next(), token.type);
      case 'template':
        this.tokens.next();
        return this.parseTemplateCall();
      default:
        return { type: 'action', pos: token.pos, pipe: this.parsePipeline('command', 'rightDelim') };
    }
  }

  private parseControl(token: Token, type: 'if' | 'with' | 'range'): Node {
    const { pos } = token;
    const scope = this.variables.length;
    const pipe = this.parsePipeline(type, 'rightDelim');
    this.rangeDepth += type === 'range' ? 1 : 0;
    const { nodes: list, by } = this.parseList();
    this.rangeDepth -= type === 'range' ? 1 : 0;
    const node = { type, pos, pipe, list, ...(by === 'else' ? { elseList: this.parseElse(type) } : {}) };
    this.variables.length = scope;
    return node;
  }

  private parseElse(type: 'if' | 'with' | 'range'): readonly Node[] {
    if (type !== 'range' && this.tokens.peek().type === type) {
      const token = this.tokens.next();
      return [this.nested(() => this.parseControl(token, type))];
    }
    const { nodes, by } = this.parseList();
    if (by !== 'end') throw this.tokens.error(`expected end; found {{${by}}}`);
    return nodes;
  }

  private parseLoopControl(token: Token, type: 'break' | 'continue'): Node {
    const after = this.tokens.nextNonSpace();
    if (after.type !== 'rightDelim') throw this.tokens.unexpected(after, `{{${type}}}`);
    if (this.rangeDepth === 0) throw this.tokens.error(`{{${type}}} outside {{range}}`);
    return { type, pos: token.pos };
  }

  private parseTemplateCall(): Node {
    const context = 'template clause';
    const token = this.tokens.nextNonSpace();
    const name = this.parseTemplateName(token, context);
    if (this.tokens.peekNonSpace().type === 'rightDelim') {
      this.tokens.next();
      return { type: 'template', pos: token.pos, name };
    }
    return { type: 'template', pos: token.pos, name, pipe: this.parsePipeline(context, 'rightDelim') };
  }

  private parseBlock(): Node {
    const context = 'block clause';
    const token = this.tokens.nextNonSpace();
    const name = this.parseTemplateName(token, context);
    const pipe = this.parsePipeline(context, 'rightDelim');
    this.add(name, this.parseScope(context));
    return { type: 'template', pos: token.pos, name, pipe };
  }

  private parseTemplateName(token: Token, context: string): string {
    if (token.type !== 'string' && token.type !== 'rawString') throw this.tokens.unexpected(token, context);
    return this.unquote(token);
  }

  private parsePipeline(context: string, end: TokenType): PipeNode {
    const { pos } = this.tokens.peekNonSpace();
    const { variables, assigns } = this.parseDeclarations(context);
    const commands: CommandNode[] = [];
    for (let token = this.tokens.peekNonSpace(); token.type !== end; token = this.tokens.peekNonSpace()) {
      if (!STARTS_OPERAND.has(token.type)) throw this.tokens.unexpected(this.tokens.next(), context);
      commands.push(this.parseCommand());
    }
    this.tokens.next();
    if (commands.length === 0) throw this.tokens.error(`missing value for ${context}`);
    const constant = commands.findIndex(
      ({ args }, stage) => stage > 0 && args[0] !== undefined && CONSTANTS.has(args[0].type),
    );
    if (constant > 0) throw this.tokens.error(`non executable command in pipeline stage ${constant + 1}`);
    return { type: 'pipe', pos, assigns, variables, commands };
  }

  private parseDeclarations(context: string): { variables: string[]; assigns: boolean } {
    const variables: string[] = [];
    while (this.tokens.peekNonSpace().type === 'variable') {
      const start = this.tokens.mark();
      const { value } = this.tokens.next();
      const after = this.tokens.peekNonSpace();
      if (after.type === 'assign' || after.type === 'declare') {
        this.tokens.next();
        this.declare(variables, value);
        return { variables, assigns: after.type === 'assign' };
      }
      if (after.type !== 'char' || after.value !== ',') {
        this.tokens.rewind(start);
        break;
      }
      this.tokens.next();
      this.declare(variables, value);
      if (context !== 'range' || variables.length > 1) throw this.tokens.error(`too many declarations in ${context}`);
      if (!['variable', 'rightDelim', 'rightParen'].includes(this.tokens.peekNonSpace().type)) {
        throw this.tokens.error('range can only initialize variables');
      }
    }
    return { variables, assigns: false };
  }

  private declare(variables: string[], name: string): void {
    variables.push(name);
    this.variables.push(name);
  }

  private parseCommand(): CommandNode {
    const { pos } = this.tokens.peekNonSpace();
    const args: Operand[] = [];
    for (;;) {
      this.tokens.peekNonSpace();
      const operand = this.nested(() => this.parseOperand());
      if (operand !== undefined) args.push(operand);
      const token = this.tokens.peek();
      if (token.type === 'space') {
        this.tokens.next();
        continue;
      }
      if (token.type === 'pipe') this.tokens.next();
      else if (token.type !== 'rightDelim' && token.type !== 'rightParen')
        throw this.tokens.unexpected(this.tokens.next(), 'operand');
      break;
    }
    if (args.length === 0) throw this.tokens.error('empty command');
    return { type: 'command', pos, args };
  }

  private parseOperand(): Operand | undefined {
    const operand = this.parseTerm();
    if (operand === undefined || this.tokens.peek().type !== 'field') return operand;
    const { pos } = this.tokens.peek();
    const names: string[] = [];
    while (this.tokens.peek().type === 'field') names.push(this.tokens.next().value.slice(1));
    switch (operand.type) {
      case 'field':
      case 'variable':
        return { ...operand, pos, names: [...operand.names, ...names] };
      case 'bool':
      case 'string':
      case 'number':
      case 'nil':
      case 'dot':
        throw this.tokens.error(`unexpected . after term ${quote(describe(operand))}`);
      default:
        return { type: 'chain', pos, operand, names };
    }
  }

  private parseTerm(): Operand | undefined {
    const token = this.tokens.peekNonSpace();
    const { pos, value } = token;
    if (!STARTS_OPERAND.has(token.type)) return undefined;
    this.tokens.next();
    switch (token.type) {
      case 'identifier':
        if (!this.isFunction(value)) throw this.tokens.error(`function ${quote(value)} not defined`);
        return { type: 'identifier', pos, name: value };
      case 'variable':
        if (!this.variables.includes(value)) throw this.tokens.error(`undefined variable ${quote(value)}`);
        return { type: 'variable', pos, name: value, names: [] };
      case 'field':
        return { type: 'field', pos, names: [value.slice(1)] };
      case 'bool':
        return { type: 'bool', pos, value: value === 'true' };
      case 'leftParen':
        return this.parsePipeline('parenthesized pipeline', 'rightParen');
      case 'string':
      case 'rawString':
        return { type: 'string', pos, source: value, value: this.unquote(token) };
      case 'dot':
      case 'nil':
        return { type: token.type, pos };
      default:
        return this.parseNumber(token);
    }
  }

  private parseNumber(token: Token): Operand {
    const node = numberNode(token);
    if (typeof node === 'string') throw this.tokens.error(node);
    return node;
  }

  private unquote(token: Token): string {
    const text = unquote(token.value);
    if (text === undefined) throw this.tokens.error('invalid syntax');
    return text;
  }

  private nested<T>(parseInner: () => T): T {
    if (++this.nesting > MAX_NESTING) throw this.tokens.error(`nested more than ${MAX_NESTING} levels deep`);
    const node = parseInner();
    this.nesting--;
    return node;
  }
}

const STARTS_OPERAND: ReadonlySet<TokenType> = new Set<TokenType>([
  'bool',
  'charConstant',
  'dot',
  'field',
  'identifier',
  'number',
  'nil',
  'rawString',
  'string',
  'variable',
  'leftParen',
]);
const CONSTANTS: ReadonlySet<Operand['type']> = new Set<Operand['type']>(['bool', 'dot', 'nil', 'number', 'string']);
function isEmpty(nodes: readonly Node[]): boolean {
  return nodes.every((node) => node.type === 'text' && node.text.trim() === '');
}
