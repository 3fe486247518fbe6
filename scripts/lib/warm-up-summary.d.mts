export function summaryOf(container: {
  readonly id: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly storedConfig: unknown;
  readonly pid: number;
}): Readonly<Record<string, unknown>>;
