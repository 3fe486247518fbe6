/** A line of `healthctl doctor`. */
export interface HostFinding {
  /** What was looked at, e.g. `containerd`. */
  readonly name: string;
  readonly status: 'ok' | 'warning' | 'error';
  /** What was found: a clause. */
  readonly what: string;
  /** What to do. Always with an error or a warning that something can be done about. */
  readonly remedy?: string;
}

export const ok = (name: string, what: string): HostFinding => ({ name, status: 'ok', what });

export const warning = (name: string, what: string, remedy?: string): HostFinding => ({
  ...{ name, status: 'warning', what },
  ...(remedy === undefined ? {} : { remedy }),
});

export const error = (name: string, what: string, remedy?: string): HostFinding => ({
  ...warning(name, what, remedy),
  status: 'error',
});
