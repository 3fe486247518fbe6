import { SCOPE } from '../../events/filter.ts';
import type { HostEvent } from '../../events/host-event.ts';
import { nanosecondsFromMilliseconds, SECOND } from '../../go/duration.ts';
import { type GoValue, nilMap, parseTemplate, stringMap, struct } from '../../go/template/template.ts';
import { HealthctlError, hasCode } from '../../lib/errors.ts';

/** The output for an event, without the line end. */
export type EventFormatter = (event: HostEvent) => string;

/**
 * The form of an event for `events --format` (docker/cli, cli/command/system/events.go): without a format a line, else
 * a template, or `json`.
 *
 * @throws USAGE `Error parsing format: …`, exit 64, for a template that is invalid or uses a field that events lack
 */
export function eventFormatter(format: string | undefined): EventFormatter {
  if (format === undefined || format === '') return eventLine;
  try {
    const template = parseTemplate(format === 'json' ? '{{json .}}' : format);
    template.execute(EMPTY);
    return (event) => template.execute(eventValue(event));
  } catch (error) {
    if (!hasCode(error, 'USAGE')) throw error;
    throw new HealthctlError('USAGE', `Error parsing format: ${error.message}`, { cause: error, exitCode: 64 });
  }
}

/** `2026-01-01T00:00:00.000000000Z container start <id> (image=…, name=…)`, in the local zone, attributes by name. */
function eventLine({ type, action, id, atMs, attributes }: HostEvent): string {
  const names = Object.keys(attributes).sort();
  const listed = names.map((name) => `${name}=${attributes[name]}`).join(', ');
  return `${localTime(atMs)} ${type} ${action} ${id}${names.length === 0 ? '' : ` (${listed})`}`;
}

/** RFC 3339 with nine digits of fraction, in the local zone of that moment. */
function localTime(atMs: number): string {
  const ns = nanosecondsFromMilliseconds(atMs);
  const wholeMs = Number(ns / SECOND) * 1000;
  const zoneMinutes = -new Date(wholeMs).getTimezoneOffset();
  const local = new Date(wholeMs + zoneMinutes * 60_000).toISOString().slice(0, 'yyyy-mm-ddThh:mm:ss'.length);
  return `${local}.${String(ns % SECOND).padStart(9, '0')}${zoneText(zoneMinutes)}`;
}

function zoneText(minutes: number): string {
  if (minutes === 0) return 'Z';
  const size = Math.abs(minutes);
  const two = (value: number): string => String(value).padStart(2, '0');
  return `${minutes < 0 ? '-' : '+'}${two(Math.trunc(size / 60))}:${two(size % 60)}`;
}

const message = (fields: Readonly<Record<string, GoValue>>, type: string): GoValue =>
  struct(fields, {
    type,
    jsonNames: { Status: 'status', ID: 'id', From: 'from', Scope: 'scope', Time: 'time', TimeNano: 'timeNano' },
    omitEmpty: ['Status', 'ID', 'From', 'Scope', 'Time', 'TimeNano'],
  });

const actor = (id: string, attributes: GoValue): GoValue =>
  struct({ ID: id, Attributes: attributes }, { type: 'events.Actor' });

/** Docker runs a template on this first, and names its type in errors. */
const EMPTY = message(
  { Status: '', ID: '', From: '', Type: '', Action: '', Actor: actor('', nilMap()), Scope: '', Time: 0, TimeNano: 0 },
  '*events.Message',
);

/** Docker's document; its first three keys date from before there were other types than containers. */
function eventValue({ type, action, id, atMs, attributes }: HostEvent): GoValue {
  const timeNano = nanosecondsFromMilliseconds(atMs);
  const from = type === 'container' ? (attributes.image ?? '') : '';
  return message(
    {
      ...{ Status: action, ID: id, From: from, Type: type, Action: action, Actor: actor(id, stringMap(attributes)) },
      ...{ Scope: SCOPE, Time: timeNano / SECOND, TimeNano: timeNano },
    },
    'events.Message',
  );
}
