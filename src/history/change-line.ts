import { isDate, isNumber, isText, objectOf, oneOf, optional, parseJsonText } from '../lib/shape.ts';
import { ACTIONS, type Change, PHASES } from './model.ts';

/** A change as a line of JSON, with a line feed. */
export function lineFromChange({ atMs, ...change }: Change): string {
  return `${JSON.stringify({ at: new Date(atMs).toISOString(), ...change })}\n`;
}

const isSeen = objectOf({ at: isDate, kind: oneOf(['seen']), key: isText, name: isText, image: isText });
const isPhase = objectOf({
  ...{ at: isDate, kind: oneOf(['phase']), key: isText },
  phase: oneOf(PHASES),
  sinceMs: optional(isNumber),
  exitCode: optional(isNumber),
  reason: isText,
});
const isAction = objectOf({
  ...{ at: isDate, kind: oneOf(['action']), key: isText },
  action: oneOf(ACTIONS),
  reason: isText,
});
const isGap = objectOf({ at: isDate, kind: oneOf(['gap']), toMs: isNumber });

/** The inverse of `lineFromChange`; undefined for any other line, e.g. one that was cut off. */
export function changeFromLine(line: string): Change | undefined {
  const value = parseJsonText(line);
  if (isSeen(value)) return { ...pick(value), kind: 'seen', name: value.name, image: value.image };
  if (isPhase(value)) {
    const { phase, sinceMs, exitCode, reason } = value;
    return { ...pick(value), kind: 'phase', phase, sinceMs, exitCode, reason };
  }
  if (isAction(value)) return { ...pick(value), kind: 'action', action: value.action, reason: value.reason };
  if (isGap(value)) return { atMs: Date.parse(value.at), kind: 'gap', toMs: value.toMs };
  return undefined;
}

const pick = ({ at, key }: { readonly at: string; readonly key: string }) => ({ atMs: Date.parse(at), key });
