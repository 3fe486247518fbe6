import type { CheckReport } from '../check/check.ts';
import { HealthctlError, hasCode } from '../lib/errors.ts';

type Recorded = Extract<CheckReport, { kind: 'recorded' }>;

/**
 * The result of a check that somebody asked for. One that was dropped is an error.
 *
 * @throws NOT_FOUND in nerdctl's words, `no such container x`; ABORTED, CONFLICT; what the check throws
 */
export async function recordedCheck(name: string, check: () => Promise<CheckReport>): Promise<Recorded> {
  const report = await inNerdctlsWords(name, check);
  if (report.kind === 'recorded') return report;
  const what = `the health check of ${name} was not recorded`;
  switch (report.reason) {
    case 'cancelled':
      throw new HealthctlError('ABORTED', `${what}: it was cancelled`);
    case 'paused':
      throw new HealthctlError('CONFLICT', `${what}: the container was paused meanwhile`);
    case 'ended':
      throw new HealthctlError('CONFLICT', `${what}: the container ended meanwhile`);
  }
}

async function inNerdctlsWords(name: string, check: () => Promise<CheckReport>): Promise<CheckReport> {
  try {
    return await check();
  } catch (error) {
    if (!hasCode(error, 'NOT_FOUND')) throw error;
    const hint = error.hint === undefined ? {} : { hint: error.hint };
    throw new HealthctlError('NOT_FOUND', `no such container ${name}`, { cause: error, ...hint });
  }
}
