import type { TcpTest } from '../health/native-test.ts';
import type { Outcome } from '../health/result.ts';
import { healthy, outcomeOfFailed } from './native-outcome.ts';
import type { NetworkSession } from './network-session.ts';

/** Healthy if the connection is accepted. Sends nothing. */
export async function probeTcp(session: NetworkSession, test: TcpTest): Promise<Outcome> {
  const connection = await session.connect(test);
  if (connection.kind !== 'connected') return outcomeOfFailed(connection);
  return healthy(`connected to ${connection.endpointText}`);
}
