import { quote } from './strconv.ts';

/** A node of a parsed template. `pos` is an index into the text, for errors. */
export type Node = TextNode | ActionNode | IfNode | WithNode | RangeNode | TemplateNode | LoopNode;

interface TextNode {
  readonly type: 'text';
  readonly pos: number;
  readonly text: string;
}

interface ActionNode {
  readonly type: 'action';
  readonly pos: number;
  readonly pipe: PipeNode;
}

interface Branches {
  readonly pos: number;
  readonly pipe: PipeNode;
  readonly list: readonly Node[];
  readonly elseList?: readonly Node[];
}

export interface IfNode extends Branches {
  readonly type: 'if';
}

export interface WithNode extends Branches {
  readonly type: 'with';
}

export interface RangeNode extends Branches {
  readonly type: 'range';
}

export interface TemplateNode {
  readonly type: 'template';
  readonly pos: number;
  readonly name: string;
  readonly pipe?: PipeNode;
}

interface LoopNode {
  readonly type: 'break' | 'continue';
  readonly pos: number;
}

/** A pipeline: its declarations or assignments, then the commands, each of which passes its value to the next. */
export interface PipeNode {
  readonly type: 'pipe';
  readonly pos: number;
  readonly assigns: boolean;
  readonly variables: readonly string[];
  readonly commands: readonly CommandNode[];
}

export interface CommandNode {
  readonly type: 'command';
  readonly pos: number;
  readonly args: readonly Operand[];
}

export type Operand =
  | { readonly type: 'identifier'; readonly pos: number; readonly name: string }
  | { readonly type: 'field'; readonly pos: number; readonly names: readonly string[] }
  | { readonly type: 'variable'; readonly pos: number; readonly name: string; readonly names: readonly string[] }
  | { readonly type: 'chain'; readonly pos: number; readonly operand: Operand; readonly names: readonly string[] }
  | { readonly type: 'dot'; readonly pos: number }
  | { readonly type: 'nil'; readonly pos: number }
  | { readonly type: 'bool'; readonly pos: number; readonly value: boolean }
  | NumberNode
  | { readonly type: 'string'; readonly pos: number; readonly source: string; readonly value: string }
  | PipeNode;

export interface NumberNode {
  readonly type: 'number';
  readonly pos: number;
  readonly source: string;
  /** Its value as an int, if it has one. */
  readonly int?: bigint;
  readonly float?: number;
  /** Whether it is a float64 where any type is accepted. */
  readonly isFloat: boolean;
}

/** A node in the form of Go's error messages. */
export function describe(node: Node | Operand | CommandNode): string {
  switch (node.type) {
    case 'text':
      return node.text;
    case 'action':
      return `{{${describe(node.pipe)}}}`;
    case 'template':
      return `{{template ${quote(node.name)}${node.pipe ? ` ${describe(node.pipe)}` : ''}}}`;
    case 'break':
    case 'continue':
      return `{{${node.type}}}`;
    case 'if':
    case 'with':
    case 'range':
      return `{{${node.type} ${describe(node.pipe)}}}${describeList(node.list)}${node.elseList ? `{{else}}${describeList(node.elseList)}` : ''}{{end}}`;
    case 'pipe':
      return describePipe(node);
    case 'command':
      return node.args.map(describeArgument).join(' ');
    default:
      return describeOperand(node);
  }
}

function describeList(nodes: readonly Node[]): string {
  return nodes.map(describe).join('');
}

function describePipe(pipe: PipeNode): string {
  const declared = pipe.variables.length > 0 ? `${pipe.variables.join(', ')} ${pipe.assigns ? '=' : ':='} ` : '';
  return declared + pipe.commands.map(describe).join(' | ');
}

function describeArgument(node: Operand): string {
  return node.type === 'pipe' ? `(${describe(node)})` : describe(node);
}

function describeOperand(node: Exclude<Operand, PipeNode>): string {
  switch (node.type) {
    case 'identifier':
      return node.name;
    case 'field':
      return node.names.map((name) => `.${name}`).join('');
    case 'variable':
      return [node.name, ...node.names].join('.');
    case 'chain':
      return describeArgument(node.operand) + node.names.map((name) => `.${name}`).join('');
    case 'dot':
      return '.';
    case 'nil':
      return 'nil';
    case 'bool':
      return String(node.value);
    case 'number':
    case 'string':
      return node.source;
  }
}
