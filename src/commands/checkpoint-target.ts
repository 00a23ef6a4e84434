// What `heddle convert` makes of a checkpoint beside formats of models, such as a folder that PyTorch continues.

import type { Converted } from '../api/convert-folder.ts';
import type { CommandJob } from './remote/command-job.ts';

/** Arguments of the job; plain JSON. */
export interface ConvertRunArguments {
  /** Folder of the checkpoint. */
  readonly folder: string;
  readonly out: string;
  /** Total number of updates that the data is for. [the planned updates, and the end of the schedule] */
  readonly steps?: number;
}

/** Result of the job; plain JSON. */
export interface ConvertedRun extends Converted {
  /** The updates that the data is for. */
  readonly steps: { readonly first: number; readonly last: number };
}

/** A value of `--to` that takes a checkpoint. */
export interface CheckpointTarget {
  /** The value. */
  readonly name: string;
  /** What it writes, for help texts. */
  readonly title: string;
  readonly job: CommandJob<ConvertRunArguments, ConvertedRun>;
  /** How the folder is used, a line. */
  usage(out: string): string;
}
