import { fitsLabel, LABELS } from './labels.ts';

/** The extension of a container record that only healthctl writes. Unlike labels, no image can bring it. */
export const CONFIG_EXTENSION = 'healthctl.config.v1';
/** Contains the control labels as of the creation: a JSON object of texts. */
export const LABELS_EXTENSION = `${CONFIG_EXTENSION}/labels`;

/** Contains a later change of one control label: a JSON text, empty if the label was removed. */
export const extensionOfLabel = (key: string): string => `${CONFIG_EXTENSION}/${key}`;

/**
 * Control labels decide what healthctl does on the host or to a container. `ctr run` and containerd's CRI copy an
 * image's labels to the container, so these are trusted only from the record's extensions; the labels of the same names
 * are copies for readers.
 */
export const CONTROL_LABELS: readonly string[] = [
  LABELS.owner,
  LABELS.started,
  LABELS.healthcheck,
  LABELS.testSince,
  LABELS.testSinceBoot,
  LABELS.healthOrigins,
  LABELS.restart,
  LABELS.ports,
  LABELS.stopped,
  LABELS.pidfile,
  LABELS.hostname,
  LABELS.stopTimeout,
];

/**
 * nerdctl's labels among them: on its own containers they are trusted where a use case has established that nerdctl
 * made the container.
 */
const OF_NERDCTL: readonly string[] = [LABELS.pidfile, LABELS.hostname, LABELS.stopTimeout];

type Labels = Readonly<Record<string, string>>;

/**
 * The trusted labels of a record.
 *
 * A container of ours that version 0.1.0 made has no LABELS_EXTENSION: its labels are trusted until they are written
 * again.
 *
 * @param extensionText the text of an extension of the record, by key
 */
export function trustedLabels(labels: Labels, extensionText: (key: string) => string | undefined): Labels {
  const isOurs = extensionText(CONFIG_EXTENSION) !== undefined;
  const atCreate = parseLabels(extensionText(LABELS_EXTENSION));
  const trusted: Record<string, string> = { ...labels };
  for (const key of CONTROL_LABELS) {
    const changed = parseText(extensionText(extensionOfLabel(key)));
    const value = changed ?? (isOurs ? (atCreate ?? labels)[key] : ofForeign(key, labels[key]));
    if (value === undefined || value === '') delete trusted[key];
    else trusted[key] = value;
  }
  return trusted;
}

/**
 * A check in a foreign container's label is run, since it can do no more than the container itself; its actions on
 * failure are not taken.
 */
function ofForeign(key: string, value: string | undefined): string | undefined {
  if (key === LABELS.healthcheck) return value === undefined ? undefined : withoutActions(value);
  return OF_NERDCTL.includes(key) ? value : undefined;
}

function withoutActions(text: string): string {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return text;
    const entries = Object.entries(value).filter(([key]) => !/^(OnFailure|MaxRestarts)$/i.test(key));
    return JSON.stringify(Object.fromEntries(entries));
  } catch {
    return text; // its parser reports the damage
  }
}

/**
 * The labels of a known container after an event, which contains only labels.
 *
 * @returns `isChanged`: a control label was written, so the record has to be read for the trusted value
 */
export function labelsAfterEvent(
  known: Labels,
  fromEvent: Labels,
): { readonly labels: Labels; readonly isChanged: boolean } {
  const labels: Record<string, string> = { ...fromEvent };
  let isChanged = false;
  for (const key of CONTROL_LABELS) {
    isChanged ||= fromEvent[key] !== known[key];
    if (known[key] === undefined) delete labels[key];
    else labels[key] = known[key];
  }
  return { labels, isChanged };
}

/** What to write to containerd for labels: trusted extensions, and copies of them that fit into labels. */
export interface LabelWrites {
  readonly labels: Labels;
  /** By key, as JSON text. */
  readonly extensions: Labels;
}

/**
 * For a new container of ours. Labels too long for containerd are omitted: see StoredConfig in
 * src/record/stored-config.ts.
 */
export function labelsAtCreate(labels: Labels): LabelWrites {
  const control = Object.entries(labels).filter(([key]) => CONTROL_LABELS.includes(key));
  return {
    labels: Object.fromEntries(Object.entries(labels).filter(([key, value]) => fitsLabel(key, value))),
    extensions: { [LABELS_EXTENSION]: JSON.stringify(Object.fromEntries(control)) },
  };
}

/** For a change of some labels; an empty value removes one. */
export function labelsToSet(labels: Labels): LabelWrites {
  const entries = Object.entries(labels);
  const control = entries.filter(([key]) => CONTROL_LABELS.includes(key));
  return {
    labels: Object.fromEntries(entries.map(([key, value]) => [key, fitsLabel(key, value) ? value : ''])),
    extensions: Object.fromEntries(control.map(([key, value]) => [extensionOfLabel(key), JSON.stringify(value)])),
  };
}

function parseText(json: string | undefined): string | undefined {
  const value = parseJson(json);
  return typeof value === 'string' ? value : undefined;
}

/** Undefined if there is none; empty if it is damaged. */
function parseLabels(json: string | undefined): Labels | undefined {
  if (json === undefined) return undefined;
  const value = parseJson(json);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return {};
  return Object.fromEntries(Object.entries(value).filter(([, label]) => typeof label === 'string'));
}

function parseJson(json: string | undefined): unknown {
  if (json === undefined) return undefined;
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}
