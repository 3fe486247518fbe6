import { HealthctlError } from '../lib/errors.ts';
import { DIGEST } from './digest-text.ts';
import { type Document, parseDocument } from './document.ts';

/** The parsed config blob of an image: its description and how to run it. */
export interface ImageConfig {
  readonly architecture: string;
  readonly os: string;
  readonly variant: string | undefined;
  /** RFC 3339, as written by the builder. */
  readonly created: string | undefined;
  readonly author: string;
  readonly comment: string;
  readonly dockerVersion: string;
  readonly env: readonly string[];
  readonly cmd: readonly string[] | undefined;
  readonly entrypoint: readonly string[] | undefined;
  readonly user: string;
  readonly workingDir: string;
  /** All labels of the image: see trustedImageLabels. */
  readonly labels: Readonly<Record<string, string>>;
  readonly stopSignal: string | undefined;
  /** E.g. `80/tcp`. */
  readonly exposedPorts: readonly string[];
  readonly volumes: readonly string[];
  readonly shell: readonly string[] | undefined;
  readonly onBuild: readonly string[] | undefined;
  /**
   * The image's health check, not parsed: the value of `config.Healthcheck`, else the JSON of the label
   * `nerdctl/healthcheck` (its text, if that is not JSON), else undefined.
   */
  readonly healthcheck: unknown;
  /** Digests of the uncompressed layers, the lowest first. */
  readonly diffIds: readonly string[];
  /** The steps that made it, the first one first; as many as the builder wrote. */
  readonly history: readonly HistoryStep[];
}

interface HistoryStep {
  /** RFC 3339. */
  readonly created: string | undefined;
  readonly createdBy: string;
  readonly comment: string;
  /** Whether the step made no layer. */
  readonly isEmpty: boolean;
}

const HEALTHCHECK_LABEL = 'nerdctl/healthcheck';
const RESERVED_PREFIXES = ['nerdctl/', 'healthctl/', 'containerd.io/'];

/**
 * Parses the config blob of an image, Docker's or OCI's. Throws CORRUPT with image and field, but never because of a
 * health check.
 *
 * @param image names the image in errors, e.g. `busybox:latest`
 */
export function parseImageConfig(image: string, bytes: Uint8Array): ImageConfig {
  const document = parseDocument(`config of image ${image}`, bytes);
  const config = document.object('config');
  const labels = config?.stringMap('Labels') ?? {};
  return {
    architecture: document.string('architecture') ?? '',
    os: document.string('os') ?? 'linux',
    variant: document.string('variant') || undefined,
    created: document.string('created') || undefined,
    author: document.string('author') ?? '',
    comment: document.string('comment') ?? '',
    dockerVersion: document.string('docker_version') ?? '',
    env: config?.strings('Env') ?? [],
    cmd: config?.strings('Cmd'),
    entrypoint: config?.strings('Entrypoint'),
    user: config?.string('User') ?? '',
    workingDir: config?.string('WorkingDir') ?? '',
    labels,
    stopSignal: config?.string('StopSignal') || undefined,
    exposedPorts: config?.keys('ExposedPorts') ?? [],
    volumes: config?.keys('Volumes') ?? [],
    shell: config?.strings('Shell'),
    onBuild: config?.strings('OnBuild'),
    healthcheck: config?.raw('Healthcheck') ?? healthcheckOfLabels(labels),
    diffIds: parseDiffIds(document),
    history: (document.objects('history') ?? []).map(historyStepFrom),
  };
}

/**
 * The labels of an image that a container may inherit: none under the prefixes that control containerd, nerdctl and
 * healthctl.
 */
export function trustedImageLabels(labels: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(labels).filter(([key]) => !RESERVED_PREFIXES.some((prefix) => key.startsWith(prefix))),
  );
}

function historyStepFrom(step: Document): HistoryStep {
  return {
    created: step.string('created') || undefined,
    createdBy: step.string('created_by') ?? '',
    comment: step.string('comment') ?? '',
    isEmpty: step.raw('empty_layer') === true,
  };
}

function parseDiffIds(document: Document): readonly string[] {
  const rootfs = document.object('rootfs');
  if (!rootfs) throw document.wrong('rootfs', 'is missing');
  const diffIds = rootfs.strings('diff_ids') ?? [];
  const bad = diffIds.find((diffId) => !DIGEST.test(diffId));
  if (bad !== undefined) throw rootfs.wrong('diff_ids', 'holds something that is not a sha256 digest');
  return diffIds;
}

function healthcheckOfLabels(labels: Readonly<Record<string, string>>): unknown {
  const text = Object.hasOwn(labels, HEALTHCHECK_LABEL) ? labels[HEALTHCHECK_LABEL] : undefined;
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** Throws CORRUPT if config and manifest differ in their layers. */
export function checkLayerCount(image: string, config: ImageConfig, layers: number): void {
  if (config.diffIds.length === layers) return;
  throw new HealthctlError(
    'CORRUPT',
    `image ${image} has ${layers} layers, but its config names ${config.diffIds.length}`,
  );
}
