import type { Advice } from '../../health/diagnosis/advice.ts';
import { shellWord } from '../../health/diagnosis/command-line.ts';
import { isStoppedByUser } from '../../record/restart-label.ts';
import type { ContainerView } from '../../record/view.ts';

/** A reason that no result gives. */
interface NotRunning extends Advice {
  readonly kind: 'not-started' | 'stopped' | 'ended';
  readonly count: undefined;
}

/** Why no check of a container is made: it does not run. Undefined if it does. */
export function notRunningReason(view: ContainerView, program: readonly string[]): NotRunning | undefined {
  const line = (...words: readonly string[]) => [...program, ...words, view.name].map(shellWord).join(' ');
  const count = undefined;
  if (view.state === 'created') {
    const what = view.startFailure ? `its start failed: ${view.startFailure.error}` : 'it was never started';
    return { kind: 'not-started', count, what, remedy: 'start it', command: line('start') };
  }
  if (view.state !== 'exited' && view.state !== 'restarting') return undefined;
  if (view.state === 'exited' && isStoppedByUser(view.record.labels))
    return { kind: 'stopped', count, what: 'it was stopped', remedy: 'start it again', command: line('start') };
  const later = view.state === 'restarting' ? ', and the monitor starts it again after a delay' : '';
  return {
    ...{ kind: 'ended', count, what: `it ended${view.exit ? ` with ${view.exit.code}` : ''}${later}` },
    ...{ remedy: 'see in its output why', command: line('logs', '--tail', '20') },
  };
}
