import { defineConfig } from 'vitest/config';

// Three projects, three costs: `unit` needs nothing, `integration` needs real files, sockets and processes, `e2e` a real containerd.
export default defineConfig({
  test: {
    projects: [
      { test: { name: 'unit', include: ['src/**/*.test.ts', 'test/contract/**/*.test.ts'], testTimeout: 10_000 } },
      { test: { name: 'integration', include: ['test/integration/**/*.test.ts'], testTimeout: 60_000, hookTimeout: 120_000 } },
      { test: { name: 'e2e', include: ['test/e2e/**/*.test.ts'], testTimeout: 120_000, hookTimeout: 180_000, globalSetup: ['test/e2e/global-setup.ts'] } },
      { test: { name: 'compat', include: ['test/compat/**/*.test.ts'], testTimeout: 300_000, hookTimeout: 180_000, globalSetup: ['test/e2e/global-setup.ts'] } },
    ],
  },
});
