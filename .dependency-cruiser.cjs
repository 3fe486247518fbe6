// Imports go down only: see "The house" in ARCHITECTURE.md. Each room lists what it must not reach.
const rooms = ['main', 'world', 'cli', 'uninstall', 'daemon', 'monitor', 'check', 'container', 'events', 'probe', 'store', 'network', 'volume', 'image', 'oci', 'containerd', 'health', 'system', 'lib'];
const mayUse = {
  lib: [],
  health: ['lib'],
  system: ['lib'],
  oci: ['lib'],
  containerd: ['lib'],
  image: ['containerd', 'system', 'health', 'lib'],
  store: ['health', 'system', 'lib'],
  network: ['store', 'health', 'system', 'lib'],
  volume: ['store', 'system', 'lib'],
  probe: ['containerd', 'health', 'system', 'lib'],
  check: ['probe', 'store', 'health', 'lib'],
  events: ['store', 'containerd', 'health', 'system', 'lib'],
  container: ['network', 'volume', 'check', 'events', 'probe', 'store', 'image', 'oci', 'containerd', 'health', 'system', 'lib'],
  monitor: ['network', 'volume', 'container', 'check', 'events', 'probe', 'store', 'image', 'oci', 'containerd', 'health', 'system', 'lib'],
  daemon: ['network', 'volume', 'monitor', 'container', 'check', 'events', 'probe', 'store', 'image', 'oci', 'containerd', 'health', 'system', 'lib'],
  uninstall: ['network', 'volume', 'daemon', 'container', 'store', 'containerd', 'health', 'system', 'lib'],
  cli: ['network', 'volume', 'world', 'uninstall', 'daemon', 'monitor', 'container', 'check', 'events', 'probe', 'store', 'image', 'oci', 'containerd', 'health', 'system', 'lib'],
  world: ['network', 'volume', 'daemon', 'container', 'check', 'events', 'probe', 'store', 'image', 'oci', 'containerd', 'health', 'system', 'lib'],
  main: ['world', 'cli', 'lib'],
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
    { name: 'pure-core', severity: 'error', from: { path: '^src/(health|oci)/', pathNot: '\\.test\\.ts$' }, to: { dependencyTypes: ['core'] } },
  ],
  options: { tsPreCompilationDeps: true, tsConfig: { fileName: 'tsconfig.json' }, doNotFollow: { path: 'node_modules' }, enhancedResolveOptions: { extensions: ['.ts', '.js'] } },
};
