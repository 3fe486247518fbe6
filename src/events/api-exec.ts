const API_EXEC = /^healthctl-([0-9a-f]{64})$/;

/**
 * The id of an exec in containerd that Docker's API knows by its own id, of 64 hex digits; containerd allows 76
 * characters. The API publishes the creation and the start of its execs itself, with the command, which containerd does
 * not report.
 */
export const containerdExecIdOf = (apiId: string): string => `healthctl-${apiId}`;

/** The id in Docker's API; undefined for an exec of another client. */
export const apiExecIdOf = (execId: string): string | undefined => API_EXEC.exec(execId)?.[1];
