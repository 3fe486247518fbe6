/** Of the monitor's API; docs/openapi.json describes it. A change that an older client would misunderstand makes it another version. */
export const API_VERSION = 1;
/** The header field of each answer that carries the version. */
export const API_HEADER = 'healthctl-api';
