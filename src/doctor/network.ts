import type { Clock } from '../lib/clock.ts';
import { HealthctlError } from '../lib/errors.ts';
import type { NetworkSettings } from '../lib/settings.ts';
import { findPlugins, needTool } from '../network/plugins.ts';
import { runProgram } from '../system/run-program.ts';
import type { DoctorContext } from './context.ts';
import { error, type HostFinding, ok, warning } from './finding.ts';

export function checkPlugins({ settings }: DoctorContext): readonly HostFinding[] {
  try {
    return [ok('CNI plugins', `in ${findPlugins(settings.network.cniBinDir)}`)];
  } catch (failure) {
    return [missing('CNI plugins', failure, settings.network)];
  }
}

export async function checkIptables({ settings, clock }: DoctorContext): Promise<readonly HostFinding[]> {
  const { network } = settings;
  try {
    const file = needTool('iptables', 'iptables');
    needTool('iptables-restore', 'iptables');
    const version = await runProgram({ clock }, { file, args: ['--version'] });
    return [iptablesFinding({ version: version.stdout, refusal: await refusalOf(file, clock) }, network)];
  } catch (failure) {
    return [missing('iptables', failure, network)];
  }
}

/** Why the rules cannot be listed: the kernel lacks tables, or the right is missing. */
async function refusalOf(file: string, clock: Clock): Promise<string | undefined> {
  const { code, stderr } = await runProgram({ clock }, { file, args: ['-w', '5', '-t', 'nat', '-S'] });
  return code === 0 ? undefined : stderr.trim().split('\n')[0] || `exit status ${code}`;
}

export function iptablesFinding(
  { version, refusal }: { readonly version: string; readonly refusal: string | undefined },
  network: Pick<NetworkSettings, 'defaultNetwork'>,
): HostFinding {
  if (refusal === undefined) return ok('iptables', version.trim().replace(/^iptables /, ''));
  const judge = needsBridge(network) ? error : warning;
  return judge(
    'iptables',
    refusal,
    'load the kernel modules of its nat table (modprobe iptable_nat, or nft_chain_nat)',
  );
}

function missing(name: string, failure: unknown, network: NetworkSettings): HostFinding {
  if (!(failure instanceof HealthctlError)) throw failure;
  return (needsBridge(network) ? error : warning)(name, failure.message, failure.hint);
}

/** Without bridge networks, neither plugins nor iptables are needed. */
const needsBridge = ({ defaultNetwork }: Pick<NetworkSettings, 'defaultNetwork'>): boolean =>
  defaultNetwork !== 'none' && defaultNetwork !== 'host';
