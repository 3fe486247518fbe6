import { DAMAGES, describeDamaged } from '../e2e/support/damaged-files.ts';

describeDamaged('damaged files of each kind', [
  ...DAMAGES.map((kind) => ({ kind, what: 'file' as const })),
  ...DAMAGES.filter((kind) => kind !== 'a directory').map((kind) => ({ kind, what: 'directory' as const })),
]);
