import { formatDuration } from '../go/duration.ts';
import { checkKindOf, type GivenHealthConfig, isChecked, mergeHealthConfig, withDefaults } from '../health/config.ts';
import {
  dockerJsonFromHealthConfig,
  dockerPartOf,
  hasOwnFields,
  jsonFromHealthConfig,
  parseHealthConfig,
} from '../health/config-json.ts';
import { MINIMUM_DURATION_NS } from '../health/field.ts';
import { FIELD_NAMES, HEALTH_FIELDS, OPTION_FIELD_NAMES, OPTION_FIELDS } from '../health/fields.ts';
import { originsAtCreate, RECORDED_ORIGINS, type RecordedOrigins } from '../health/origins.ts';
import { fitsLabel, LABELS } from '../lib/labels.ts';
import { objectIn, oneOf, parseJsonText } from '../lib/shape.ts';

/** The health check labels of a new container, and the warnings for the user. */
export interface HealthLabels {
  readonly labels: Readonly<Record<string, string>>;
  /** The label with the origin of each given field; none without a check. */
  readonly originLabels: Readonly<Record<string, string>>;
  readonly warnings: readonly string[];
}

/**
 * Merges the image's check with the flags, and returns the result as labels.
 *
 * @param from.image names the image in warnings
 * @param from.imageValue the image's value, not parsed: an image never makes a create fail
 */
export function healthLabelsFrom(from: {
  readonly image: string;
  readonly imageValue: unknown;
  readonly flags: GivenHealthConfig | undefined;
}): HealthLabels {
  const { image, imageValue, flags } = from;
  const warnings: string[] = [];
  const parsed = parseHealthConfig(imageValue);
  if (parsed.kind === 'malformed')
    warnings.push(`the health check of image ${image} is malformed and not used: ${parsed.reason}`);
  if (parsed.kind === 'config')
    warnings.push(
      ...tinyDurations(parsed.config).map(
        (tiny) => `the health check of image ${image} has ${tiny}, which is below 1ms and not used`,
      ),
    );
  const ofImage = parsed.kind === 'config' ? dockerPartOf(parsed.config) : undefined;
  const config = mergeHealthConfig(ofImage, flags);
  const kind = checkKindOf(config?.test);
  if (kind.kind === 'none' && flags)
    warnings.push(
      'nothing is checked: there are --health-* options, but neither --health-cmd (or -http, -tcp, -grpc) nor a health check in the image',
    );
  if (kind.kind === 'unknown')
    warnings.push(
      `nothing is checked: the kind of health check ${JSON.stringify(kind.type)} is not known (CMD, CMD-SHELL, HTTP, TCP, GRPC or NONE)`,
    );
  if (kind.kind === 'malformed')
    warnings.push(
      `nothing is checked: the health check of image ${image} is malformed and not used: ${kind.type}: ${kind.reason}`,
    );
  if (isChecked(config) && flags?.startIntervalNs && !config?.startPeriodNs)
    warnings.push('--health-start-interval has no effect without a start period (--health-start-period)');
  const labels = config ? healthLabelsOf(config) : {};
  const originLabels = Object.keys(labels).length === 0 ? {} : originsLabel(originsAtCreate(ofImage, flags));
  return { labels, originLabels, warnings };
}

/** The label with the origins of fields, by Docker's keys. */
export function originsLabel(origins: RecordedOrigins): Readonly<Record<string, string>> {
  const entries = FIELD_NAMES.flatMap((name) => (origins[name] ? [[HEALTH_FIELDS[name].key, origins[name]]] : []));
  return { [LABELS.healthOrigins]: JSON.stringify(Object.fromEntries(entries)) };
}

/** Empty without the label: 0.1.0 and other tools do not write it. */
export function recordedOriginsOf(labels: Readonly<Record<string, string>>): RecordedOrigins {
  const found = objectIn(parseJsonText(labels[LABELS.healthOrigins]));
  const isOrigin = oneOf(RECORDED_ORIGINS);
  const origins: { -readonly [K in keyof RecordedOrigins]: RecordedOrigins[K] } = {};
  for (const name of FIELD_NAMES) {
    const origin = found[HEALTH_FIELDS[name].key];
    if (isOrigin(origin)) origins[name] = origin;
  }
  return origins;
}

/**
 * The labels of a config. One that Docker's form or a label cannot express is stored whole in a label of ours, and
 * nerdctl's label gets its part of it. nerdctl runs an unknown `Test[0]` as a command, so its label then says NONE.
 */
export function healthLabelsOf(config: GivenHealthConfig): Readonly<Record<string, string>> {
  const json = (value: GivenHealthConfig) => JSON.stringify(dockerJsonFromHealthConfig(value));
  const whole = (value: GivenHealthConfig) => ({ [LABELS.healthcheck]: JSON.stringify(jsonFromHealthConfig(value)) });
  const ours = (value: GivenHealthConfig) => ({
    ...whole(value),
    [LABELS.nerdctlHealthcheck]: json({ test: ['NONE'] }),
  });
  switch (checkKindOf(config.test).kind) {
    case 'none':
      return {};
    case 'disabled':
      return fitsLabel(LABELS.nerdctlHealthcheck, json(config))
        ? { [LABELS.nerdctlHealthcheck]: json(config) }
        : ours({ test: ['NONE'] });
    case 'unknown':
    case 'malformed':
      return ours(config);
    case 'http':
    case 'tcp':
    case 'grpc':
      return ours(withDefaults(config));
    case 'exec':
    case 'no-command': {
      const complete = withDefaults(config);
      const forNerdctl = json(complete);
      if (!fitsLabel(LABELS.nerdctlHealthcheck, forNerdctl)) return ours(complete);
      return { ...(hasOwnFields(complete) ? whole(complete) : {}), [LABELS.nerdctlHealthcheck]: forNerdctl };
    }
  }
}

/** Impossible durations in an image, e.g. `Interval 10ns`: Docker's own tools refuse to build such an image. */
function tinyDurations(config: GivenHealthConfig): readonly string[] {
  const json = jsonFromHealthConfig(config);
  return OPTION_FIELD_NAMES.flatMap((name) => {
    const { key, option } = OPTION_FIELDS[name];
    const ns = Number(json[key] ?? MINIMUM_DURATION_NS);
    return option.type === 'duration' && ns < MINIMUM_DURATION_NS ? [`${key} ${formatDuration(BigInt(ns))}`] : [];
  });
}
