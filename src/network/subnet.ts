/** An IPv4 network: its first address as a 32-bit number, and its prefix length. */
export interface Subnet {
  readonly base: number;
  /** 0 … 32. */
  readonly prefix: number;
}

const ADDRESS = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/;

/** Undefined for anything but an IPv4 address in dotted decimals. */
export function parseAddress(text: string): number | undefined {
  const bytes = ADDRESS.exec(text)?.slice(1).map(Number);
  if (!bytes || bytes.some((byte) => byte > 255)) return undefined;
  return bytes.reduce((sum, byte) => sum * 256 + byte, 0);
}

export function addressText(address: number): string {
  return [24, 16, 8, 0].map((shift) => (address >>> shift) & 255).join('.');
}

/** In network order; undefined for anything but an IPv4 address. */
export function addressBytes(text: string): Buffer | undefined {
  const number = parseAddress(text);
  if (number === undefined) return undefined;
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(number);
  return bytes;
}

/** `10.1.2.0/24`; with host bits, as in `10.1.2.3/24`, the network that contains it. Undefined for anything else. */
export function parseSubnet(text: string): Subnet | undefined {
  const [address = '', bits = '', ...more] = text.split('/');
  const base = parseAddress(address);
  const prefix = Number(bits);
  if (base === undefined || more.length > 0 || !/^\d{1,2}$/.test(bits) || prefix > 32) return undefined;
  return { base: Math.floor(base / sizeOf(prefix)) * sizeOf(prefix), prefix };
}

/** Leaves some addresses for machines, and is no larger than IPv4's largest private range. */
const BRIDGE_PREFIXES = { shortest: 8, longest: 29 };

/** Like `parseSubnet`, for a bridge: with 8 to 29 bits. */
export function parseBridgeSubnet(text: string): Subnet | undefined {
  const subnet = parseSubnet(text);
  const { shortest, longest } = BRIDGE_PREFIXES;
  return subnet && subnet.prefix >= shortest && subnet.prefix <= longest ? subnet : undefined;
}

export function subnetText({ base, prefix }: Subnet): string {
  return `${addressText(base)}/${prefix}`;
}

/** Number of addresses. */
const sizeOf = (prefix: number): number => 2 ** (32 - prefix);

export function overlaps(a: Subnet, b: Subnet): boolean {
  return a.base < b.base + sizeOf(b.prefix) && b.base < a.base + sizeOf(a.prefix);
}

export function holdsAddress(subnet: Subnet, address: number): boolean {
  return address >= subnet.base && address < subnet.base + sizeOf(subnet.prefix);
}

/** The last address, on which all machines listen. */
export function broadcastOf({ base, prefix }: Subnet): number {
  return base + sizeOf(prefix) - 1;
}

/**
 * Private ranges that others use last: Docker begins at 172.17.0.0/16, Podman at 10.88.0.0/16, nerdctl at 10.4.0.0/24,
 * Kubernetes has 10.96.0.0/12 and 10.244.0.0/16.
 */
const POOLS = ['10.80.0.0/13', '172.24.0.0/13', '192.168.128.0/17'];
/** Room for some four thousand containers. */
const CHOSEN_PREFIX = 20;

/** The first subnet that overlaps with none of these; undefined if there is none left. */
export function chooseSubnet(taken: readonly Subnet[]): Subnet | undefined {
  for (const pool of POOLS.flatMap((text) => parseSubnet(text) ?? [])) {
    for (let base = pool.base; base < pool.base + sizeOf(pool.prefix); base += sizeOf(CHOSEN_PREFIX)) {
      const subnet = { base, prefix: CHOSEN_PREFIX };
      if (!taken.some((other) => overlaps(subnet, other))) return subnet;
    }
  }
  return undefined;
}
