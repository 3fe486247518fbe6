import { ALL_CAPABILITIES } from '../../oci/capabilities.ts';
import { SIGNAL_NAMES } from '../../oci/signal.ts';
import type { Completion, NameKind } from '../command.ts';

/** What completion offers for options and arguments of several commands. */

const names = (...kinds: readonly NameKind[]): Completion => ({ names: kinds });

/** Arguments by the word in usage. */
export const CONTAINER = names('container');
export const RUNNING = names('running');
/** Running, paused, or about to be restarted. */
export const UP = names('up');
export const PAUSED = names('paused');
export const STOPPED = names('stopped');
export const IMAGE = names('image');
export const NETWORK = names('network');
export const VOLUME = names('volume');
export const VARIABLE = names('variable');
/** An argument that is the user's to choose. */
export const ANYTHING: Completion = {};

export const FILE: Completion = { paths: 'file' };
export const BOOLEAN: Completion = { words: ['true', 'false'] };
export const LABEL: Completion = {};
/** Of lists. */
export const LIST_FORMAT: Completion = { words: ['table', 'json'] };
/** Of documents. */
export const FORMAT: Completion = { words: ['json'] };
export const SIGNAL: Completion = { words: SIGNAL_NAMES };
export const CAPABILITY: Completion = {
  words: ['ALL', ...ALL_CAPABILITIES.map((name) => name.replace(/^CAP_/, ''))],
};
