import type { ExplainedField, Explanation, Verdict } from '../../container/explain/explain.ts';
import type { GoValue } from '../../go/template/template.ts';
import { bytesSize, humanDuration } from '../../go/units.ts';
import { type Advice, type AdviceContext, adviceFor } from '../../health/diagnosis/advice.ts';
import { shellWord } from '../../health/diagnosis/command-line.ts';
import type { Finding } from '../../health/diagnosis/diagnose.ts';
import { type Result, rfc3339FromMillis, tellingLine } from '../../health/result.ts';
import { printableLine } from '../../lib/printable.ts';
import { briefOf } from '../../record/details.ts';
import type { ContainerView } from '../../record/view.ts';
import type { Checker } from '../monitor/who-checks.ts';
import { notRunningReason } from './not-running.ts';
import { plainValue } from './plain-value.ts';
import { section } from './section.ts';

/** All that `explain` shows. */
export interface Explained {
  readonly explanation: Explanation;
  readonly checker: Checker;
  /** Wall time. */
  readonly nextCheckAtMs: number | undefined;
  readonly nowMs: number;
  /** The beginning of command lines. */
  readonly program: readonly string[];
}

/** A reason with what to do. */
interface Reason extends Advice {
  readonly kind: string;
  /** Number of results of the log with this reason; undefined for what no result says. */
  readonly count: number | undefined;
}

/** Lines of failures on the page: what more there is says the same. */
const SHOWN_FAILURES = 3;
const MAX_OUTPUT = 160;
/** A longer setting does not move the origins of the others. */
const MAX_WIDTH = 40;

/** The page for people. @param options.withFailures whether to list the last failures. Default: yes */
export function explanationPage(
  explained: Explained,
  { withFailures = true }: { readonly withFailures?: boolean } = {},
): string {
  const { explanation } = explained;
  return [
    section('Container:', containerRows(explained)),
    section('Check:', checkRows(explained)),
    withFailures ? failuresPart(explained) : '',
    reasonsPart(reasonsOf(explained), explanation.log.length),
  ]
    .filter((part) => part !== '')
    .join('\n');
}

function containerRows({ explanation: { view, state }, nowMs }: Explained): Readonly<Record<string, string>> {
  const streak = state?.failingStreak ?? 0;
  const since =
    view.startedAtMs === undefined || view.task === undefined ? '' : `, for ${span(nowMs - view.startedAtMs)}`;
  return {
    Name: view.name,
    ID: view.record.id.slice(0, 12),
    Image: briefOf(view.record).image,
    State: `${stateText(view)}${view.state === 'running' ? since : ''}`,
    Health: state ? `${state.status}${streak > 0 ? `, ${streak} failed in a row` : ''}` : 'none',
  };
}

function stateText({ state, exit, isStateUnknown }: ContainerView): string {
  if (isStateUnknown) return `${state} (state unknown)`;
  return state === 'exited' && exit ? `exited with ${exit.code}` : state;
}

function checkRows({ explanation, checker, nextCheckAtMs, nowMs }: Explained): Readonly<Record<string, string>> {
  const { fields, verdict, view } = explanation;
  const width = Math.max(0, ...fields.map(({ text }) => text.length).filter((length) => length <= MAX_WIDTH));
  const texts = fields.map(({ key, text, origin }) => [key, `${text.padEnd(width)}  ${ORIGINS[origin]}`] as const);
  if (verdict.kind === 'unchecked') return { ...Object.fromEntries(texts), 'Checked by': 'nobody: there is no check' };
  return {
    ...Object.fromEntries(texts),
    'Checked by': checkerText(checker),
    'Next check': nextText(view, nextCheckAtMs, nowMs),
  };
}

const ORIGINS: Readonly<Record<ExplainedField['origin'], string>> = {
  flag: 'from a flag',
  image: 'from the image',
  update: 'from an update',
  default: 'default',
  configuration: 'from the configuration',
  unknown: 'from a flag or the image',
};

function checkerText(checker: Checker): string {
  switch (checker.kind) {
    case 'monitor':
      return `the monitor, process ${checker.pid}`;
    case 'systemd':
      return `the systemd timer ${checker.unit}`;
    case 'nerdctl':
      return `nerdctl, by its systemd timer ${checker.unit}`;
    case 'nobody':
      return `nobody: ${checker.why}`;
  }
}

function nextText(view: ContainerView, atMs: number | undefined, nowMs: number): string {
  if (view.state !== 'running') return `none while it is ${view.state}`;
  if (atMs === undefined) return 'none';
  const inMs = atMs - nowMs;
  return inMs >= 0 ? `in ${span(inMs)}` : `now; it was due ${span(-inMs)} ago`;
}

/** The last failures, the newest first. */
function failuresPart({ explanation: { log }, nowMs }: Explained): string {
  const failed = log.filter(({ exitCode }) => exitCode !== 0).toReversed();
  if (failed.length === 0) return '';
  const lines = failed.slice(0, SHOWN_FAILURES).map((result) => ` ${failureText(result, nowMs)}`);
  return `${[`Failures: ${failed.length} of the last ${log.length}`, ...lines].join('\n')}\n`;
}

function failureText(result: Result, nowMs: number): string {
  const { start, end, exitCode } = result;
  const tookMs = Date.parse(end) - Date.parse(start);
  const line = tellingLine(result);
  const said = line.length > MAX_OUTPUT ? `${line.slice(0, MAX_OUTPUT)}…` : line;
  const took = Number.isFinite(tookMs) ? ` after ${Math.round(tookMs)}ms` : '';
  return printableLine(`${span(nowMs - Date.parse(end))} ago, exit code ${exitCode}${took}: ${said || 'no output'}`);
}

function reasonsPart(reasons: readonly Reason[], total: number): string {
  if (reasons.length === 0) return '';
  const blocks = reasons.map(({ what, remedy, command, count }) => {
    const often = count === undefined ? '' : ` (${count} of the last ${total})`;
    return [` * ${what}${often}`, `   ${remedy}`, ...(command === undefined ? [] : [`     ${command}`])];
  });
  return `${['Likely reasons:', ...blocks.flat().map(printableLine)].join('\n')}\n`;
}

/** Why checks are not made, then why they fail. */
function reasonsOf({ explanation, checker, program }: Explained): readonly Reason[] {
  const { verdict, view } = explanation;
  if (verdict.kind === 'unchecked') return [{ ...verdict, kind: 'no-check', count: undefined }];
  const ended = notRunningReason(view, program);
  const isUnchecked = checker.kind === 'nobody' && view.state === 'running';
  return [
    ...(ended ? [ended] : []),
    ...(isUnchecked ? [nobodyReason(checker, program)] : []),
    ...adviceOf(verdict, { view, program }),
  ];
}

function nobodyReason(checker: Extract<Checker, { kind: 'nobody' }>, program: readonly string[]): Reason {
  const command = checker.command && [...program, ...checker.command].map(shellWord).join(' ');
  return {
    ...{ kind: 'not-checked', count: undefined, what: `nobody checks it on schedule: ${checker.why}` },
    remedy: checker.remedy,
    ...(command === undefined ? {} : { command }),
  };
}

function adviceOf(
  { config, findings }: Extract<Verdict, { kind: 'checked' }>,
  { view, program }: { readonly view: ContainerView; readonly program: readonly string[] },
): readonly Reason[] {
  const context: AdviceContext = { config, name: view.name, program, sizeText: bytesSize };
  return findings.map((finding) => ({ ...adviceFor(finding, context), kind: finding.kind, count: countOf(finding) }));
}

const countOf = (finding: Finding): number | undefined => ('count' in finding ? finding.count : undefined);

const span = (ms: number): string => humanDuration(Math.max(0, ms)).toLowerCase();

/** For `--format`: in the manner of Docker's documents. */
export function explanationValue(explained: Explained): GoValue {
  const { explanation, checker, nextCheckAtMs } = explained;
  const { view, state, fields, log } = explanation;
  return plainValue({
    ...{ ID: view.record.id, Name: view.name, Image: briefOf(view.record).image, State: view.state },
    Health: state ? { Status: state.status, FailingStreak: state.failingStreak } : null,
    Healthcheck: Object.fromEntries(fields.map(({ key, value }) => [key, value])),
    Origins: Object.fromEntries(fields.map(({ key, origin }) => [key, origin])),
    CheckedBy: checkerValue(checker),
    NextCheck: nextCheckAtMs === undefined ? '' : rfc3339FromMillis(nextCheckAtMs),
    Failures: log
      .filter(({ exitCode }) => exitCode !== 0)
      .map(({ start, end, exitCode, output }) => ({ Start: start, End: end, ExitCode: exitCode, Output: output })),
    Reasons: reasonsOf(explained).map(({ kind, count = 0, what, remedy, command = '' }) => ({
      ...{ Kind: kind, Count: count, What: what, Remedy: remedy, Command: command },
    })),
  });
}

function checkerValue(checker: Checker): Readonly<Record<string, unknown>> {
  switch (checker.kind) {
    case 'monitor':
      return { Kind: checker.kind, Pid: checker.pid, Unit: '', Why: '' };
    case 'systemd':
    case 'nerdctl':
      return { Kind: checker.kind, Pid: 0, Unit: checker.unit, Why: '' };
    case 'nobody':
      return { Kind: checker.kind, Pid: 0, Unit: '', Why: checker.why };
  }
}
