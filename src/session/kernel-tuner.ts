// Auto-tuning of a session: the kernel choices of its adapter, and the peak rate, which is measured once per
// adapter. Both are kept in a store, which is the tuner's own affair.

import { messageOf } from '../core/errors.ts';
import { adapterName } from '../core/host-name.ts';
import type { TuneKernelsOptions } from '../engine/gpu/auto-tuning.ts';
import type { Device } from '../engine/gpu/device.ts';
import type { Graph } from '../engine/graph/graph.ts';
import type { KernelChoices } from '../engine/plan/kernel-choices.ts';
import type { Files } from '../files/files.ts';
import type { Host } from './host.ts';
import { KernelStore } from './kernel-store.ts';
import type { SessionDevice } from './session-device.ts';
import type { SessionEvent } from './session-event.ts';

/** The parts of a session that tuning uses. */
interface TunedSession {
  readonly host: Host;
  readonly files: Files;
  readonly device: SessionDevice;
  readonly emit: (event: SessionEvent) => void;
  readonly signal: AbortSignal;
}

/** Times kernels on the device of a session, and remembers the fastest. */
export class KernelTuner {
  /** Kernels that are not used because they failed their check on this adapter, and what is wrong with each. */
  readonly dropped: Map<string, string>;
  private readonly session: TunedSession;
  /** File of the store; undefined: kernels are not tuned. */
  private readonly path: string | undefined;
  private readonly store: KernelStore | undefined;
  private warned = false;

  /** `path`: file of the store. Without it kernels are not tuned and the default variants are used. */
  constructor(session: TunedSession, path: string | undefined, dropped = new Map<string, string>()) {
    this.session = session;
    this.path = path;
    this.store = path === undefined ? undefined : new KernelStore(session.files, path);
    this.dropped = dropped;
  }

  /** A tuner with the same store for another session. */
  for(session: TunedSession): KernelTuner {
    return new KernelTuner(session, this.path, this.dropped);
  }

  /** Whether engines choose among kernel variants. */
  get isOn(): boolean {
    return this.store !== undefined;
  }

  /**
   * Returns kernel choices for graphs: stored ones, and the others by timing now. `settled`: choices to keep
   * unless their results are wrong.
   */
  async choose(graphs: readonly Graph[], device: Device, settled: KernelChoices): Promise<KernelChoices> {
    const { choices, failure } = await this.tune(device, graphs, { settled });
    if (failure !== undefined && !this.warned)
      this.session.emit({
        type: 'message',
        text: `the tuned kernels could not be stored, so only this run uses them: ${failure}`,
      });
    this.warned ||= failure !== undefined;
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
    const { failure } = await this.tune(await this.session.device.open(), graphs, options);
    return { place: this.path, failure };
  }

  /**
   * Returns the peak rate of the adapter's multiply-adds in GFLOP/s, measured once per adapter (about a
   * second) and kept in the store; undefined on the CPU and without a store.
   */
  async peakGflops(): Promise<number | undefined> {
    const { device: own } = this.session;
    if (own.isCpu || !this.store) return undefined;
    const device = await own.open();
    const adapter = this.adapterKey(device);
    const stored = (await this.store.load(adapter)).peakGflops;
    if (stored) return stored;
    const text = 'measuring the peak rate of multiply-adds';
    this.session.emit({ type: 'progress', task: 'tune', done: 0, total: 1, text });
    const { measurePeakGflops } = await import('../engine/gpu/roofs.ts');
    const peakGflops = await measurePeakGflops(device);
    await this.store
      .save(adapter, { measured: {}, guessed: {}, dropped: {}, peakGflops })
      .catch(() => undefined);
    return peakGflops;
  }

  /**
   * Checks and times kernels, and stores the results, even if it is interrupted. Emits progress, and a
   * warning for each kernel that fails its check. `failure`: why the results could not be stored.
   */
  private async tune(device: Device, graphs: readonly Graph[], options: TuneKernelsOptions) {
    const { session, store } = this;
    const adapter = this.adapterKey(device);
    const stored = await store?.load(adapter);
    const measured: Record<string, string> = {};
    const guessed: Record<string, string> = {};
    for (const [kernel, reason] of Object.entries(stored?.dropped ?? {})) this.drop(kernel, reason);
    const keep = async (): Promise<string | undefined> => {
      if (Object.keys({ ...measured, ...guessed }).length === 0) return undefined;
      try {
        await store?.save(adapter, { measured, guessed, dropped: Object.fromEntries(this.dropped) });
        return undefined;
      } catch (error) {
        return messageOf(error);
      }
    };
    try {
      const { tuneKernels } = await import('../engine/gpu/auto-tuning.ts');
      const choices = await tuneKernels(device, graphs, {
        known: stored?.measured ?? {},
        guessed: stored?.guessed ?? {},
        ...options,
        onMeasured(list) {
          const [best] = list;
          if (best) measured[best.key] = best.variant;
          options.onMeasured?.(list);
        },
        onGuessed(key, variant) {
          guessed[key] = variant;
        },
        onDropped: ({ kernel, reason }) => this.drop(kernel, reason),
        onProgress(done, total, what) {
          session.emit({ type: 'progress', task: 'tune', done, total, text: `measuring kernels: ${what}` });
          session.signal.throwIfAborted();
          options.onProgress?.(done, total, what);
        },
      });
      return { choices, failure: await keep() };
    } catch (error) {
      const failure = await keep();
      if (Object.keys(measured).length > 0 && store && failure === undefined)
        session.emit({ type: 'message', text: `the kernels measured so far are stored in ${this.path}` });
      throw error;
    }
  }

  private drop(kernel: string, reason: string): void {
    const text = `kernel not used on this adapter: ${kernel}: ${reason}`;
    if (!this.dropped.has(kernel)) this.session.emit({ type: 'warning', text });
    this.dropped.set(kernel, reason);
  }

  /** Key of an adapter in the store: the speed of kernels may depend on the version of the host too. */
  private adapterKey({ adapter }: Device): string {
    const { name, version } = this.session.host;
    return `${name}${version ? ` ${version}` : ''} ${adapterName(adapter)}`;
  }
}
