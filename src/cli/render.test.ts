import { describe, expect, test } from 'vitest';
import { HealthctlError } from '../lib/errors.ts';
import { printable } from '../lib/printable.ts';
import { logTo, type Output, renderError, renderResult } from './render.ts';

function recorder(debug = false) {
  const seen = { stdout: '', stderr: '' };
  const output: Output = {
    debug,
    stdout: {
      write: (text) => {
        seen.stdout += text;
      },
    },
    stderr: {
      write: (text) => {
        seen.stderr += text;
      },
    },
  };
  return { output, seen };
}

describe('renderResult', () => {
  test('prints stdout unchanged, and one line per error', () => {
    const { output, seen } = recorder();
    const errors = [
      new HealthctlError('NOT_FOUND', 'no such container a'),
      new HealthctlError('CONFLICT', 'b is running', { hint: 'stop it first' }),
    ];
    expect(renderResult(output, { stdout: 'c\n', errors }, 1)).toBe(1);
    expect(seen).toEqual({
      stdout: 'c\n',
      stderr: 'healthctl: no such container a\nhealthctl: b is running\nstop it first\n',
    });
  });

  test('prints warnings after the output, and keeps the exit status', () => {
    const { output, seen } = recorder();
    expect(renderResult(output, { stdout: 'c\n', warnings: ['old'], errors: [new Error('x')], exitCode: 0 }, 1)).toBe(
      0,
    );
    expect(seen.stderr).toBe('WARNING: old\nhealthctl: x\n');
    expect(renderResult(output, { warnings: ['old'] }, 1)).toBe(0);
  });

  test.each([
    [{}, 1, 0],
    [{ exitCode: 3 }, 1, 3],
    [{ errors: [new Error('x')] }, 125, 125],
    [{ errors: [new HealthctlError('USAGE', 'x')] }, 1, 125],
    [{ errors: [new HealthctlError('INTERNAL', 'x', { exitCode: 127 })] }, 1, 127],
    [{ errors: [new Error('x')], exitCode: 0 }, 1, 0],
  ])('%j with failure code %d exits with %d', (result, failureCode, exitCode) => {
    expect(renderResult(recorder().output, result, failureCode)).toBe(exitCode);
  });
});

test('errors and warnings take one line each, whatever text they quote', () => {
  const { output, seen } = recorder();
  logTo(output).warn('a\nhealthctl: b\x1b[2J');
  renderError(output, new HealthctlError('RUNTIME', 'c\nWARNING: d\u202e'));
  expect(seen.stderr).toBe('WARNING: a\\x0ahealthctl: b\\x1b[2J\nhealthctl: c\\x0aWARNING: d\\u202e\n');
});

describe('renderError', () => {
  test('shows no causes without --debug', () => {
    const { output, seen } = recorder();
    renderError(output, new HealthctlError('UNAVAILABLE', 'cannot connect', { cause: new Error('ECONNREFUSED') }));
    expect(seen.stderr).toBe('healthctl: cannot connect\n');
  });

  test('shows the chain of causes with --debug, each with its stack', () => {
    const { output, seen } = recorder(true);
    const cause = new Error('refused', { cause: 'the network' });
    renderError(output, new HealthctlError('UNAVAILABLE', 'cannot connect', { cause }));
    expect(seen.stderr).toMatch(/^healthctl: cannot connect\nHealthctlError: cannot connect \[UNAVAILABLE\]\n {4}at /);
    expect(seen.stderr).toMatch(/\ncaused by: Error: refused\n {4}at [\s\S]*\ncaused by: the network\n$/);
  });

  test('ends at a cause that was already shown', () => {
    const { output, seen } = recorder(true);
    const error = new Error('a');
    error.cause = error;
    renderError(output, error);
    expect(seen.stderr.match(/Error: a/g)).toHaveLength(1);
  });

  test.each([
    [new Error(''), 'healthctl: unknown error\n'],
    ['text', 'healthctl: text\n'],
    [undefined, 'healthctl: undefined\n'],
  ])('renders any thrown value: %j', (thrown, text) => {
    const { output, seen } = recorder();
    renderError(output, thrown);
    expect(seen.stderr).toBe(text);
  });

  test('escapes terminal sequences in quoted text', () => {
    const { output, seen } = recorder();
    renderError(output, new Error('no such image \x1b]0;owned\x07\x9b31m\r'));
    expect(seen.stderr).toBe('healthctl: no such image \\x1b]0;owned\\x07\\x9b31m\\x0d\n');
  });
});

test('printable keeps text, tabs and line breaks', () => {
  expect(printable('é\t“x”\n')).toBe('é\t“x”\n');
});

test('always shows warnings, and debug lines with --debug', () => {
  const quiet = recorder();
  logTo(quiet.output).warn('old');
  logTo(quiet.output).debug('detail');
  expect(quiet.seen.stderr).toBe('WARNING: old\n');
  const verbose = recorder(true);
  logTo(verbose.output).debug('detail');
  expect(verbose.seen.stderr).toBe('DEBUG: detail\n');
});
