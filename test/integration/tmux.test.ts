import { chmodSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { needProgram } from '../../testbed/needed-program.ts';
import { runProgram } from '../../testbed/program.ts';
import { openTerminal } from '../../testbed/tmux.ts';

test('a terminal whose shell shows no prompt leaves no server', async (context) => {
  needProgram(context, 'tmux');
  const directory = mkdtempSync(join(tmpdir(), 'healthctl-tmux-'));
  const PATH = `${directory}:${process.env.PATH ?? ''}`;
  writeFileSync(join(directory, 'sh'), '#!/bin/sh\nexec sleep 3600\n');
  chmodSync(join(directory, 'sh'), 0o755);
  const sockets = (): readonly string[] => readdirSync(directory).filter((name) => name.startsWith('tmux-'));
  const askServer = (socket: string, ...args: readonly string[]) =>
    runProgram(['tmux', '-S', join(directory, socket), ...args], { env: { PATH } });
  try {
    const opened = openTerminal({ directory, env: { PATH }, columns: 80, rows: 10, promptWithinMs: 300 });
    await expect(opened).rejects.toThrow('the screen to show $');
    expect(sockets()).toHaveLength(1);
    for (const socket of sockets()) expect((await askServer(socket, 'list-sessions')).code).not.toBe(0);
  } finally {
    for (const socket of sockets()) await askServer(socket, 'kill-server');
    rmSync(directory, { recursive: true, force: true });
  }
});
