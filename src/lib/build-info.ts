declare const HEALTHCTL_VERSION: string | undefined;
declare const HEALTHCTL_COMMIT: string | undefined;

/** The version in package.json, inserted by scripts/build.mjs; `0.0.0-dev` when run from the sources. */
export const version = typeof HEALTHCTL_VERSION === 'string' ? HEALTHCTL_VERSION : '0.0.0-dev';

/** Short hash of the built commit, or `dev`. */
export const commit = typeof HEALTHCTL_COMMIT === 'string' ? HEALTHCTL_COMMIT : 'dev';
