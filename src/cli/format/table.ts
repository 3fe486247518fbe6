import { toJson } from '../../go/template/json.ts';
import {
  asTemplateError,
  type GoMethod,
  type GoStruct,
  type GoValue,
  parseTemplate,
  struct,
  type Template,
} from '../../go/template/template.ts';
import { printable, printableLine } from '../../lib/printable.ts';
import { alignColumns } from './columns.ts';

/** A column, which templates access by its name. */
export interface Column<Row> {
  /** Above the column, e.g. `CONTAINER ID`. */
  readonly header: string;
  /** Evaluated only if the format uses it. */
  value(row: Row): GoValue;
}

export interface ListRequest<Row> {
  /** The value of --format: `table`, `table TEMPLATE`, `json`, or a template. Absent or empty: the default table. */
  readonly format: string | undefined;
  /** `-q`: the quiet template, whatever the format. */
  readonly quiet?: boolean;
  /** Default `{{.ID}}`. */
  readonly quietFormat?: string;
  /** e.g. `table {{.ID}}\t{{.Names}}`. */
  readonly defaultTable: string;
  readonly rows: readonly Row[];
  readonly columns: Readonly<Record<string, Column<Row>>>;
  /** For `{{.Label "name"}}`. */
  readonly label?: (row: Row, name: string) => string;
  /** The type that errors name. Default `*formatter.Context`. */
  readonly typeName?: string;
}

/**
 * Renders a list like docker/cli's formatter: a table with headers, or a line per row.
 *
 * A table is for people: characters that a terminal interprets are escaped in its cells, because an attacker may have
 * chosen a container's name, labels and command. Other templates and JSON are for programs and have unchanged values,
 * as in Docker.
 *
 * Throws USAGE: `template parsing error: template: :1:2: executing "" at <.Nope>: can't evaluate field Nope in type …`.
 */
export function renderList<Row>(asked: ListRequest<Row>): string {
  const format = chooseFormat(asked);
  const isTable = format.startsWith('table');
  const request = isTable ? withEscapedCells(asked) : asked;
  const text = interpretEscapes(format === 'json' ? '{{json .}}' : isTable ? format.slice('table'.length) : format);
  const plain = plainTemplate(text, request);
  if (plain) return isTable ? alignColumns(`${plain.header}\n${plain.lines}`) : plain.lines;
  try {
    const template = parseTemplate(text);
    const lines = request.rows.map((row) => `${template.execute(rowContext(request, row))}\n`);
    if (!isTable) return lines.join('');
    // JSON in a table leaves C1 and marks of direction as they are.
    return alignColumns(`${renderHeader(request, template)}\n${printable(lines.join(''))}`);
  } catch (error) {
    throw asTemplateError(error);
  }
}

/** The same list with cells that are safe for a terminal. */
function withEscapedCells<Row>(request: ListRequest<Row>): ListRequest<Row> {
  const escaped = (value: GoValue): GoValue => (typeof value === 'string' ? printableLine(value) : value);
  const columns = Object.entries(request.columns).map(([name, column]): readonly [string, Column<Row>] => [
    name,
    { header: column.header, value: (row) => escaped(column.value(row)) },
  ]);
  const { label } = request;
  return {
    ...request,
    columns: Object.fromEntries(columns),
    ...(label ? { label: (row: Row, name: string) => printableLine(label(row, name)) } : {}),
  };
}

/** Nothing but columns and text between them, as all default tables are. */
const PLAIN_TEMPLATE = /^(?:[^{}]|\{\{\.\w+\}\})*$/;
const PLAIN_FIELD = /\{\{\.(\w+)\}\}/g;

/**
 * Renders a template that needs no engine, at a tenth of its cost; undefined for any other, and if a column is not a
 * text.
 */
function plainTemplate<Row>(
  text: string,
  { columns, rows }: ListRequest<Row>,
): { header: string; lines: string } | undefined {
  if (!PLAIN_TEMPLATE.test(text)) return undefined;
  const names = [...text.matchAll(PLAIN_FIELD)].map(([, name = '']) => name);
  if (!names.every((name) => Object.hasOwn(columns, name))) return undefined;
  const lines: string[] = [];
  for (const row of rows) {
    const values = new Map(names.map((name) => [name, columns[name]?.value(row)]));
    if (![...values.values()].every((value) => typeof value === 'string')) return undefined;
    lines.push(`${text.replace(PLAIN_FIELD, (_, name: string) => String(values.get(name)))}\n`);
  }
  return { header: text.replace(PLAIN_FIELD, (_, name: string) => columns[name]?.header ?? ''), lines: lines.join('') };
}

function chooseFormat<Row>({ format, quiet, quietFormat = '{{.ID}}', defaultTable }: ListRequest<Row>): string {
  if (quiet) return quietFormat;
  return format === undefined || format === '' || format === 'table' ? defaultTable : format;
}

/** A shell passes `\t` on as two characters. */
function interpretEscapes(template: string): string {
  return template
    .replace(/^ +| +$/g, '')
    .replaceAll('\\t', '\t')
    .replaceAll('\\n', '\n');
}

function rowContext<Row>({ columns, label, typeName = '*formatter.Context' }: ListRequest<Row>, row: Row): GoStruct {
  const methods: Record<string, GoMethod> = {};
  for (const [name, column] of Object.entries(columns)) methods[name] = { params: 0, call: () => column.value(row) };
  if (label !== undefined) methods.Label = { params: 1, call: (name = '') => label(row, name) };
  // Docker marshals a row as a map, with HTML characters escaped.
  const marshal = () =>
    toJson(Object.fromEntries(Object.entries(columns).map(([name, column]) => [name, column.value(row)])), {
      escapeHtml: true,
    });
  return struct({}, { type: typeName, methods, marshal });
}

/** Executes the template on the names of columns. Functions that fail on a name are skipped, as in Docker. */
function renderHeader<Row>(
  { columns, label, typeName = '*formatter.Context' }: ListRequest<Row>,
  template: Template,
): string {
  const headers = Object.fromEntries(Object.entries(columns).map(([name, { header }]) => [name, header]));
  const methods = label === undefined ? {} : { Label: { params: 1, call: (name = '') => labelHeader(name) } };
  return template.executeHeader(struct(headers, { type: typeName, methods }));
}

/** The last part of a label's name: `com.example.a-b` has the header `a b`. */
function labelHeader(name: string): string {
  return (name.split('.').at(-1) ?? '').replace(/[-_]/g, ' ');
}
