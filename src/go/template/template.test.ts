import { describe, expect, test } from 'vitest';
import {
  duration,
  type GoValue,
  nilMap,
  nilPointer,
  nilSlice,
  parseTemplate,
  stringMap,
  struct,
  time,
} from './template.ts';

const health = struct(
  {
    Status: 'healthy',
    FailingStreak: 0,
    Log: [
      struct(
        {
          Start: time('2026-08-20T12:00:00.500+02:00'),
          End: time('2026-08-20T10:00:01Z'),
          ExitCode: 0,
          Output: 'ok <b> & \u2028\n',
        },
        { type: '*container.HealthcheckResult' },
      ),
    ],
  },
  { type: '*container.Health' },
);
const container = struct(
  {
    ID: '0123456789abcdef',
    State: struct(
      { Status: 'running', Running: true, ExitCode: 0, Health: health },
      { type: '*container.State', omitEmpty: ['Health'] },
    ),
    Stopped: struct({ Health: nilPointer('*container.Health') }, { type: '*container.State', omitEmpty: ['Health'] }),
    Config: struct(
      {
        Env: ['A=1', 'B=2'],
        Cmd: nilSlice(),
        Volumes: nilMap(),
        Labels: stringMap({ b: '<2>', a: '1' }),
        Healthcheck: struct(
          {
            Test: ['CMD-SHELL', 'curl -f x'],
            Interval: duration(90_000_000_000n),
            Timeout: duration(500_000_000n),
            Retries: 0,
          },
          { type: '*container.HealthConfig', omitEmpty: ['Test', 'Interval', 'Timeout', 'Retries'] },
        ),
      },
      { type: '*container.Config' },
    ),
    Any: { list: ['x'], n: 5, f: 2.5, nil: null, big: 9_223_372_036_854_775_807n },
  },
  {
    type: 'container.InspectResponse',
    jsonNames: { ID: 'Id' },
    methods: { Label: { params: 1, call: (name = '') => `label ${name}` }, Zero: { params: 0, call: () => 'zero' } },
  },
);

const run = (template: string, data: GoValue = container) => parseTemplate(template).execute(data);

// Every output and error below is from docker 28 on the same data, or from Go.
describe("output like Docker's", () => {
  test.each([
    ['{{.ID}}', '0123456789abcdef'],
    ['{{slice .ID 0 12}} {{len .ID}}', '0123456789ab 16'],
    ['{{.State.Health.Status}}', 'healthy'],
    [
      '{{upper .State.Status}} {{title "hello wo-rld it\'s a_b 1a"}} {{lower "ÀB"}}',
      "RUNNING Hello Wo-Rld It'S A_b 1a àb",
    ],
    ['{{if .State.Running}}up{{else}}down{{end}}', 'up'],
    ['{{with .State.Health}}{{.FailingStreak}}{{end}}', '0'],
    ['{{range .Config.Env}}{{.}};{{end}}', 'A=1;B=2;'],
    ['{{range $k, $v := .Config.Labels}}{{$k}}={{$v}};{{end}}', 'a=1;b=<2>;'],
    [
      '{{index .Config.Labels "zz"}}|{{.Config.Labels.zz}}|{{.Config.Labels.zz.y}}|{{.Config.Labels}}',
      '|<no value>|<no value>|map[a:1 b:<2>]',
    ],
    ['{{.Config.Cmd}} {{json .Config.Cmd}} {{.Config.Volumes}} {{json .Config.Volumes}}', '[] null map[] null'],
    ['{{.Config.Healthcheck}}', '{[CMD-SHELL curl -f x] 1m30s 500ms 0}'],
    ['{{json .Config.Healthcheck}}', '{"Test":["CMD-SHELL","curl -f x"],"Interval":90000000000,"Timeout":500000000}'],
    [
      '{{printf "%d %s %v %q" .Config.Healthcheck.Interval .Config.Healthcheck.Timeout .Config.Healthcheck.Timeout .Config.Healthcheck.Timeout}}',
      '90000000000 500ms 500ms "500ms"',
    ],
    ['{{gt .Config.Healthcheck.Interval 5}}', 'true'],
    [
      '{{(index .State.Health.Log 0).Start}}|{{(index .State.Health.Log 0).End}}',
      '2026-08-20 12:00:00.5 +0200 +0200|2026-08-20 10:00:01 +0000 UTC',
    ],
    [
      '{{json .State.Health.Log}}',
      '[{"Start":"2026-08-20T12:00:00.500+02:00","End":"2026-08-20T10:00:01Z","ExitCode":0,"Output":"ok <b> & \\u2028\\n"}]',
    ],
    ['{{eq .State.ExitCode 0}} {{eq .State.Status "exited" "running"}}', 'true true'],
    [
      '{{.Stopped.Health}} {{if .Stopped.Health}}x{{else}}none{{end}} {{json .Stopped}} {{json .Stopped.Health}}',
      '<nil> none {} null',
    ],
    ['{{printf "%v" .Stopped}} {{.Stopped}} {{printf "%+v" .Stopped}}', '&{<nil>} {<nil>} &{Health:<nil>}'],
    [
      '{{.Any}} {{.Any.nil}} {{.Any.big}}',
      'map[big:9223372036854775807 f:2.5 list:[x] n:5 nil:<nil>] <no value> 9223372036854775807',
    ],
    ['{{json .Any}}', '{"big":9223372036854775807,"f":2.5,"list":["x"],"n":5,"nil":null}'],
    [
      '{{join .Config.Env ","}} {{join (split "a,b" ",") "-"}} {{split "abc" ""}} {{len (split "" "")}}x',
      'A=1,B=2 a-b [a b c] 0x',
    ],
    [
      '{{pad "x" 1 2}}|{{pad "" 1 2}}|{{truncate "hello" 2}}|{{truncate "hi" 9}}|{{truncate "hello" 1e0}}',
      ' x  ||he|hi|h',
    ],
    [
      '{{json 1.5}} {{json 1e30}} {{json 1e-9}} {{json nil}} {{json "a<b>\\b\\f\\u0001\\u007f"}}',
      '1.5 1e+30 1e-9 null "a<b>\\b\\f\\u0001\u007f"',
    ],
    ['{{.Label "x"}} {{.Zero}} {{"y" | .Label}}', 'label x zero label y'],
    ['{{join nil "b"}}x', 'x'],
    ['{{1_1.5}} {{0_1.}} {{1_0e1_0}} {{0x_1_0p1_0}}', '11.5 1 1e+11 16384'],
    ['{{-0xe}} {{0xe}} {{printf "%T %T %T" -0xe 0xe -0x1}}', '-14 14 float64 int int'],
  ])('%s', (template, output) => {
    expect(run(template)).toBe(output);
  });
});

describe("errors like Docker's", () => {
  test.each([
    ['{{.Nope}}', '1:2: executing "" at <.Nope>: can\'t evaluate field Nope in type container.InspectResponse'],
    ['{{.State.Nope}}', '1:8: executing "" at <.State.Nope>: can\'t evaluate field Nope in type *container.State'],
    [
      '{{.Stopped.Health.Status}}',
      '1:10: executing "" at <.Stopped.Health.Status>: nil pointer evaluating *container.Health.Status',
    ],
    ['{{.ID.x}}', '1:5: executing "" at <.ID.x>: can\'t evaluate field x in type string'],
    ['{{.Any.n.x}}', '1:6: executing "" at <.Any.n.x>: can\'t evaluate field x in type interface {}'],
    ['{{.Any.nil.x}}', '1:6: executing "" at <.Any.nil.x>: nil pointer evaluating interface {}.x'],
    [
      'é\n{{.ID}} é{{.Nope}}',
      '2:12: executing "" at <.Nope>: can\'t evaluate field Nope in type container.InspectResponse',
    ],
    [
      '{{define "t"}}{{.Nope}}{{end}}{{template "t" .State}}',
      '1:16: executing "t" at <.Nope>: can\'t evaluate field Nope in type *container.State',
    ],
    [
      '{{index .Config.Env 9}}',
      '1:2: executing "" at <index .Config.Env 9>: error calling index: index out of range: 9',
    ],
    ['{{.ID 1}}', '1:2: executing "" at <.ID>: ID has arguments but cannot be invoked as function'],
    ['{{.Label}}', '1:2: executing "" at <.Label>: wrong number of args for Label: want 1 got 0'],
    ['{{.Label 1}}', '1:9: executing "" at <1>: expected string; found 1'],
    ['{{upper .Any.n}}', '1:12: executing "" at <.Any.n>: wrong type for value; expected string; got int'],
    ['{{upper .Any.zz}}', '1:12: executing "" at <.Any.zz>: invalid value; expected string'],
    ['{{upper .Any.nil}}', '1:12: executing "" at <.Any.nil>: wrong type for value; expected string; got interface {}'],
    ['{{upper nil}}', '1:8: executing "" at <nil>: cannot assign nil to string'],
    ['{{join "a" "b"}}', '1:7: executing "" at <"a">: can\'t handle "a" for arg of type []string'],
    ['{{json}}', '1:2: executing "" at <json>: wrong number of args for json: want 1 got 0'],
    ['{{pad "x" -1 2}}', '1:2: executing "" at <pad "x" -1 2>: error calling pad: strings: negative Repeat count'],
    [
      '{{truncate "x" -1}}',
      '1:2: executing "" at <truncate "x" -1>: error calling truncate: runtime error: slice bounds out of range [:-1]',
    ],
    [
      '{{eq .State.ExitCode "0"}}',
      '1:2: executing "" at <eq .State.ExitCode "0">: error calling eq: incompatible types for comparison: int and string',
    ],
    ['{{range .ID}}{{end}}', '1:8: executing "" at <.ID>: range can\'t iterate over 0123456789abcdef'],
    ['{{template "zz"}}', '1:11: executing "" at <{{template "zz"}}>: template "zz" not defined'],
  ])('%s', (template, message) => {
    expect(() => run(template)).toThrow(expect.objectContaining({ code: 'USAGE', message: `template: :${message}` }));
  });

  test.each([
    ['{{', '1: unclosed action'],
    ['{{.ID}', "1: bad character U+007D '}'"],
    ['{{.ID}}{{end}}', '1: unexpected {{end}}'],
    ['{{if .ID}}x', '1: unexpected EOF'],
    ['{{\n\n', '3: unclosed action started at :1'],
    ['{{foo .}}', '1: function "foo" not defined'],
    ['{{$x}}', '1: undefined variable "$x"'],
    ['{{-\n/*', '2: unclosed comment'],
    ['{{-\n/* c */ x}}', '2: comment ends before closing delimiter'],
    ['{{.ID | "x"}}', '1: non executable command in pipeline stage 2'],
    ['{{1 / 2}}', '1: unexpected "/" in operand'],
    ['{{"x}}', '1: unterminated quoted string'],
    ['{{1__1.5}}', '1: illegal number syntax: "1__1.5"'],
    ['{{1_.5}}', '1: illegal number syntax: "1_.5"'],
    ['{{0x1_.8p1}}', '1: illegal number syntax: "0x1_.8p1"'],
    ['{{01_8}}', '1: integer overflow: "01_8"'],
    ['{{break}}', '1: {{break}} outside {{range}}'],
  ])('refuses %j, which does not parse', (template, message) => {
    expect(() => parseTemplate(template)).toThrow(
      expect.objectContaining({ code: 'USAGE', message: `template: :${message}` }),
    );
  });

  test('a missing key is an error if asked for', () => {
    expect(run('{{.a}}', {})).toBe('<no value>');
    expect(() => parseTemplate('{{.a}}').execute({}, { missingKeyIsError: true })).toThrow(
      'map has no entry for key "a"',
    );
  });
});

describe('hostile templates', () => {
  test('stops a template that never ends', () => {
    expect(() => run('{{define "r"}}{{template "r"}}{{end}}{{template "r"}}')).toThrow(
      'exceeded maximum template depth',
    );
    const nested = `${'{{if true}}'.repeat(50)}{{template "r"}}${'{{end}}'.repeat(50)}`;
    expect(() => run(`{{define "r"}}${nested}{{end}}{{template "r"}}`)).toThrow(
      /exceeded maximum template depth|too deep/,
    );
  });

  test.each([
    ['parentheses', `{{${'('.repeat(100_000)}1${')'.repeat(100_000)}}}`],
    ['actions', '{{if true}}'.repeat(100_000)],
    ['else branches', `{{if 1}}${'{{else if 1}}'.repeat(10_000)}{{end}}`],
  ])('refuses endlessly nested %s', (_, template) => {
    expect(() => parseTemplate(template)).toThrow(expect.objectContaining({ code: 'USAGE' }));
  });

  test('data too deep to print is an error of the template', () => {
    let data: GoValue = 'x';
    for (let i = 0; i < 100_000; i++) data = [data];
    for (const template of ['{{.}}', '{{json .}}', '{{printf "%q" .}}']) {
      expect(() => run(template, data)).toThrow(expect.objectContaining({ code: 'USAGE' }));
    }
  });

  test('parses a long template in linear time', () => {
    expect(run('{{1}} x\n'.repeat(20_000))).toHaveLength(80_000);
  });

  test('treats names of Object.prototype as ordinary keys', () => {
    expect(run('{{.constructor}} {{.__proto__}} {{.toString}} {{index . "hasOwnProperty"}}', {})).toBe(
      '<no value> <no value> <no value> <no value>',
    );
    expect(() => run('{{.constructor}}')).toThrow("can't evaluate field constructor");
    expect(run('{{.}}', JSON.parse('{"__proto__":1}'))).toBe('map[__proto__:1]');
  });

  test('refuses too much padding', () => {
    expect(() => run('{{pad "x" 1000000000000 0}}')).toThrow('cannot pad by 1000000000000');
    expect(run('{{printf "%9999999999999999999d" 1}}')).toBe('%!(NOVERB)%!(EXTRA int=1)');
  });
});
