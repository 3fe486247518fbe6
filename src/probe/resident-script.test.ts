import { expect, test } from 'vitest';
import { environmentFrom, isLookingChild, planResidence } from './resident-script.ts';

const plan = (env: readonly string[], cwd = '/') =>
  planResidence({ containerId: 'c1', processJson: JSON.stringify({ env, cwd, user: { uid: 7 } }) }, ['true', 'zero']);
const processOf = (env: readonly string[], cwd?: string) =>
  JSON.parse(plan(env, cwd).processJson) as { readonly env: string[]; readonly args: string[]; readonly user: object };

test('the shell gets the variables of the container under other names, and not in its arguments', () => {
  const { env, args, user } = processOf(['A=secret=1', 'A=last', 'B=', 'a.b=c', 'HOME=']);
  expect(env).toEqual(['a.b=c', 'HOME=', 'healthctl_0=A=last', 'healthctl_1=B=']);
  expect([args.join(' ').includes('last'), args.slice(-3), user]).toEqual([false, ['sh', 'true', 'zero'], { uid: 7 }]);
});

test('avoids names that the container uses', () => {
  expect(processOf(['healthctl_0=x', 'healthctl__=y']).env).toEqual([
    'healthctl___0=healthctl_0=x',
    'healthctl___1=healthctl__=y',
  ]);
});

test('escapes a quote in the working directory', () => {
  expect(processOf([], "/it's; exit").args[2]).toContain(String.raw`cd -P '/it'\''s; exit' && `);
});

test.each(['NAME', '=x', 'BASH_FUNC_read%%=() { :; }'])('refuses the variable %s', (entry) => {
  expect(() => plan([entry])).toThrow('no shell hands on the variable');
});

test('refuses a check whose environment differs from that of container and runtime', () => {
  const { differenceFrom } = plan(['A=1', 'HOME=']);
  const shell = environmentFrom(['healthctl_0=A=1', 'HOME=/root']);
  const difference = (...entries: string[]) => differenceFrom({ shell, check: environmentFrom(entries) });
  expect(difference('A=1', 'HOME=/root', 'a.b=c')).toBeUndefined();
  expect(difference('A=1', 'HOME=')).toContain('HOME');
  expect(difference('A=2', 'HOME=/root')).toContain('variable A ');
  expect(difference('HOME=/root')).toContain('variable A ');
  expect(difference('A=1', 'HOME=/root', 'SHLVL=1')).toContain('SHLVL');
});

test('recognises the inspected check by its whole command line', () => {
  expect(isLookingChild('/bin/sh\0-c\0read -r line\0')).toBe(true);
  expect(isLookingChild('/bin/sh\0-c\0read -r line\0x\0')).toBe(false);
});
