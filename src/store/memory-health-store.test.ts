import { healthStoreContract } from '../../test/contract/health-store.ts';
import { createMemoryHealthStore } from './memory-health-store.ts';

healthStoreContract('in memory', () => ({ store: createMemoryHealthStore({ maxEntries: 5 }), maxEntries: 5 }));
