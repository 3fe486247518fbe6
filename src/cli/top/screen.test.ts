import fc from 'fast-check';
import { expect, test } from 'vitest';
import { changesBetween, openScreen } from './screen.ts';

/** A place, erasing, any other sequence, or text. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are written to terminals
const SEQUENCES = /\x1b\[(\d+);1H|\x1b\[(K|2J)|\x1b\[[\d?;]*[a-z]|([^\x1b]+)/gi;

/** A terminal that knows what is written to it: places, erasing a line or the screen, and text without wrapping. */
function terminalOf(rows: number): { write(text: string): void; readonly lines: readonly string[] } {
  const lines = Array.from({ length: rows }, () => '');
  let row = 0;
  return {
    lines,
    write: (text) => {
      for (const [, place, erase, plain = ''] of text.matchAll(SEQUENCES)) {
        if (place !== undefined) row = Number(place) - 1;
        else if (erase === 'K') lines[row] = '';
        else if (erase === '2J') lines.fill('');
        else lines[row] += plain;
      }
    },
  };
}

const line = fc.string({ unit: fc.constantFrom('a', 'b', ' ') });

test('only lines that differ are written, and the screen is then as if it had been drawn anew', () => {
  expect(changesBetween(['a', 'b'], ['a', 'c'])).toBe('\x1b[2;1H\x1b[Kc');
  expect(changesBetween(['a'], ['a'])).toBe('');
  fc.assert(
    fc.property(fc.array(fc.array(line, { minLength: 5, maxLength: 5 }), { minLength: 1 }), (screens) => {
      const terminal = terminalOf(5);
      let shown: readonly string[] = [];
      for (const lines of screens) {
        terminal.write(changesBetween(shown, lines));
        shown = lines;
      }
      expect(terminal.lines).toEqual(screens.at(-1));
    }),
  );
});

function fakeStreams() {
  const done: string[] = [];
  const written: string[] = [];
  const streams = {
    stdin: { setRawMode: (isRaw: boolean) => done.push(isRaw ? 'raw' : 'cooked') },
    stdout: { columns: 80, rows: 24, write: (text: string) => written.push(text) },
  };
  return { done, written, screen: openScreen(streams as unknown as Parameters<typeof openScreen>[0]) };
}

test('the terminal is restored once, however often it is left; nothing is written to it afterwards', () => {
  const { done, written, screen } = fakeStreams();
  screen.leave();
  expect([done, written]).toEqual([[], []]);
  screen.enter();
  screen.show(['a']);
  screen.leave();
  screen.leave();
  screen.show(['b']);
  expect(done).toEqual(['cooked', 'raw', 'cooked']);
  expect(written).toHaveLength(3);
  const modes = (text = ''): readonly string[] =>
    [...text.matchAll(/\[\?(\d+)[hl]/g)].map(([, mode = '']) => mode).sort();
  expect(modes(written[2])).toEqual(modes(written[0]));
});

test('after the terminal was taken again, or forgotten, everything is drawn', () => {
  const { written, screen } = fakeStreams();
  screen.enter();
  screen.show(['a', 'b']);
  screen.show(['a', 'b']);
  expect(written).toHaveLength(2);
  screen.forget();
  screen.show(['a', 'b']);
  expect(written.at(-1)).toBe('\x1b[0m\x1b[2J\x1b[1;1H\x1b[Ka\x1b[2;1H\x1b[Kb');
  screen.enter();
  screen.show(['a', 'b']);
  expect(written.at(-1)).toContain('\x1b[1;1H\x1b[Ka');
});
