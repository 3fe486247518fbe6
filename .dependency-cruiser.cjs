// Imports go down only: see "The house" in ARCHITECTURE.md. Each room lists what it must not reach.
const { mayUse, rooms } = require('./scripts/lib/rooms.cjs');

const escape = (room) => (room === 'main' || room === 'world' ? `^src/${room}\\.ts$` : `^src/${room}/`);
module.exports = {
  forbidden: [
    ...rooms.map((room) => ({
      name: `${room}-imports-down-only`,
      severity: 'error',
      from: { path: escape(room), pathNot: '\\.test\\.ts$' },
      to: { path: '^src/', pathNot: [room, ...mayUse[room]].map(escape) },
    })),
    { name: 'no-circular', severity: 'error', from: { pathNot: '^src/containerd/gen/' }, to: { circular: true } },
    { name: 'native-calls-in-system', severity: 'error', from: { pathNot: '^src/system/' }, to: { path: 'node_modules/koffi' } },
    { name: 'pure-core', severity: 'error', from: { path: '^src/(health|oci|go|metrics)/', pathNot: '\\.test\\.ts$' }, to: { dependencyTypes: ['core'] } },
  ],
  options: { tsPreCompilationDeps: true, tsConfig: { fileName: 'tsconfig.json' }, doNotFollow: { path: 'node_modules' }, enhancedResolveOptions: { extensions: ['.ts', '.tsx', '.js'] } },
};
