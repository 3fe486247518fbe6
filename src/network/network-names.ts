/** The network of containers without `--network`, created at its first use. */
export const DEFAULT_NETWORK = 'bridge';
/** Networks without a bridge. */
export const PLAIN_NETWORKS: readonly string[] = ['none', 'host'];

/** What the names of a container are made of. */
export interface NamedOwner {
  readonly id: string;
  readonly name: string;
  readonly hostname: string;
}

/** Docker's `DNSNames` of a container on a user network: its names for others. */
export const dnsNamesOf = ({ name, id, hostname }: NamedOwner, aliases: readonly string[]): readonly string[] => [
  ...new Set([name, ...aliases, id.slice(0, 12), hostname].filter((text) => text !== '')),
];
