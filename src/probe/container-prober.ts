import type { NativeTest } from '../health/native-test.ts';
import { createExecProber, type ExecProberOptions } from './exec.ts';
import type { Prober } from './prober.ts';

/** Probes by whatever mechanism the check asks for. Sockets are not loaded before the first check that needs one. */
export function createContainerProber(options: ExecProberOptions): Prober {
  const exec = createExecProber(options);
  let native: Promise<Prober<NativeTest>> | undefined;
  const load = async () => (await import('./native.ts')).createNativeProber(options);
  return {
    probe: async (target, command, signal) => {
      if (command.kind === 'exec') return exec.probe(target, command, signal);
      native ??= load();
      return (await native).probe(target, command, signal);
    },
  };
}
