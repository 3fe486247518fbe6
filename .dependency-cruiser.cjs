// Imports go down only: see "The house" in ARCHITECTURE.md. Each room lists what it must not reach.
const rooms = ['main', 'world', 'cli', 'uninstall', 'daemon', 'monitor', 'check', 'container', 'events', 'record', 'probe', 'store', 'network', 'volume', 'image', 'oci', 'containerd', 'health', 'system', 'go', 'lib'];
const mayUse = {
  lib: [],
  go: ['lib'],
  health: ['go', 'lib'],
  system: ['lib'],
  oci: ['go', 'lib'],
  containerd: ['go', 'lib'],
  image: ['containerd', 'system', 'health', 'go', 'lib'],
  store: ['health', 'system', 'go', 'lib'],
  network: ['store', 'health', 'system', 'go', 'lib'],
  volume: ['store', 'system', 'go', 'lib'],
  probe: ['containerd', 'health', 'system', 'go', 'lib'],
  check: ['probe', 'store', 'health', 'go', 'lib'],
  record: ['network', 'store', 'image', 'oci', 'containerd', 'health', 'system', 'go', 'lib'],
  events: ['record', 'network', 'store', 'image', 'containerd', 'health', 'system', 'go', 'lib'],
  container: ['network', 'volume', 'check', 'events', 'probe', 'record', 'store', 'image', 'oci', 'containerd', 'health', 'system', 'go', 'lib'],
  monitor: ['network', 'volume', 'container', 'check', 'events', 'probe', 'record', 'store', 'image', 'oci', 'containerd', 'health', 'system', 'go', 'lib'],
  daemon: ['network', 'volume', 'monitor', 'container', 'check', 'events', 'probe', 'record', 'store', 'image', 'oci', 'containerd', 'health', 'system', 'go', 'lib'],
  uninstall: ['network', 'volume', 'daemon', 'container', 'record', 'store', 'containerd', 'health', 'system', 'go', 'lib'],
  cli: ['network', 'volume', 'world', 'uninstall', 'daemon', 'monitor', 'container', 'check', 'events', 'probe', 'record', 'store', 'image', 'oci', 'containerd', 'health', 'system', 'go', 'lib'],
  world: ['network', 'volume', 'daemon', 'container', 'check', 'events', 'probe', 'record', 'store', 'image', 'oci', 'containerd', 'health', 'system', 'go', 'lib'],
  main: ['world', 'cli', 'go', 'lib'],
};
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
    { name: 'pure-core', severity: 'error', from: { path: '^src/(health|oci|go)/', pathNot: '\\.test\\.ts$' }, to: { dependencyTypes: ['core'] } },
  ],
  options: { tsPreCompilationDeps: true, tsConfig: { fileName: 'tsconfig.json' }, doNotFollow: { path: 'node_modules' }, enhancedResolveOptions: { extensions: ['.ts', '.js'] } },
};
