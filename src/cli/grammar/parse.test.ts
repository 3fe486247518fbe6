import { Command as Commander } from 'commander';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { OptionSpec } from '../command.ts';
import { parseArguments } from './parse.ts';

const specs: readonly OptionSpec[] = [
  { name: 'detach', short: 'd', type: 'bool', help: '' },
  { name: 'interactive', short: 'i', type: 'bool', help: '' },
  { name: 'tty', short: 't', type: 'bool', help: '' },
  { name: 'rm', type: 'bool', help: '' },
  { name: 'no-trunc', type: 'bool', help: '' },
  { name: 'sig-proxy', type: 'bool', default: true, help: '' },
  { name: 'env', short: 'e', type: 'list', help: '' },
  { name: 'publish', short: 'p', type: 'list', help: '' },
  { name: 'name', type: 'string', help: '' },
  {
    name: 'memory',
    short: 'm',
    type: 'string',
    help: '',
    check: (value) => (value === 'xx' ? "invalid size: 'xx'" : undefined),
  },
  { name: 'memory-swap', type: 'string', help: '' },
  { name: 'stop-timeout', type: 'int', help: '', aliases: ['time'] },
  { name: 'interval', type: 'duration', help: '' },
  { name: 'grace', type: 'duration', default: '10s', help: '' },
];

const parse = (...argv: string[]) => parseArguments(specs, argv);
const parseRun = (...argv: string[]) => parseArguments(specs, argv, { endAtArgument: true });

describe('parseArguments', () => {
  test('reads combined one-letter flags', () => {
    const { options, args } = parse('-dit', 'web');
    expect([options.bool('detach'), options.bool('interactive'), options.bool('tty')]).toEqual([true, true, true]);
    expect(args).toEqual(['web']);
  });

  test('reads a value attached to a letter, with and without =, also at the end of combined flags', () => {
    expect(parse('-p443:443').options.list('publish')).toEqual(['443:443']);
    expect(parse('-p=443:443').options.list('publish')).toEqual(['443:443']);
    expect(parse('-dp443:443').options.list('publish')).toEqual(['443:443']);
    expect(parse('-dp', '443:443').options.list('publish')).toEqual(['443:443']);
    expect(parse('-p=').options.list('publish')).toEqual(['=']);
  });

  test('an option that repeats adds to a list; otherwise the last value counts', () => {
    const { options } = parse('-e', 'A=1', '-e', 'B', '--name', 'x', '--name=y', '--rm', '--rm=false');
    expect(options.list('env')).toEqual(['A=1', 'B']);
    expect(options.string('name')).toBe('y');
    expect(options.bool('rm')).toBe(false);
  });

  test('a value may begin with a dash, be empty, or contain =', () => {
    expect(parse('--memory-swap', '-1').options.string('memory-swap')).toBe('-1');
    expect(parse('-e', '--rm').options.list('env')).toEqual(['--rm']);
    expect(parse('--name', '--').options.string('name')).toBe('--');
    expect(parse('--name=').options.string('name')).toBe('');
    expect(parse('-e', 'A=b=c').options.list('env')).toEqual(['A=b=c']);
  });

  test('a bool has a value only after =', () => {
    const { options, args } = parse('--rm=false', '--no-trunc', 'false', '-d=0');
    expect([options.bool('rm'), options.bool('no-trunc'), options.bool('detach')]).toEqual([false, true, false]);
    expect(args).toEqual(['false']);
    expect(parse('-di=false').options.bool('detach')).toBe(true);
  });

  test('options may follow arguments, unless the command ends them at its first argument', () => {
    expect(parse('web', '--rm', 'db').args).toEqual(['web', 'db']);
    const { options, args } = parseRun('--rm', 'image', 'cmd', '--name', 'x', '--', '-z');
    expect(args).toEqual(['image', 'cmd', '--name', 'x', '--', '-z']);
    expect(options.given('name')).toBe(false);
  });

  test('-- ends the options, and is no argument itself', () => {
    expect(parse('--rm', '--', '--name', '--').args).toEqual(['--name', '--']);
    expect(parseRun('--', '--rm').args).toEqual(['--rm']);
    expect(parse('-').args).toEqual(['-']);
    expect(parse('').args).toEqual(['']);
  });

  test('reads typed values, defaults and aliases', () => {
    const { options } = parse('--time', '0x10', '--interval=1m30s');
    expect(options.int('stop-timeout')).toBe(16);
    expect(options.duration('interval')).toBe(90_000_000_000n);
    expect(options.duration('grace')).toBe(10_000_000_000n);
    expect(options.bool('sig-proxy')).toBe(true);
    expect(options.given('sig-proxy')).toBe(false);
    expect(options.int('stop-timeout')).toBe(16);
    expect(options.string('name')).toBeUndefined();
  });

  test('an undeclared option, or one that is read as another type, is a bug', () => {
    expect(() => parse().options.bool('nope')).toThrow(TypeError);
    expect(() => parse().options.string('rm')).toThrow(TypeError);
    expect(() => parse().options.given('nope')).toThrow(TypeError);
  });

  test('an option may have a value for its bare form', () => {
    const own: readonly OptionSpec[] = [...specs, { name: 'socket', type: 'string', whenBare: 'usual', help: '' }];
    const socketOf = (...argv: readonly string[]) => parseArguments(own, argv).options.string('socket');
    expect(socketOf('--socket')).toBe('usual');
    expect(socketOf('--socket', '--rm')).toBe('usual');
    expect(socketOf('--socket', '/a')).toBe('/a');
    expect(socketOf('--socket=')).toBe('');
    expect(socketOf()).toBeUndefined();
  });

  // pflag's error texts, as Docker 28.2.2 prints them.
  test.each([
    [['--foo'], 'unknown flag: --foo'],
    [['--foo=1'], 'unknown flag: --foo'],
    [['--d'], 'unknown flag: --d'],
    [['-xyz'], "unknown shorthand flag: 'x' in -xyz"],
    [['-dxyz'], "unknown shorthand flag: 'x' in -xyz"],
    [['-d='], "unknown shorthand flag: '=' in -="],
    [['--name'], 'flag needs an argument: --name'],
    [['-e'], "flag needs an argument: 'e' in -e"],
    [['-die'], "flag needs an argument: 'e' in -e"],
    [['---x'], 'bad flag syntax: ---x'],
    [['--=x'], 'bad flag syntax: --=x'],
    [['--rm=maybe'], 'invalid argument "maybe" for "--rm" flag: strconv.ParseBool: parsing "maybe": invalid syntax'],
    [
      ['-t='.concat('maybe')],
      'invalid argument "maybe" for "-t, --tty" flag: strconv.ParseBool: parsing "maybe": invalid syntax',
    ],
    [['--interval', 'x'], 'invalid argument "x" for "--interval" flag: time: invalid duration "x"'],
    [['--interval', '5'], 'invalid argument "5" for "--interval" flag: time: missing unit in duration "5"'],
    [['--interval=1d'], 'invalid argument "1d" for "--interval" flag: time: unknown unit "d" in duration "1d"'],
    [
      ['--time', 'many'],
      'invalid argument "many" for "--stop-timeout" flag: strconv.ParseInt: parsing "many": invalid syntax',
    ],
    [['-m', 'xx'], 'invalid argument "xx" for "-m, --memory" flag: invalid size: \'xx\''],
  ])('refuses %j', (argv, message) => {
    expect(() => parse(...argv)).toThrow(expect.objectContaining({ code: 'USAGE', message }));
  });

  test('refuses a wrong value even if a valid one follows', () => {
    expect(() => parse('--interval', 'x', '--interval', '1s')).toThrow('time: invalid duration "x"');
  });

  test('reads valid command lines like commander', () => {
    const word = fc.stringMatching(/^[a-z0-9:./=-]{1,8}$/);
    const option = fc.oneof(
      fc.constantFrom(['-d'], ['-dit'], ['--rm'], ['-it'], ['--no-trunc']),
      word.map((value) => ['-e', value]),
      word.map((value) => ['--name', value]),
      word.map((value) => [`--name=${value}`]),
      word.filter((value) => !value.startsWith('=')).map((value) => [`-p${value}`]),
      word.map((value) => ['-dp', value]),
    );
    const tail = fc.array(word);
    fc.assert(
      fc.property(fc.array(option), fc.stringMatching(/^[a-z][a-z0-9:./=-]{0,8}$/), tail, (given, image, rest) => {
        const argv = [...given.flat(), image, ...rest];
        const { options, args } = parseRun(...argv);
        const oracle = byCommander(argv);
        expect(args).toEqual(oracle.args);
        expect({
          detach: options.bool('detach'),
          rm: options.bool('rm'),
          env: options.list('env'),
          publish: options.list('publish'),
          name: options.string('name'),
        }).toEqual(oracle.values);
      }),
    );
  });

  test('parses any text, or refuses it with USAGE', () => {
    const word = fc.oneof(
      fc.string({ unit: fc.constantFrom('-', '=', 'd', 'e', 'm', 'x', '1', ' ', 'é') }),
      fc.constantFrom('--', '--rm', '--name', '-e'),
    );
    fc.assert(
      fc.property(fc.array(word), fc.boolean(), (argv, endAtArgument) => {
        try {
          parseArguments(specs, argv, { endAtArgument });
        } catch (error) {
          expect(error).toMatchObject({ code: 'USAGE' });
        }
      }),
    );
  });
});

function byCommander(argv: readonly string[]) {
  const collect = (value: string, previous: readonly string[]) => [...previous, value];
  const program = new Commander('healthctl').exitOverride().enablePositionalOptions();
  const run = new Commander('run')
    .exitOverride()
    .passThroughOptions()
    .allowExcessArguments()
    .argument('[words...]')
    .helpOption(false);
  run
    .option('-d, --detach')
    .option('-i, --interactive')
    .option('-t, --tty')
    .option('--rm')
    .option('--no-trunc')
    .option('--name <x>');
  run.option('-e, --env <x>', '', collect, []).option('-p, --publish <x>', '', collect, []);
  program.addCommand(run).parse(['run', ...argv], { from: 'user' });
  const values = run.opts();
  return {
    args: run.args,
    values: {
      detach: values.detach === true,
      rm: values.rm === true,
      env: values.env,
      publish: values.publish,
      name: values.name,
    },
  };
}
