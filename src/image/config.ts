import { HealthctlError } from '../lib/errors.ts';
import { DIGEST } from './digest-text.ts';
import { type Document, parseDocument } from './document.ts';

/** What an image says about itself and about how to run it: its config blob, parsed. */
export interface ImageConfig {
  readonly architecture: string;
  readonly os: string;
  readonly variant: string | undefined;
  /** RFC 3339, as the builder wrote it. */
  readonly created: string | undefined;
  readonly author: string;
  readonly env: readonly string[];
  readonly cmd: readonly string[] | undefined;
  readonly entrypoint: readonly string[] | undefined;
  readonly user: string;
  readonly workingDir: string;
  /** As the image has them: see trustedImageLabels. */
  readonly labels: Readonly<Record<string, string>>;
  readonly stopSignal: string | undefined;
  /** E.g. `80/tcp`. */
  readonly exposedPorts: readonly string[];
  readonly volumes: readonly string[];
  readonly shell: readonly string[] | undefined;
  readonly onBuild: readonly string[] | undefined;
  /**
   * The image's health check, not parsed: the value of `config.Healthcheck`, else the JSON of the label `nerdctl/healthcheck` (its
   * text, where that is no JSON), else undefined.
   */
  readonly healthcheck: unknown;
  /** Digests of the uncompressed layers, the lowest first. */
  readonly diffIds: readonly string[];
}

const HEALTHCHECK_LABEL = 'nerdctl/healthcheck';
const RESERVED_PREFIXES = ['nerdctl/', 'healthctl/', 'containerd.io/'];

/**
 * Parses the config blob of an image, Docker's or OCI's. Throws CORRUPT naming image and field; a health check is never the reason.
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
  };
}

/** The labels of an image that a container may take over: none under the prefixes by which containerd, nerdctl and we steer things. */
export function trustedImageLabels(labels: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(labels).filter(([key]) => !RESERVED_PREFIXES.some((prefix) => key.startsWith(prefix))),
  );
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

/** Throws CORRUPT when config and manifest do not speak of the same layers. */
export function checkLayerCount(image: string, config: ImageConfig, layers: number): void {
  if (config.diffIds.length === layers) return;
  throw new HealthctlError(
    'CORRUPT',
    `image ${image} has ${layers} layers, but its config names ${config.diffIds.length}`,
  );
}
