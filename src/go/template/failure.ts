import { HealthctlError } from '../../lib/errors.ts';
import { type CommandNode, describe, type Node, type Operand } from './ast.ts';
import { quote } from './strconv.ts';

/** A template that parses and whose run fails. Code USAGE, as for one that does not parse. */
export class TemplateRunError extends HealthctlError {
  constructor(message: string) {
    super('USAGE', message);
  }
}

/** An error during a template's execution, before its position is known. It never leaves the engine. */
export class ExecFailure extends Error {
  /** @param node shown at the end of the message */
  constructor(message: string, node?: Operand) {
    super(node === undefined ? message : `${message} ${describe(node)}`);
  }

  /** The error in Go's words. Columns are counted in bytes, from 0. */
  locate(text: string, name: string, node: Node | Operand | CommandNode | undefined): HealthctlError {
    const pos = node?.pos ?? 0;
    const lineStart = text.lastIndexOf('\n', pos - 1) + 1;
    const line = text.slice(0, lineStart).split('\n').length;
    const column = Buffer.byteLength(text.slice(pos === 0 ? 0 : lineStart, pos));
    const location = node === undefined ? '' : ` at <${describe(node)}>`;
    return new TemplateRunError(`template: :${line}:${column}: executing ${quote(name)}${location}: ${this.message}`);
  }
}
