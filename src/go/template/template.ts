import { HealthctlError, hasCode } from '../../lib/errors.ts';
import type { GoFunction } from './call.ts';
import { dockerFunctions, headerFunctions } from './docker-functions.ts';
import { type ExecOptions, execute } from './exec.ts';
import { builtins } from './functions.ts';
import { parse } from './parser.ts';
import type { GoValue } from './value.ts';

export * from './value.ts';

/** A parsed Go template with Docker's functions. */
export interface Template {
  /**
   * Executes it. Throws USAGE in Go's words, e.g. `template: :1:2: executing "" at <.Nope>: can't evaluate field Nope
   * in type *container.State`.
   */
  execute(data: GoValue, options?: ExecOptions): string;
  /** Executes it on a table's headers, which functions leave unchanged; output after an error is omitted. */
  executeHeader(headers: GoValue): string;
}

const functions: ReadonlyMap<string, GoFunction> = new Map([...builtins, ...dockerFunctions]);

/** Parses a Go template. Throws USAGE in Go's words, e.g. `template: :1: unexpected "}" in operand`. */
export function parseTemplate(text: string): Template {
  const templates = parse(text, (name) => functions.has(name));
  return {
    execute(data, options) {
      const output: string[] = [];
      execute({ text, templates, functions }, { data, output, ...options });
      return output.join('');
    },
    executeHeader(headers) {
      const output: string[] = [];
      try {
        execute({ text, templates, functions: new Map([...functions, ...headerFunctions]) }, { data: headers, output });
      } catch (error) {
        if (!isTemplateError(error)) throw error;
      }
      return output.join('');
    },
  };
}

export function isTemplateError(error: unknown): error is HealthctlError {
  return hasCode(error, 'USAGE');
}

/** A template error in Docker's form: `template parsing error: template: …`. Other errors stay unchanged. */
export function asTemplateError(error: unknown, options: { readonly exitCode?: number } = {}): unknown {
  if (!isTemplateError(error)) return error;
  return new HealthctlError('USAGE', `template parsing error: ${error.message}`, { cause: error, ...options });
}
