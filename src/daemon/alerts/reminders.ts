import type { Clock } from '../../lib/clock.ts';
import { counted } from '../../lib/counted.ts';
import type { AlertBook } from './alert-book.ts';
import type { DeliverAlerts, SentAlert } from './deliver.ts';
import { reasonOf, verdictOf } from './retry.ts';

interface RemindersDeps {
  readonly book: Pick<AlertBook, 'firings'>;
  readonly deliver: DeliverAlerts;
  readonly resendMs: number | undefined;
  readonly shown: string;
  readonly clock: Clock;
  readonly log: { warn(text: string): void };
}

/** Sends firing alerts periodically: Alertmanager resolves an alert that it does not get again. */
interface Reminders {
  /** Sends all of them. */
  send(signal: AbortSignal): Promise<void>;
  /** Monotonic time; infinity if nothing fires. */
  nextAtMs(): number;
  /** Makes them due now. */
  hurry(): void;
}

/** Alerts in one request. */
const MAX_BATCH = 100;
/** After a failure they are sent again in this part of the interval: well before they end. */
const RETRY_SHARE = 4;

export function createReminders({ book, deliver, resendMs, shown, clock, log }: RemindersDeps): Reminders {
  let lastMs: number | undefined;
  let hasFailed = false;
  const deliveredAlerts = (): readonly SentAlert[] =>
    resendMs === undefined
      ? []
      : book
          .firings()
          .flatMap(({ event, isDelivered }) => (isDelivered ? [{ event, entry: { firing: event, damped: 0 } }] : []));
  const nextAtMs = (): number => {
    if (resendMs === undefined || deliveredAlerts().length === 0) {
      lastMs = undefined;
      return Number.POSITIVE_INFINITY;
    }
    lastMs ??= clock.monotonic();
    return lastMs + (hasFailed ? resendMs / RETRY_SHARE : resendMs);
  };

  return {
    nextAtMs,
    hurry: () => {
      lastMs = Number.NEGATIVE_INFINITY;
    },
    send: async (signal) => {
      const alerts = deliveredAlerts();
      let failure: string | undefined;
      for (let at = 0; at < alerts.length && failure === undefined && !signal.aborted; at += MAX_BATCH) {
        const [first, ...others] = alerts.slice(at, at + MAX_BATCH);
        const outcome = first && (await deliver([first, ...others], signal));
        if (outcome && verdictOf(outcome) !== 'delivered') failure = reasonOf(outcome);
      }
      lastMs = clock.monotonic();
      if (failure !== undefined && !hasFailed && !signal.aborted)
        log.warn(`${shown}: ${counted(alerts.length, 'firing alert')} not sent again; retrying: ${failure}`);
      hasFailed = failure !== undefined;
    },
  };
}
