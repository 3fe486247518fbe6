import { parsePlatform } from '../../image/platform.ts';
import { messageOf } from '../../lib/errors.ts';
import type { Completion, OptionSpec } from '../command.ts';

const PLATFORMS: Completion = {
  words: ['linux/amd64', 'linux/arm64', 'linux/arm/v7', 'linux/386', 'linux/ppc64le', 'linux/riscv64', 'linux/s390x'],
};

/** `--platform`, of several commands. */
export function platformOption(help: string): OptionSpec {
  return { name: 'platform', type: 'string', value: 'string', help, check: whyNoPlatform, complete: PLATFORMS };
}

function whyNoPlatform(text: string): string | undefined {
  try {
    parsePlatform(text);
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}
