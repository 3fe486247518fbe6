import { asTemplateError, type GoValue, parseTemplate } from '../../go/template/template.ts';

/**
 * Renders one document by a template, or as compact JSON for `json` (docker/cli: version and info).
 *
 * Throws USAGE with Go's words: exit 64 for a template that does not parse, 1 for one that fails on the document.
 */
export function renderSingle(document: GoValue, format: string): string {
  const template = parse(format === 'json' ? '{{json .}}' : format);
  try {
    return `${template.execute(document)}\n`;
  } catch (error) {
    throw asTemplateError(error, { exitCode: 1 });
  }
}

/** Refuses an invalid template before anything is requested. */
export function checkTemplate(format: string | undefined): void {
  if (format !== undefined && format !== '' && format !== 'json') parse(format);
}

function parse(format: string): ReturnType<typeof parseTemplate> {
  try {
    return parseTemplate(format);
  } catch (error) {
    throw asTemplateError(error, { exitCode: 64 });
  }
}
