// The sizes at which kernels that guests bring are checked and timed.

/** The sizes of the kernels of a report. */
export interface KernelSizes {
  readonly batch: number;
  readonly length: number;
  readonly width: number;
  readonly channels: number;
  readonly rows: number;
  readonly vocab: number;
}

/** Kernels of a family: one for each combination of values, of which any may be a list. */
export type KernelList = readonly [
  family: string,
  values: Readonly<Record<string, number | string | readonly (number | string)[]>>,
];
