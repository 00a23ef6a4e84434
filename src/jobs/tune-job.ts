// heddle tune: measures the kernels of a run ahead of time, and keeps which won where every later run finds it.

import type { KernelTiming } from '../gpu/auto-tuning.ts';
import { adapterName } from '../gpu/device.ts';
import type { Job } from '../runtime/job.ts';
import { type PresetArguments, presetGraphs } from './preset-graphs.ts';

/** What to tune for; plain JSON. */
export interface TuneArguments extends PresetArguments {
  /** Seconds after which nothing more is begun. */
  readonly seconds: number;
}

/** What was found; plain JSON. */
export interface TuneResult {
  readonly backend: string;
  readonly adapter: string;
  readonly ms: number;
  /** Nodes with a choice, equal ones counted once. */
  readonly nodes: number;
  /** What was measured of each node, fastest first; the other nodes keep what was known, or take the best of one like them or a guess. */
  readonly measured: readonly (readonly KernelTiming[])[];
  /** Where what won is kept for later runs; absent where it is not. */
  readonly place?: string;
  /** Why it could not be kept. */
  readonly failure?: string;
}

/** Tunes. What was known already is measured again. */
export const tune: Job<TuneArguments, TuneResult> = async (args, context) => {
  const { graphs } = presetGraphs(args);
  const measured: (readonly KernelTiming[])[] = [];
  const device = await context.device();
  const begun = performance.now();
  let nodes = 0;
  const { place, failure } = await context.tune(graphs, {
    budgetMs: args.seconds * 1000,
    measureAll: true,
    onMeasured: (list) => void measured.push(list),
    onProgress(_, of) {
      nodes = of;
    },
  });
  return {
    backend: context.backend,
    adapter: adapterName(device.adapter),
    ms: performance.now() - begun,
    nodes,
    measured,
    ...(place !== undefined && failure === undefined && { place }),
    ...(failure !== undefined && { failure }),
  };
};
