import type { HistoryReader } from '../history/reader.ts';
import {
  type LogQuery,
  type PastDetail,
  type PastOverview,
  pastDetail,
  pastLog,
  pastOverview,
} from './history-answers.ts';
import type { LogAnswer, RangeName } from './wire.ts';

/** What is asked of the history; times in wall time. */
export type HistoryQuery =
  | { readonly kind: 'overview'; readonly range: RangeName; readonly nowMs: number }
  | { readonly kind: 'detail'; readonly key: string; readonly range: RangeName; readonly nowMs: number }
  | ({ readonly kind: 'log' } & LogQuery);

/** Each query's answer. */
export interface HistoryAnswers {
  readonly overview: PastOverview;
  readonly detail: PastDetail | undefined;
  readonly log: LogAnswer;
}

export type AnswerTo<Query extends HistoryQuery> = HistoryAnswers[Query['kind']];

/** Asks the history of one containerd. */
export interface HistoryQueries {
  /** Throws UNAVAILABLE if the history cannot be read now. */
  ask<Query extends HistoryQuery>(query: Query): Promise<AnswerTo<Query>>;
  /** Idempotent. */
  stop(): Promise<void>;
}

/** Answers a query at once; it reads files, which can take hundreds of milliseconds. */
export function answerQuery(reader: HistoryReader, query: HistoryQuery): HistoryAnswers[HistoryQuery['kind']] {
  switch (query.kind) {
    case 'overview':
      return pastOverview(reader, query.range, query.nowMs);
    case 'detail':
      return pastDetail(reader, query, query.nowMs);
    case 'log':
      return pastLog(reader, query);
  }
}
