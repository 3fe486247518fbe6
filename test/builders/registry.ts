import type { Command, CommandEntry, OptionSpec } from '../../src/cli/command.ts';
import type { Registry } from '../../src/cli/grammar/command-tree.ts';

/** A command that prints its arguments as JSON. */
export function commandOf(parts: Partial<Command> = {}): Command {
  return {
    usage: '[OPTIONS]',
    options: [],
    args: { min: 0, max: 0 },
    run: async (_world, { args }) => ({ stdout: `${JSON.stringify(args)}\n` }),
    ...parts,
  };
}

const runOptions: readonly OptionSpec[] = [
  { name: 'detach', short: 'd', type: 'bool', help: 'Run in the background' },
  { name: 'interactive', short: 'i', type: 'bool', help: 'Keep stdin open' },
  { name: 'tty', short: 't', type: 'bool', help: 'Allocate a terminal' },
  { name: 'rm', type: 'bool', help: 'Remove the container when it exits' },
  { name: 'env', short: 'e', type: 'list', help: 'Set an environment variable' },
  { name: 'name', type: 'string', help: 'Name of the container' },
  { name: 'hostname', short: 'h', type: 'string', help: 'Host name of the container' },
  { name: 'publish', short: 'p', type: 'list', help: 'Publish a port' },
  {
    name: 'memory',
    short: 'm',
    type: 'string',
    value: 'bytes',
    help: 'Memory limit',
    check: (value) => (/^\d+[kmg]?$/.test(value) ? undefined : `invalid size: '${value}'`),
  },
  { name: 'memory-swap', type: 'string', value: 'bytes', help: 'Memory and swap' },
  { name: 'stop-timeout', type: 'int', help: 'Seconds to wait before killing' },
  { name: 'health-interval', type: 'duration', help: 'Time between checks' },
  { name: 'health-retries', type: 'int', help: 'Failures in a row' },
];

/** Commands with Docker's grammar, for tests of what happens before a command runs. */
export const dockerLikeRegistry: Registry = {
  nouns: [
    { name: 'container', summary: 'Manage containers' },
    { name: 'image', summary: 'Manage images' },
  ],
  commands: [
    entry(
      ['container', 'run'],
      [['run']],
      commandOf({
        usage: '[OPTIONS] IMAGE [COMMAND] [ARG...]',
        options: runOptions,
        args: { min: 1 },
        optionsEndAtArgument: true,
        failureCode: 125,
      }),
    ),
    entry(
      ['container', 'exec'],
      [['exec']],
      commandOf({ usage: '[OPTIONS] CONTAINER COMMAND [ARG...]', args: { min: 2 }, optionsEndAtArgument: true }),
    ),
    entry(
      ['container', 'ls'],
      [['container', 'list'], ['container', 'ps'], ['ps']],
      commandOf({
        options: [
          { name: 'all', short: 'a', type: 'bool', help: 'Show all containers' },
          { name: 'last', short: 'n', type: 'int', default: -1, help: 'Show the last created containers' },
          { name: 'quiet', short: 'q', type: 'bool', help: 'Show ids only' },
          { name: 'no-trunc', type: 'bool', help: 'Do not cut off' },
        ],
      }),
    ),
    entry(
      ['container', 'stop'],
      [['stop']],
      commandOf({
        usage: '[OPTIONS] CONTAINER [CONTAINER...]',
        options: [
          { name: 'timeout', short: 't', aliases: ['time'], type: 'int', help: 'Seconds to wait before killing' },
        ],
        args: { min: 1 },
      }),
    ),
    entry(['container', 'rename'], [['rename']], commandOf({ usage: 'CONTAINER NEW_NAME', args: { min: 2, max: 2 } })),
    entry(['container', 'wait'], [['wait']], commandOf({ usage: 'CONTAINER [CONTAINER...]', args: { min: 1 } })),
    entry(
      ['image', 'ls'],
      [['images']],
      commandOf({ usage: '[OPTIONS] [REPOSITORY[:TAG]]', args: { min: 0, max: 1 } }),
    ),
    entry(['image', 'history'], [['history']], commandOf({ usage: '[OPTIONS] IMAGE', args: { min: 1, max: 1 } })),
  ],
};

function entry(path: readonly string[], aliases: readonly (readonly string[])[], command: Command): CommandEntry {
  return { path, aliases, summary: `Does ${path.join(' ')}`, load: async () => command };
}
