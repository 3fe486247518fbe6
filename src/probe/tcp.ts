import type { TcpTest } from '../health/native-test.ts';
import type { Outcome } from '../health/result.ts';
import { healthy, outcomeOfFailed } from './native-outcome.ts';
import type { Visit } from './visit.ts';

/** Healthy when the connection is accepted. Nothing is sent. */
export async function probeTcp(visit: Visit, test: TcpTest): Promise<Outcome> {
  const connection = await visit.connect(test);
  if (connection.kind !== 'connected') return outcomeOfFailed(connection);
  return healthy(`connected to ${connection.place}`);
}
