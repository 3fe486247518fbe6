import { HealthctlError } from '../../lib/errors.ts';
import type { CommandNode, IfNode, Node, Operand, PipeNode, RangeNode, TemplateNode, WithNode } from './ast.ts';
import { callArguments, type GoFunction } from './call.ts';
import { ExecFailure } from './failure.ts';
import { fieldOf } from './field.ts';
import type { Templates } from './parser.ts';
import { format } from './printf.ts';
import { quote } from './strconv.ts';
import {
  GoFloat,
  type GoValue,
  intOf,
  isPlain,
  isTrue,
  kindOf,
  mapOf,
  propertyOf,
  sliceOf,
  sortedKeys,
} from './value.ts';

export interface ExecOptions {
  /** Whether a missing key of a map is an error; by default it is `<no value>`. */
  readonly missingKeyIsError?: boolean;
}

export interface Program {
  readonly text: string;
  readonly templates: Templates;
  readonly functions: ReadonlyMap<string, GoFunction>;
}

/** Limit on nested template calls. Go allows 100000, or 1000 where its stack is smaller. */
const MAX_DEPTH = 1000;

type Signal = 'break' | 'continue' | undefined;

/**
 * Runs a template, appending to `output`. Errors are USAGE, in Go's words: `template: :1:2: executing "" at <.a.b>: …`.
 */
export function execute(
  program: Program,
  { data, output, ...options }: ExecOptions & { data: GoValue; output: string[] },
): void {
  const run = new Run({ program, options, name: '', output, depth: 0 }, data);
  run.guard(() => run.walkList(data, program.templates.get('') ?? []));
}

interface RunContext {
  readonly program: Program;
  readonly options: ExecOptions;
  /** The template being run. */
  readonly name: string;
  readonly output: string[];
  readonly depth: number;
}

interface Variable {
  readonly name: string;
  value: GoValue;
}

interface Call {
  /** The node for errors of the called function. */
  readonly node: Operand | CommandNode;
  readonly args: readonly Operand[];
  /** The value of the preceding command in a pipeline: the last argument. */
  readonly final: readonly GoValue[];
}

interface Chain {
  readonly node: Operand;
  readonly receiver: GoValue;
  readonly names: readonly string[];
}

const NO_ARGUMENTS = { args: [], final: [] };

/** One execution of a template: its variables, and the node for error messages. */
class Run {
  private readonly context: RunContext;
  private readonly variables: Variable[];
  private node: Node | Operand | CommandNode | undefined;

  constructor(context: RunContext, data: GoValue) {
    this.context = context;
    this.variables = [{ name: '$', value: data }];
  }

  /** Adds the position in the template to an error thrown by `work`. */
  guard(work: () => void): void {
    try {
      work();
    } catch (error) {
      if (error instanceof ExecFailure) throw error.locate(this.context.program.text, this.context.name, this.node);
      if (error instanceof RangeError)
        throw new HealthctlError('USAGE', 'template: the data is too deep or too large', { cause: error });
      throw error;
    }
  }

  walkList(dot: GoValue, nodes: readonly Node[]): Signal {
    for (const node of nodes) {
      const signal = this.walk(dot, node);
      if (signal !== undefined) return signal;
    }
    return undefined;
  }

  private walk(dot: GoValue, node: Node): Signal {
    this.node = node;
    switch (node.type) {
      case 'text':
        this.context.output.push(node.text);
        return undefined;
      case 'action': {
        const value = this.evalPipeline(dot, node.pipe);
        this.node = node;
        if (node.pipe.variables.length === 0) this.context.output.push(format(value));
        return undefined;
      }
      case 'if':
      case 'with':
        return this.walkBranches(dot, node);
      case 'range':
        return this.walkRange(dot, node);
      case 'template':
        this.walkTemplate(dot, node);
        return undefined;
      case 'break':
      case 'continue':
        return node.type;
    }
  }

  private walkBranches(dot: GoValue, node: IfNode | WithNode): Signal {
    const mark = this.variables.length;
    const value = this.evalPipeline(dot, node.pipe);
    const inner = node.type === 'with' ? value : dot;
    const signal = isTrue(value) ? this.walkList(inner, node.list) : this.walkList(dot, node.elseList ?? []);
    this.variables.length = mark;
    return signal;
  }

  private walkRange(dot: GoValue, node: RangeNode): Signal {
    const outer = this.variables.length;
    const value = this.evalPipeline(dot, node.pipe);
    const mark = this.variables.length;
    let entered = false;
    let signal: Signal;
    for (const [index, element] of this.iterate(value, node)) {
      entered = true;
      this.bindRange(node.pipe, index, element);
      const inner = this.walkList(element, node.list);
      this.variables.length = mark;
      if (inner === 'break') break;
    }
    if (!entered) signal = this.walkList(dot, node.elseList ?? []);
    this.variables.length = outer;
    return signal;
  }

  private *iterate(value: GoValue, node: RangeNode): Generator<readonly [GoValue, GoValue]> {
    switch (kindOf(value)) {
      case 'nil':
        return;
      case 'slice':
        yield* sliceOf(value).entries();
        return;
      case 'map': {
        const map = mapOf(value);
        for (const key of sortedKeys(map)) yield [key, propertyOf(map, key)];
        return;
      }
      case 'int': {
        if (node.pipe.variables.length > 1)
          throw new ExecFailure(`can't use ${format(value)} to iterate over more than one variable`);
        const end = intOf(value);
        for (let i = 0n; i < end; i++) yield [undefined, i];
        return;
      }
      default:
        throw new ExecFailure(`range can't iterate over ${format(value)}`);
    }
  }

  /** One variable is the element; of two, the first is the index. */
  private bindRange(pipe: PipeNode, index: GoValue, element: GoValue): void {
    const values = pipe.variables.length > 1 ? [index, element] : [element];
    for (const [i, name] of pipe.variables.entries()) {
      if (pipe.assigns) this.setVariable(name, values[i]);
      else this.setTop(pipe.variables.length - i, values[i]);
    }
  }

  private walkTemplate(dot: GoValue, node: TemplateNode): void {
    const { program, depth } = this.context;
    const nodes = program.templates.get(node.name);
    if (nodes === undefined) throw new ExecFailure(`template ${quote(node.name)} not defined`);
    if (depth === MAX_DEPTH) throw new ExecFailure(`exceeded maximum template depth (${MAX_DEPTH})`);
    const data = node.pipe === undefined ? undefined : this.evalPipeline(dot, node.pipe);
    const run = new Run({ ...this.context, name: node.name, depth: depth + 1 }, data);
    run.guard(() => run.walkList(data, nodes));
  }

  private evalPipeline(dot: GoValue, pipe: PipeNode): GoValue {
    this.node = pipe;
    let value: GoValue;
    for (const [stage, command] of pipe.commands.entries()) {
      const final = stage === 0 ? [] : [value];
      // A nil interface returned by a command is no value at all.
      value = this.evalCommand(dot, command, final) ?? undefined;
    }
    for (const name of pipe.variables) {
      if (pipe.assigns) this.setVariable(name, value);
      else this.variables.push({ name, value });
    }
    return value;
  }

  private evalCommand(dot: GoValue, command: CommandNode, final: readonly GoValue[]): GoValue {
    const [first, ...rest] = command.args;
    if (first === undefined) return undefined;
    if (first.type !== 'pipe') this.node = first;
    switch (first.type) {
      case 'field':
      case 'chain':
      case 'identifier':
      case 'variable':
        return this.evalReference(dot, first, { node: command, args: rest, final });
      case 'nil':
        this.refuseArguments(first, rest, final);
        throw new ExecFailure('nil is not a command');
      default:
        this.refuseArguments(first, rest, final);
        return first.type === 'pipe' ? this.evalPipeline(dot, first) : this.evalConstant(dot, first);
    }
  }

  /** An operand that may be a function, and so may have arguments. */
  private evalReference(
    dot: GoValue,
    node: Extract<Operand, { type: 'field' | 'chain' | 'identifier' | 'variable' }>,
    call: Call,
  ): GoValue {
    this.node = node;
    switch (node.type) {
      case 'identifier':
        return this.evalFunction(dot, node, call);
      case 'field':
        return this.evalChain(dot, { node, receiver: dot, names: node.names }, call);
      case 'variable': {
        const receiver = this.findVariable(node.name).value;
        if (node.names.length === 0) this.refuseArguments(node, call.args, call.final);
        return this.evalChain(dot, { node, receiver, names: node.names }, call);
      }
      case 'chain': {
        if (node.operand.type === 'nil') throw new ExecFailure('indirection through explicit nil in', node);
        const receiver = this.evalArgument(dot, node.operand);
        return this.evalChain(dot, { node, receiver, names: node.names }, call);
      }
    }
  }

  private evalChain(dot: GoValue, { node, receiver, names }: Chain, call: Call): GoValue {
    const missingKeyIsError = this.context.options.missingKeyIsError === true;
    let value = receiver;
    let inInterface = false;
    for (const [i, name] of names.entries()) {
      const { args, final } = i === names.length - 1 ? call : NO_ARGUMENTS;
      const found = fieldOf(value, name, {
        hasArguments: args.length + final.length > 0,
        missingKeyIsError,
        inInterface,
      });
      inInterface = isPlain(value);
      value = typeof found === 'function' ? this.call(dot, name, found(), { node, args, final }) : found.value;
    }
    return value;
  }

  private evalFunction(dot: GoValue, node: Extract<Operand, { type: 'identifier' }>, call: Call): GoValue {
    const fn = this.context.program.functions.get(node.name);
    if (fn === undefined) throw new ExecFailure(`${quote(node.name)} is not a defined function`);
    if (fn.stopsAt !== undefined) return this.evalShortCircuit(dot, fn.stopsAt, { name: node.name, ...call });
    return this.call(dot, node.name, fn, call);
  }

  private call(dot: GoValue, name: string, fn: GoFunction, { node, args, final }: Call): GoValue {
    const values = callArguments(name, fn, {
      operands: args,
      final,
      evaluate: (operand) => this.evalArgument(dot, operand),
      at: (operand) => {
        this.node = operand;
      },
    });
    try {
      return fn.call(values);
    } catch (error) {
      this.node = node;
      const detail = error instanceof ExecFailure || error instanceof RangeError ? error.message : undefined;
      if (detail === undefined) throw error;
      throw new ExecFailure(`error calling ${name}: ${detail}`);
    }
  }

  /** `and` and `or` stop at the first argument that decides. */
  private evalShortCircuit(
    dot: GoValue,
    stopsAt: boolean,
    { name, args, final }: Call & { readonly name: string },
  ): GoValue {
    if (args.length + final.length === 0)
      throw new ExecFailure(`wrong number of args for ${name}: want at least 1 got 0`);
    let value: GoValue;
    for (const operand of args) {
      value = this.evalArgument(dot, operand) ?? undefined;
      if (isTrue(value) === stopsAt) return value;
    }
    return final.length > 0 ? final[0] : value;
  }

  private evalArgument(dot: GoValue, node: Operand): GoValue {
    this.node = node;
    switch (node.type) {
      case 'field':
      case 'chain':
      case 'identifier':
      case 'variable':
        return this.evalReference(dot, node, { node, args: [], final: [] });
      case 'pipe':
        return this.evalPipeline(dot, node);
      default:
        return this.evalConstant(dot, node);
    }
  }

  private evalConstant(
    dot: GoValue,
    node: Extract<Operand, { type: 'dot' | 'nil' | 'bool' | 'number' | 'string' }>,
  ): GoValue {
    switch (node.type) {
      case 'dot':
        return dot;
      case 'nil':
        return undefined;
      case 'bool':
      case 'string':
        return node.value;
      case 'number':
        if (node.isFloat) return new GoFloat(node.float ?? 0);
        if (node.int === undefined) throw new ExecFailure(`${node.source} overflows int`);
        return node.int;
    }
  }

  private refuseArguments(node: Operand, args: readonly Operand[], final: readonly GoValue[]): void {
    if (args.length + final.length > 0) throw new ExecFailure("can't give argument to non-function", node);
  }

  private setVariable(name: string, value: GoValue): void {
    this.findVariable(name).value = value;
  }

  private findVariable(name: string): Variable {
    const variable = this.variables.findLast((known) => known.name === name);
    if (variable === undefined) throw new ExecFailure(`undefined variable: ${name}`);
    return variable;
  }

  private setTop(fromTop: number, value: GoValue): void {
    const variable = this.variables[this.variables.length - fromTop];
    if (variable !== undefined) variable.value = value;
  }
}
