import { defineConfig } from 'vitest/config';

// Six projects, six costs: `unit` needs nothing, `integration` real files, sockets and processes, `e2e` and `compat` a real containerd,
// `long` minutes of time, `peers` a real nerdctl too (scripts/peers.mjs). The cheap ones come first; two files at a time, because most of the
// work is done by other processes. `e2e` and `compat` share a group: no worker waits for the last file of the other.
// The time limits here end what hangs: a busy machine must not reach them.
const testbed = { globalSetup: ['test/e2e/support/global-setup.ts'], hookTimeout: 900_000 };
/** They wait for the time of intervals more than they compute. */
const waiting = { ...testbed, maxWorkers: 3 };

export default defineConfig({
  test: {
    maxWorkers: 2,
    reporters: ['default', './testbed/not-judged.ts'],
    projects: [
      {
        test: {
          name: 'unit',
          setupFiles: ['test/fakes/setup.ts'],
          include: ['src/**/*.test.ts', 'test/fakes/**/*.test.ts', 'testbed/**/*.test.ts'],
          // They keep nothing between them: a process for each file would be most of the time.
          isolate: false,
          testTimeout: 60_000,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          name: 'integration',
          include: ['test/integration/**/*.test.ts'],
          testTimeout: 300_000,
          hookTimeout: 300_000,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          testTimeout: 600_000,
          sequence: { groupOrder: 2 },
          ...waiting,
        },
      },
      {
        test: {
          name: 'compat',
          include: ['test/compat/**/*.test.ts'],
          testTimeout: 600_000,
          sequence: { groupOrder: 2 },
          ...waiting,
        },
      },
      {
        test: {
          name: 'long',
          include: ['test/long/**/*.test.ts'],
          testTimeout: 1_800_000,
          sequence: { groupOrder: 4 },
          ...testbed,
        },
      },
      {
        test: {
          name: 'peers',
          include: ['test/peers/**/*.test.ts'],
          testTimeout: 600_000,
          sequence: { groupOrder: 5 },
          ...testbed,
        },
      },
    ],
  },
});
