import { describe, expect, test } from 'vitest';
import { duration, nilSlice, stringMap, struct } from '../../go/template/template.ts';
import { renderInspect } from './inspect.ts';

const document = struct(
  {
    ID: '01',
    Name: '/web',
    Config: struct(
      {
        Cmd: nilSlice(),
        Labels: stringMap({ b: '<2>', a: '1' }),
        Healthcheck: struct(
          { Interval: duration(1_000_000_000n), Timeout: duration(0n) },
          { type: '*container.HealthConfig', omitEmpty: ['Timeout'] },
        ),
      },
      { type: '*container.Config' },
    ),
    Empty: {},
  },
  { type: 'container.InspectResponse', jsonNames: { ID: 'Id' } },
);

describe('renderInspect', () => {
  test.each([undefined, ''])('%j gives an indented array', (format) => {
    expect(renderInspect([document], format)).toEqual({
      errors: [],
      stdout: `[
    {
        "Id": "01",
        "Name": "/web",
        "Config": {
            "Cmd": null,
            "Labels": {
                "a": "1",
                "b": "<2>"
            },
            "Healthcheck": {
                "Interval": 1000000000
            }
        },
        "Empty": {}
    }
]
`,
    });
    expect(renderInspect([], format).stdout).toBe('[]\n');
  });

  test('json gives a compact array', () => {
    expect(renderInspect([{ b: 1, a: '<' }, {}], 'json').stdout).toBe('[{"a":"<","b":1},{}]\n');
    expect(renderInspect([], 'json').stdout).toBe('[]\n');
  });

  test('a template gives a line for each document', () => {
    expect(renderInspect([document, document], '{{.Name}}').stdout).toBe('/web\n/web\n');
    expect(renderInspect([document], 'a\\tb').stdout).toBe('a\\tb\n');
    expect(renderInspect([], '{{.Name}}').stdout).toBe('\n');
  });

  test('a template can use JSON names that the struct does not have; then durations are numbers', () => {
    expect(renderInspect([document], '{{.ID}} {{.Config.Healthcheck.Interval}}').stdout).toBe('01 1s\n');
    expect(renderInspect([document], '{{.Id}} {{.Config.Healthcheck.Interval}}').stdout).toBe('01 1000000000\n');
  });

  test('prints the error of each document that failed, and the other documents', () => {
    const other = struct({ Name: '/other', Extra: 1 }, { type: 'container.InspectResponse' });
    const { stdout, errors } = renderInspect([document, other, document], '{{.Extra}}');
    expect(stdout).toBe('1\n');
    const message =
      'template parsing error: template: :1:2: executing "" at <.Extra>: map has no entry for key "Extra"';
    expect(errors.map((error) => error.message)).toEqual([message, message]);
    expect(renderInspect([document], '{{.Extra}}').stdout).toBe('\n');
  });

  test('an invalid template exits with 64', () => {
    expect(() => renderInspect([document], '{{')).toThrow(
      expect.objectContaining({
        code: 'USAGE',
        exitCode: 64,
        message: 'template parsing error: template: :1: unclosed action',
      }),
    );
  });
});
