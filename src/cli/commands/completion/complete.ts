import type { World } from '../../../world.ts';
import type { Command, CommandInput, CommandResult, GivenOptions } from '../../command.ts';
import { answerText } from '../../completion/answer.ts';
import { expand, type Found, fitting, type NameSource } from '../../completion/candidates.ts';
import { findSpot, type Spot } from '../../completion/line.ts';
import { wordsOfLine } from '../../completion/shell-line.ts';
import type { Registry } from '../../grammar/command-tree.ts';

/**
 * `healthctl __complete`: what the scripts of `healthctl completion` ask. Its form may change with any release: the
 * scripts belong to the same one.
 */
export function completeCommand(registry: Registry): Command {
  return {
    usage: '[OPTIONS] -- [WORD...]',
    description: 'Print what may stand at the end of a line. The scripts of completion call it.',
    options: [
      {
        name: 'bash',
        type: 'bool',
        help: "The words are the line of bash up to the cursor, with quotes, and bash's word, which ends at a : or = too",
      },
    ],
    args: { min: 0 },
    run: (world, input) => complete(world, registry, input),
  };
}

async function complete(world: World, registry: Registry, { options, args }: CommandInput): Promise<CommandResult> {
  const words = options.bool('bash') ? wordsOfLine(args[0] ?? '').slice(1) : args;
  const last = words.at(-1) ?? '';
  const spot = await findSpot(registry, words.slice(0, -1), last);
  const found = await foundAt(world, spot);
  const cut = options.bool('bash') ? cutOf(last, wordsOfLine(args[1] ?? '').at(-1) ?? '') : 0;
  return { stdout: answerText(found, { before: spot.before, cut }) };
}

async function foundAt(world: World, { completion, candidates, text, taken, globals }: Spot): Promise<Found> {
  if (!completion) return { candidates: fitting(candidates, text), paths: undefined };
  const found = await withNames(world, globals, (namesOf) => expand(completion, text, namesOf));
  return { ...found, candidates: found.candidates.filter(({ value }) => !taken.includes(value)) };
}

/** Names of the containerd that the line is for. */
async function withNames<T>(world: World, globals: GivenOptions, use: (namesOf: NameSource) => Promise<T>): Promise<T> {
  let opened: Promise<{ readonly namesOf: NameSource; close(): Promise<void> }> | undefined;
  const open = async () => (await import('../../completion/own-world.ts')).openNamesOfLine(world, globals);
  try {
    return await use(async (kind, text) => {
      opened ??= open();
      return (await opened).namesOf(kind, text);
    });
  } finally {
    await opened?.then(({ close }) => close());
  }
}

/** The length of the part of the last word that bash does not replace: `--network=` in `--network=we`. */
function cutOf(last: string, word: string): number {
  return word !== last && last.endsWith(word) ? last.length - word.length : 0;
}
