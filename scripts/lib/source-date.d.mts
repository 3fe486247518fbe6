export function sourceDate(env?: Readonly<Record<string, string | undefined>>): number;
