import { describe, expect, test } from 'vitest';
import { type ListRequest, renderList } from './table.ts';

interface Row {
  readonly id: string;
  readonly name: string;
  readonly status: string;
}

const rows: readonly Row[] = [
  { id: '0123456789ab', name: 'web', status: 'Up 5 seconds (healthy)' },
  { id: 'fedcba987654', name: '日本', status: '' },
];

function render(format: string | undefined, more: Partial<ListRequest<Row>> = {}): string {
  return renderList<Row>({
    format,
    rows,
    columns: {
      ID: { header: 'CONTAINER ID', value: ({ id }) => id },
      Status: { header: 'STATUS', value: ({ status }) => status },
      Names: { header: 'NAMES', value: ({ name }) => name },
    },
    label: (row, name) => (name === 'a.b-c_d' ? `<${row.name}>` : ''),
    defaultTable: 'table {{.ID}}\\t{{.Status}}\\t{{.Names}}',
    typeName: '*formatter.ContainerContext',
    ...more,
  });
}

const defaultTable = [
  'CONTAINER ID   STATUS                   NAMES',
  '0123456789ab   Up 5 seconds (healthy)   web',
  'fedcba987654                            日本',
  '',
].join('\n');

const HOSTILE = 'a\x1b]0;x\x07\x9b2J\u202eb\tc\nd';
const ESCAPED = 'a\\x1b]0;x\\x07\\x9b2J\\u202eb\\x09c\\x0ad';

describe('text from a container', () => {
  const hostile = { rows: [{ id: '1', name: HOSTILE, status: HOSTILE }], label: () => HOSTILE };

  test.each([
    undefined,
    'table {{.Status}}',
    'table {{.Label "x"}}',
    'table {{truncate .Names 99}}',
    'table {{json .Names}}',
  ])('is escaped in the table %j', (format) => {
    const table = render(format, hostile);
    expect(table).not.toMatch(/(?!\n)\p{Cc}|\u202e/u);
    expect(table.split('\n')).toHaveLength(3);
    if (!format?.includes('json')) expect(table).toContain(ESCAPED);
  });

  test('is unchanged in templates and in JSON, which programs read', () => {
    expect(render('{{.Names}}', hostile)).toBe(`${HOSTILE}\n`);
    expect(render('{{.Names}} {{.Label "x"}}', hostile)).toBe(`${HOSTILE} ${HOSTILE}\n`);
    expect(JSON.parse(render('json', hostile))).toMatchObject({ Names: HOSTILE });
  });
});

describe('renderList', () => {
  test.each([undefined, '', 'table'])('%j gives the default table', (format) => {
    expect(render(format)).toBe(defaultTable);
  });

  test("an explicit table: wide characters count twice, functions do not change headers, a label's header is its last part", () => {
    expect(render('table {{.ID}}\\t{{.Names}}\\t{{.Label "a.b-c_d"}}\\t{{upper .Names}}\\t{{json .Names}}')).toBe(
      [
        'CONTAINER ID   NAMES     b c d     NAMES     NAMES',
        '0123456789ab   web       <web>     WEB       "web"',
        'fedcba987654   日本      <日本>    日本      "日本"',
        '',
      ].join('\n'),
    );
  });

  test('columns have at least ten characters; the last one has no padding', () => {
    expect(render('table {{.Names}}\\t{{.Names}}', { rows: rows.slice(0, 1) })).toBe(
      'NAMES     NAMES\nweb       web\n',
    );
  });

  test('the template may follow the word table without a space', () => {
    expect(render('tablex{{.Names}}')).toBe('xNAMES\nxweb\nx日本\n');
  });

  test('without rows, a table has its header and other formats print nothing', () => {
    expect(render(undefined, { rows: [] })).toBe('CONTAINER ID   STATUS    NAMES\n');
    expect(render('{{.ID}}', { rows: [] })).toBe('');
    expect(render('json', { rows: [] })).toBe('');
  });

  test('a template gives a line per row; escape sequences are interpreted, spaces around it removed', () => {
    expect(render('  {{.ID}}\\t{{.Names}}\\nx ')).toBe('0123456789ab\tweb\nx\nfedcba987654\t日本\nx\n');
  });

  test('json gives an object per line, with sorted keys and HTML escaped as in Docker', () => {
    const row = { id: '1', name: '<a> & b', status: 'ok' };
    expect(render('json', { rows: [row] })).toBe('{"ID":"1","Names":"\\u003ca\\u003e \\u0026 b","Status":"ok"}\n');
    expect(render('{{json .}}{{json .Names}}', { rows: [row] })).toBe(
      '{"ID":"1","Names":"\\u003ca\\u003e \\u0026 b","Status":"ok"}"<a> & b"\n',
    );
  });

  test('--quiet overrides the format', () => {
    expect(render('{{.Names}}', { quiet: true })).toBe('0123456789ab\nfedcba987654\n');
    expect(render(undefined, { quiet: true, quietFormat: '{{.Names}}' })).toBe('web\n日本\n');
  });

  test('computes only values that are shown', () => {
    const columns = {
      ID: { header: 'ID', value: ({ id }: Row) => id },
      Dear: {
        header: 'DEAR',
        value: () => {
          throw new Error('was computed');
        },
      },
    };
    expect(render('{{.ID}}', { columns })).toBe('0123456789ab\nfedcba987654\n');
    expect(() => render('{{.Dear}}', { columns })).toThrow('was computed');
  });

  test.each([
    [
      '{{.ID}}\\t{{.Nope}}',
      'template: :1:10: executing "" at <.Nope>: can\'t evaluate field Nope in type *formatter.ContainerContext',
    ],
    ['{{.Label}}', 'template: :1:2: executing "" at <.Label>: wrong number of args for Label: want 1 got 0'],
    ['{{', 'template: :1: unclosed action'],
    ['table {{"\\n"}}', 'template: :1: unterminated quoted string'],
  ])('%j gives an error', (format, message) => {
    expect(() => render(format)).toThrow(
      expect.objectContaining({ code: 'USAGE', message: `template parsing error: ${message}` }),
    );
  });
});
