import { toJson, toPlain } from '../../go/template/json.ts';
import {
  asTemplateError,
  type GoValue,
  isTemplateError,
  parseTemplate,
  type Template,
} from '../../go/template/template.ts';
import type { HealthctlError } from '../../lib/errors.ts';

export interface InspectOutput {
  readonly stdout: string;
  /** One for each document that the template failed on. */
  readonly errors: readonly HealthctlError[];
}

/**
 * Renders documents as docker/cli's inspect does.
 *
 * @param format undefined or empty: an indented JSON array; `json`: a compact one; else a template, a line for each
 *   document
 * @returns the output with the errors of single documents (exit 1); throws USAGE with exit code 64 when the template
 *   does not parse
 */
export function renderInspect(documents: readonly GoValue[], format: string | undefined): InspectOutput {
  if (format === undefined || format === '') return { stdout: `${toJson(documents, { indent: 4 })}\n`, errors: [] };
  if (format === 'json') return { stdout: `${toJson(documents)}\n`, errors: [] };
  const template = parseInspectTemplate(format);
  const errors: HealthctlError[] = [];
  let stdout = '';
  for (const document of documents) {
    try {
      stdout += `${executeEitherWay(template, document)}\n`;
    } catch (error) {
      const shown = asTemplateError(error);
      if (!isTemplateError(shown)) throw shown;
      errors.push(shown);
    }
  }
  return { stdout: stdout === '' ? '\n' : stdout, errors };
}

function parseInspectTemplate(format: string): Template {
  try {
    return parseTemplate(format);
  } catch (error) {
    throw asTemplateError(error, { exitCode: 64 });
  }
}

/** First on the structs, then on their JSON, where `.Id` is there and a missing key is an error. */
function executeEitherWay(template: Template, document: GoValue): string {
  try {
    return template.execute(document);
  } catch (error) {
    if (!isTemplateError(error)) throw error;
    return template.execute(toPlain(document), { missingKeyIsError: true });
  }
}
