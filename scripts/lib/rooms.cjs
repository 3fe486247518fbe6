// The rooms of src/, the top one first, and the rooms that each may import: see "The house" in ARCHITECTURE.md, whose
// picture is drawn from this.
const imports = {
  main: 'world cli go lib',
  world: 'network volume daemon container check events probe record store image oci containerd health system go lib',
  cli: 'history network volume world uninstall doctor daemon metrics monitor container check events probe record store image oci containerd health system go lib',
  uninstall: 'network volume daemon container record store containerd health system go lib',
  doctor: 'network daemon container record store oci containerd health system go lib',
  daemon:
    'history network volume dns engine page monitor metrics container check events probe record store image oci containerd health system go lib',
  engine: 'network volume container events record store image oci containerd health system go lib',
  page: 'history monitor container record health system go lib',
  monitor: 'history network volume container check events probe record store image oci containerd health system go lib',
  history: 'health system lib',
  dns: 'network system lib',
  metrics: 'health lib',
  check: 'probe store health go lib',
  container: 'network volume check events probe record store image oci containerd health system go lib',
  events: 'record network store image containerd health system go lib',
  record: 'network store image oci containerd health system go lib',
  probe: 'containerd health system go lib',
  store: 'health system go lib',
  network: 'store health system go lib',
  volume: 'store system go lib',
  image: 'containerd system health go lib',
  oci: 'go lib',
  containerd: 'go lib',
  health: 'go lib',
  system: 'lib',
  go: 'lib',
  lib: '',
};
const rooms = Object.keys(imports);
const mayUse = Object.fromEntries(rooms.map((room) => [room, imports[room].split(' ').filter(Boolean)]));

module.exports = { rooms, mayUse };
