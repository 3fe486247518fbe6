import { describeDamaged } from './support/damaged-files.ts';

// Those that could make a program wait, need memory without end, or read what it cannot. test/long/damaged-files.test.ts
// has all kinds.
describeDamaged('damaged files', [
  { kind: 'a FIFO', what: 'file' },
  { kind: 'a link to an endless device', what: 'file' },
  { kind: 'a text that is none of ours', what: 'file' },
  { kind: 'a FIFO', what: 'directory' },
]);
