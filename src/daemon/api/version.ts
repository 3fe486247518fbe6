/**
 * Version of the monitor's API; docs/openapi.json describes it. A change that an older client would misunderstand needs
 * a new version.
 */
export const API_VERSION = 1;
/** The header field with the version in each answer. */
export const API_HEADER = 'healthctl-api';
