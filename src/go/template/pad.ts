/** The flags, width and precision between `%` and the verb. */
export interface Flags {
  readonly plus: boolean;
  readonly minus: boolean;
  readonly sharp: boolean;
  readonly space: boolean;
  readonly zero: boolean;
  readonly width: number | undefined;
  readonly precision: number | undefined;
  /** `%#v`: in Go syntax. */
  readonly goSyntax: boolean;
  /** `%+v`: with field names. */
  readonly named: boolean;
  /** 0 for the argument itself, where `&` marks a pointer to a struct. */
  readonly depth: number;
}

export const noFlags: Flags = {
  plus: false,
  minus: false,
  sharp: false,
  space: false,
  zero: false,
  width: undefined,
  precision: undefined,
  goSyntax: false,
  named: false,
  depth: 0,
};

/** Pads to the width, on the left unless `-` was given; counted in characters. */
export function pad(text: string, { width, minus, zero }: Flags): string {
  if (width === undefined) return text;
  const missing = width - [...text].length;
  if (missing <= 0) return text;
  return minus ? text + ' '.repeat(missing) : (zero ? '0' : ' ').repeat(missing) + text;
}
