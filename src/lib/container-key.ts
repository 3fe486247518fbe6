/** Names a container on a host: an id is unique in its namespace alone. */
export interface ContainerRef {
  readonly namespace: string;
  readonly id: string;
}

/** The same as one text, for maps and for messages: `default/0123…`. */
export const keyOf = ({ namespace, id }: ContainerRef): string => `${namespace}/${id}`;
