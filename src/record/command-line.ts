/** A program with its arguments in one line, as lists show it (moby: daemon/container/view.go, transform). */
export function commandLine([program = '', ...args]: readonly string[]): string {
  return [program, ...args.map((arg) => (arg.includes(' ') ? `'${arg}'` : arg))].join(' ');
}
