import { writeSync } from 'node:fs';
import type { Clock } from '../lib/clock.ts';
import { errnoOf } from '../lib/errors.ts';
import type { ServiceLogger } from '../lib/logger.ts';
import { printableLine } from '../lib/printable.ts';

export interface ServiceLogOptions {
  readonly clock: Pick<Clock, 'now'>;
  readonly debug: boolean;
  /** `text` for people, `json` for log collectors. */
  readonly form: 'text' | 'json';
  /** Default: standard error. */
  readonly write?: (line: string) => void;
}

/**
 * Logs a line for each message, with its time: container text neither forges a line nor moves the cursor. A line that
 * cannot be written is lost: there is no other output.
 */
export function createServiceLog({ clock, debug, form, write = writeToStderr }: ServiceLogOptions): ServiceLogger {
  const lineOf = (level: string, message: string): string => {
    const time = new Date(clock.now()).toISOString();
    return form === 'json'
      ? JSON.stringify({ time, level, message })
      : `${time} ${level.padEnd(5)} ${printableLine(message)}`;
  };
  return {
    info: (message) => write(lineOf('info', message)),
    warn: (message) => write(lineOf('warn', message)),
    debug: (message) => {
      if (debug) write(lineOf('debug', message));
    },
  };
}

function writeToStderr(line: string): void {
  try {
    writeSync(2, `${line}\n`);
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
  }
}
