// heddle tune: checks and measures the kernels of a run in advance, and caches the fastest for later runs.

import { adapterName } from '../../core/host-name.ts';
import type { KernelTiming } from '../../engine/gpu/auto-tuning.ts';
import type { Job } from '../../session/job.ts';
import { type PresetArguments, presetGraphs } from './preset-graphs.ts';

/** The run to tune; plain JSON. */
export interface TuneArguments extends PresetArguments {
  /** Time limit in seconds. */
  readonly seconds: number;
}

/** Results of auto-tuning; plain JSON. */
export interface TuneResult {
  readonly backend: string;
  readonly adapter: string;
  readonly ms: number;
  /** Number of different nodes with several kernel variants. */
  readonly nodes: number;
  /**
   * Times of each measured node, fastest first. Other nodes use a cached choice, the choice of a similar
   * node, or the default.
   */
  readonly measured: readonly (readonly KernelTiming[])[];
  /** Kernels that fail their check on this adapter, so that they are not used, with the reason. */
  readonly dropped: Readonly<Record<string, string>>;
  /** Path of the cached choices; absent if they are not cached. */
  readonly place?: string;
  /** Why they could not be cached. */
  readonly failure?: string;
}

/** Tunes the kernels of a run; ignores cached choices. */
export const tune: Job<TuneArguments, TuneResult> = async (args, session) => {
  const { graphs } = await presetGraphs(args, session.features.sourceKinds);
  const measured: (readonly KernelTiming[])[] = [];
  const device = await session.device.open();
  const begun = performance.now();
  let nodes = 0;
  const { place, failure } = await session.kernels.measure(graphs, {
    budgetMs: args.seconds * 1000,
    measureAll: true,
    onMeasured: (list) => void measured.push(list),
    onProgress(_, total) {
      nodes = total;
    },
  });
  return {
    backend: session.backend,
    adapter: adapterName(device.adapter),
    ms: performance.now() - begun,
    nodes,
    measured,
    dropped: Object.fromEntries(session.kernels.dropped),
    place: failure === undefined ? place : undefined,
    failure,
  };
};
