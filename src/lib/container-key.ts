/** Identifies a container on a host: an id is unique only within its namespace. */
export interface ContainerRef {
  readonly namespace: string;
  readonly id: string;
}

/** The container key as one text, for maps and messages: `default/0123…`. */
export const keyOf = ({ namespace, id }: ContainerRef): string => `${namespace}/${id}`;
