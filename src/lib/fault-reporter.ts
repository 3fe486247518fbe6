/** Receives a message, with the path, about a file that cannot be used. Default: none. */
export type OnFault = (text: string) => void;

/** The context of a function that reads the record of a container or network: `dirs` of any context. */
export interface FaultReporter {
  readonly onFault?: OnFault | undefined;
}
