// A container as the monitor lists it, for scripts/warm-up-server.mjs. A test compares it with the form that commands
// accept: with another form, `ps` would ask containerd, and V8 would compile the code for that instead.

export const summaryOf = ({ id, labels, storedConfig, pid }) => ({
  record: {
    ...{ id, labels, image: 'docker.io/library/demo:latest', runtime: 'io.containerd.runc.v2' },
    ...{ snapshotter: 'overlayfs', snapshotKey: id, createdAtMs: 1_767_225_600_000.5 },
    stored: JSON.stringify(storedConfig),
  },
  task: { pid, status: 'running', exitStatus: 0 },
  run: { id: 'x', startedAtMs: 1_767_225_600_000 },
  health: { status: 'healthy', failingStreak: 0, inStartPeriod: false, run: 'x' },
  lastCheck: { start: '2026-01-01T00:00:00Z', end: '2026-01-01T00:00:01Z', exitCode: 0, endBootMs: 1_000 },
  nextCheckAt: null,
  isRestarting: false,
  nextRestart: null,
  isStateUnknown: false,
});
