import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock } from '../../lib/clock.ts';
import { HealthctlError } from '../../lib/errors.ts';
import { CONTENT_TYPES, type ExpositionFormat } from '../../metrics/exposition.ts';
import { gzipped, wantsGzip } from '../../system/content-encoding.ts';
import type { MetricsPage, MetricsText } from './page.ts';

/** Answers `GET /metrics`, on the API socket and on TCP. */
export interface MetricsAnswerer {
  /** Resolves when the answer was sent or cut off. Throws UNAVAILABLE if too many clients are being answered. */
  answer(response: ServerResponse): Promise<void>;
}

/** Answers in flight: each may hold a text of some megabytes. */
const MAX_ANSWERS = 8;
/** A client that has not read the whole answer by then is cut off. */
const ANSWER_LIMIT_MS = 10_000;

export function createMetricsAnswerer(page: MetricsPage, clock: Pick<Clock, 'after'>): MetricsAnswerer {
  let answers = 0;
  return {
    answer: async (response) => {
      const { req: request } = response;
      if (answers >= MAX_ANSWERS)
        throw new HealthctlError('UNAVAILABLE', `${MAX_ANSWERS} other clients are reading the metrics`);
      answers += 1;
      const late = clock.after(ANSWER_LIMIT_MS, () => response.destroy());
      const closed = new Promise<void>((resolve) => response.once('close', resolve));
      try {
        const format = formatFrom(request.headers.accept);
        const text = await page.read(format);
        try {
          const body = await encodedFor(request, text);
          if (response.destroyed) return;
          send(response, { ...body, format, isHead: request.method === 'HEAD' });
          await closed;
        } finally {
          text.release();
        }
      } finally {
        late.cancel();
        answers -= 1;
      }
    },
  };
}

interface Encoded extends Pick<MetricsText, 'parts' | 'byteLength'> {
  readonly encoding?: 'gzip';
}

function send(
  response: ServerResponse,
  {
    parts,
    byteLength,
    encoding,
    format,
    isHead,
  }: Encoded & { readonly format: ExpositionFormat; readonly isHead: boolean },
): void {
  response.writeHead(200, {
    'content-type': CONTENT_TYPES[format],
    'content-length': byteLength,
    vary: 'accept, accept-encoding',
    ...(encoding ? { 'content-encoding': encoding } : {}),
  });
  if (!isHead) for (const part of parts) response.write(part);
  response.end();
}

/** OpenMetrics if the client prefers it to text, as Prometheus does; else text, which every client reads. */
export function formatFrom(accept: string | undefined): ExpositionFormat {
  const weights = new Map<string, number>();
  for (const range of (accept ?? '').split(',')) {
    const [type = '', ...parameters] = range.split(';').map((word) => word.trim().toLowerCase());
    const weight = Number(parameters.find((word) => word.startsWith('q='))?.slice(2) ?? 1);
    const isKnownVersion = !parameters.some((word) => /^version=(?!(0\.0\.1|1\.0\.0)$)/.test(word));
    if (type !== 'application/openmetrics-text' || isKnownVersion)
      weights.set(type, Math.max(weights.get(type) ?? 0, Number.isFinite(weight) ? weight : 0));
  }
  const open = weights.get('application/openmetrics-text') ?? 0;
  const text = weights.get('text/plain') ?? weights.get('text/*') ?? 0;
  return open > 0 && open >= text ? 'openmetrics' : 'text';
}

async function encodedFor(request: IncomingMessage, text: MetricsText): Promise<Encoded> {
  if (!wantsGzip(request)) return text;
  const packed = await gzipped(Buffer.concat(text.parts));
  return { parts: [packed], byteLength: packed.length, encoding: 'gzip' };
}
