// Auto-tuning of a session: the kernel choices of its adapter, and its peak rate. The work is in
// stored-tuning.ts.

import type { TuneKernelsOptions } from '../engine/gpu/auto-tuning.ts';
import type { Device } from '../engine/gpu/device.ts';
import type { Graph } from '../engine/graph/graph.ts';
import type { KernelChoices } from '../engine/plan/kernel-choices.ts';
import { fuseAndTune, measureAll, peakOf, type TunedSession } from './stored-tuning.ts';

/** Times kernels on the device of a session, and remembers the fastest. */
export class KernelTuner {
  /** Kernels that are not used because they failed their check on this adapter, and what is wrong with each. */
  readonly dropped: Map<string, string>;
  readonly #session: TunedSession;
  readonly #path: string | undefined;
  #warned = false;

  /** `path`: file of the store. Without it kernels are not tuned and the default variants are used. */
  constructor(session: TunedSession, path: string | undefined, dropped = new Map<string, string>()) {
    this.#session = session;
    this.#path = path;
    this.dropped = dropped;
  }

  /** A tuner with the same store for another session. */
  for(session: TunedSession): KernelTuner {
    return new KernelTuner(session, this.#path, this.dropped);
  }

  /** Whether engines choose among kernel variants. */
  get isOn(): boolean {
    return this.#path !== undefined;
  }

  /**
   * Returns kernel choices for graphs: stored ones, and the others by timing now. `settled`: choices to keep
   * unless their results are wrong.
   */
  async choose(graphs: readonly Graph[], device: Device, settled: KernelChoices): Promise<KernelChoices> {
    const [session, path] = [this.#session, this.#path];
    const { choices, text } = await fuseAndTune(session, path, this.dropped, device, graphs, settled);
    if (text && !this.#warned) session.emit({ type: 'message', text });
    this.#warned ||= text !== undefined;
    return choices;
  }

  /**
   * Times kernels for graphs now and stores the fastest. Resolves to the path of the store, if there is one,
   * and why it could not be written, if it failed. Rejects on the CPU.
   */
  async measure(
    graphs: readonly Graph[],
    options: TuneKernelsOptions,
  ): Promise<{ readonly place: string | undefined; readonly failure: string | undefined }> {
    return measureAll(this.#session, this.#path, this.dropped, graphs, options);
  }

  /**
   * Returns the peak rate of the adapter's multiply-adds in GFLOP/s, measured once per adapter (about a
   * second) and kept in the store; undefined on the CPU and without a store.
   */
  async peakGflops(): Promise<number | undefined> {
    return peakOf(this.#session, this.#path);
  }
}
