import { readKernelFile } from './kernel-file.ts';

const DIRECTORY = '/proc/sys/fs/binfmt_misc';

/**
 * Whether the kernel runs programs of a foreign architecture with an emulator (Documentation/admin-guide/binfmt-misc).
 *
 * @param cpu in the words of QEMU, e.g. `aarch64`
 */
export function isEmulated(cpu: string): boolean {
  return readKernelFile(`${DIRECTORY}/qemu-${cpu}`)?.startsWith('enabled') === true;
}
