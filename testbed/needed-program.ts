import { describe, type TestContext, test } from 'vitest';
import { findTool } from '../src/system/programs.ts';
import { NOT_JUDGED } from './not-judged.ts';

// Tests of programs that healthctl does without, such as shells. Without its program a test is not judged, and the run
// says so at its end.

/** Skips a test whose program is not installed. */
export function needProgram(context: Pick<TestContext, 'skip'>, program: string): void {
  context.skip(findTool(program) === undefined, `${NOT_JUDGED}: ${program} is not installed`);
}

/** Like `describe`, for tests that all need a program. */
export function describeWith(program: string, title: string, body: () => void): void {
  if (findTool(program) === undefined) test(title, (context) => needProgram(context, program));
  else describe(title, body);
}
