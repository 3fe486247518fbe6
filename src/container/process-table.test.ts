import fc from 'fast-check';
import { expect, test } from 'vitest';
import { checkPsOptions, parseProcessTable } from './process-table.ts';

const OUTPUT = [
  'UID          PID    PPID  C STIME TTY          TIME CMD',
  'root           1       0  0 10:00 ?        00:00:01 init',
  'root          42       1  0 10:01 ?        00:00:00 sh -c  echo   a',
  'www           43      42  0 10:01 ?        00:00:00 sleep 60',
  '',
].join('\n');

test('splits each line into cells; the command is one cell', () => {
  expect(parseProcessTable(OUTPUT, [42, 43, 44])).toEqual({
    titles: ['UID', 'PID', 'PPID', 'C', 'STIME', 'TTY', 'TIME', 'CMD'],
    rows: [
      ['root', '42', '1', '0', '10:01', '?', '00:00:00', 'sh -c echo a'],
      ['www', '43', '42', '0', '10:01', '?', '00:00:00', 'sleep 60'],
    ],
  });
});

test("refuses output without pids with Docker's text", () => {
  expect(() => parseProcessTable('UID CMD\nroot sh\n', [1])).toThrow("Couldn't find PID field in ps output");
  expect(() => parseProcessTable('PID CMD\nx sh\n', [1])).toThrow('Unexpected pid "x" in ps output');
});

test('refuses a second column with the title PID', () => {
  expect(() => checkPsOptions('-o pid,args')).not.toThrow();
  expect(() => checkPsOptions('-o pid=PID')).not.toThrow();
  expect(() => checkPsOptions('-e -o ppid=PID')).toThrow('specifying "ppid=PID" is not allowed');
});

test('has a cell for each title in each row, whatever the name of a process', () => {
  fc.assert(
    fc.property(fc.array(fc.stringMatching(/^[ -~]*$/), { maxLength: 5 }), (commands) => {
      const lines = commands.map((command, at) => `root ${at + 1} ${command}`);
      const { rows } = parseProcessTable(['USER PID CMD', ...lines].join('\n'), [1, 2, 3, 4, 5]);
      expect(rows.map(([, pid]) => pid)).toEqual(commands.map((_, at) => `${at + 1}`));
      expect(rows.every((cells) => cells.length === 3)).toBe(true);
    }),
  );
});
