import { DEPENDENCY_CONDITIONS, type DependencyCondition } from '../../container/wait/wait-dependency.ts';
import type { OptionSpec, ParsedOptions } from '../command.ts';
import { CONTAINER } from './values.ts';

/** `db:healthy`: a container, and what it has to be. */
export interface GivenDependency {
  readonly name: string;
  readonly condition: DependencyCondition;
}

/** The option of `run` and `start` that waits for other containers, as compose's `depends_on`. */
export const dependsOnSpec: OptionSpec = {
  name: 'depends-on',
  type: 'list',
  help: 'Wait before the start for a container: NAME[:started], NAME:healthy, or NAME:completed (with exit status 0)',
  check: (text) =>
    dependencyFrom(text) === undefined
      ? `must be a container, and one of ${DEPENDENCY_CONDITIONS.join(', ')} after a colon`
      : undefined,
  complete: CONTAINER,
};

export function dependenciesFrom(options: ParsedOptions): readonly GivenDependency[] {
  return options.list('depends-on').flatMap((text) => dependencyFrom(text) ?? []);
}

function dependencyFrom(text: string): GivenDependency | undefined {
  const [name = '', word = 'started', ...more] = text.split(':');
  const condition = DEPENDENCY_CONDITIONS.find((known) => known === word);
  return name === '' || condition === undefined || more.length > 0 ? undefined : { name, condition };
}
