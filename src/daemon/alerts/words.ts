import type { AlertDocument } from './alert-event.ts';

/** How much of a check's output a message shows: the end, which usually has the reason. */
const MAX_OUTPUT_LENGTH = 1_000;

/** One line for people: `web on host1 is unhealthy`. */
export function headlineOf({ event, name, host, reason }: AlertDocument): string {
  switch (event) {
    case 'unhealthy':
      return `${name} on ${host} is unhealthy`;
    case 'healthy':
      return `${name} on ${host} is healthy`;
    case 'restart':
      return `${name} on ${host} was restarted`;
    case 'gone':
      return `${name} on ${host} is gone: ${reason ?? 'it ended'}`;
  }
}

/** The facts below the headline, one a line; may be empty. */
export function detailsOf(document: AlertDocument): readonly string[] {
  const { event, failingStreak, exitCode, reason, unhealthySince, damped } = document;
  return [
    ...(event === 'unhealthy' && failingStreak !== undefined
      ? [`${failingStreak === 1 ? '1 failure' : `${failingStreak} failures in a row`}, exit code ${exitCode}`]
      : []),
    ...(event === 'restart' && reason !== undefined ? [reason] : []),
    ...(unhealthySince === undefined ? [] : [`unhealthy since ${unhealthySince}`]),
    ...(damped === undefined ? [] : [`${damped === 1 ? '1 change' : `${damped} changes`} in between not sent`]),
  ];
}

/** The end of the check's output, if the event has some. */
export function outputOf({ event, output = '' }: AlertDocument): string {
  if (event !== 'unhealthy') return '';
  const text = output.trim();
  return text.length > MAX_OUTPUT_LENGTH ? `…${text.slice(1 - MAX_OUTPUT_LENGTH)}` : text;
}
