import { readdirSync, readFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { errnoOf } from '../lib/errors.ts';
import { parseSubnet, type Subnet } from './subnet.ts';

/** The directory of other tools' CNI networks. */
const CNI_CONFIGS = '/etc/cni/net.d';

/** The subnets that this host uses or will use: its routes, its interfaces, the CNI networks of other tools. */
export function readHostSubnets(cniConfigs: string = CNI_CONFIGS): readonly Subnet[] {
  return [...routesFrom(textOf('/proc/self/net/route') ?? ''), ...interfaceSubnets(), ...subnetsBelow(cniConfigs)];
}

/**
 * Parses the kernel's routing table: destination and mask as hexadecimal numbers, the lowest byte first. The default
 * route is skipped.
 */
export function routesFrom(text: string): readonly Subnet[] {
  return text
    .split('\n')
    .slice(1)
    .flatMap((line): readonly Subnet[] => {
      const fields = line.trim().split(/\s+/);
      const [base, mask] = [swapped(fields[1]), swapped(fields[7])];
      if (base === undefined || mask === undefined || mask === 0) return [];
      return [{ base, prefix: 32 - Math.round(Math.log2(2 ** 32 - mask)) }];
    });
}

function swapped(hex: string | undefined): number | undefined {
  return hex !== undefined && /^[0-9A-Fa-f]{8}$/.test(hex) ? Buffer.from(hex, 'hex').readUInt32LE() : undefined;
}

function interfaceSubnets(): readonly Subnet[] {
  return Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .flatMap(({ cidr }) => parseSubnet(cidr ?? '') ?? []);
}

/** All subnets in the files of a directory and its subdirectories: nerdctl has one for each namespace. */
function subnetsBelow(directory: string): readonly Subnet[] {
  let entries: { readonly name: string; isDirectory(): boolean; isFile(): boolean }[];
  try {
    entries = readdirSync(directory, { withFileTypes: true });
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return [];
  }
  return entries.flatMap((entry) => {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) return subnetsBelow(path);
    return entry.isFile() && /\.conf(?:list)?$/.test(entry.name) ? subnetsFrom(textOf(path) ?? '') : [];
  });
}

/** Every quoted text that is a subnet, whatever it means there. */
export function subnetsFrom(text: string): readonly Subnet[] {
  return [...text.matchAll(/"([\d.]+\/\d+)"/g)]
    .flatMap(([, subnet = '']) => parseSubnet(subnet) ?? [])
    .filter(({ prefix }) => prefix > 0);
}

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return undefined;
  }
}
