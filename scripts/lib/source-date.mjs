import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));

/**
 * The time of built files, in seconds since the epoch: $SOURCE_DATE_EPOCH, else the time of the commit, so that two
 * builds of one commit are the same. Outside a repository it is the time of 0.1.0's first commit.
 */
export function sourceDate(env = process.env) {
  if (/^\d+$/.test(env.SOURCE_DATE_EPOCH ?? '')) return Number(env.SOURCE_DATE_EPOCH);
  try {
    const output = execFileSync('git', ['-C', root, 'log', '-1', '--format=%ct'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    return Number(output);
  } catch {
    return FIRST;
  }
}

const FIRST = 1_767_225_600;
