/** The status of a layer, in Docker's words. */
type ProgressStatus =
  | 'Pulling fs layer'
  | 'Already exists'
  | 'Downloading'
  | 'Download complete'
  | 'Loading layer'
  | 'Extracting'
  | 'Pull complete'
  | 'Preparing'
  | 'Waiting'
  | 'Pushing'
  | 'Pushed'
  | 'Layer already exists'
  | `Mounted from ${string}`;

interface Progress {
  /** The layer: twelve characters of its digest. */
  readonly ref: string;
  readonly status: ProgressStatus;
  /** Bytes. */
  readonly current?: number;
  readonly total?: number;
}

/** Called often: it must be cheap, and must not throw. */
export type OnProgress = (progress: Progress) => void;
