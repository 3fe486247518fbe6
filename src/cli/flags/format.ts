import type { OptionSpec } from '../command.ts';
import { FORMAT, LIST_FORMAT } from './values.ts';

/** Of commands that print a document. */
export const formatOption: OptionSpec = {
  name: 'format',
  short: 'f',
  type: 'string',
  help: "Format output using a custom template: 'json', or a Go template",
  complete: FORMAT,
};

/** Of commands that print a list. */
export const listFormatOption: OptionSpec = {
  name: 'format',
  type: 'string',
  help: "Format output: 'table', 'table TEMPLATE', 'json', or a Go template",
  complete: LIST_FORMAT,
};

export const noTruncOption: OptionSpec = { name: 'no-trunc', type: 'bool', help: "Don't truncate output" };
