// Auto-tuning with the store of kernel choices: what is known of an adapter is read before, and what was measured
// is written after. This code is imported when kernels are tuned, so that a page does not load it before.

import { messageOf } from '../core/errors.ts';
import { adapterName } from '../core/host-name.ts';
import { type Message, msg, renderMessage } from '../core/message.ts';
import { type TuneKernelsOptions, tuneKernels } from '../engine/gpu/auto-tuning.ts';
import type { Device } from '../engine/gpu/device.ts';
import { measurePeakGflops } from '../engine/gpu/roofs.ts';
import type { Graph } from '../engine/graph/graph.ts';
import type { KernelChoices } from '../engine/plan/kernel-choices.ts';
import type { Files } from '../files/files.ts';
import type { Host } from './host.ts';
import { KernelStore } from './kernel-store.ts';
import type { SessionDevice } from './session-device.ts';
import type { Reported, SessionEvent } from './session-event.ts';

/** The parts of a session that tuning uses. */
export interface TunedSession {
  readonly host: Host;
  readonly files: Files;
  readonly device: SessionDevice;
  readonly emit: (event: Reported<SessionEvent>) => void;
  readonly signal: AbortSignal;
}

/** Key of an adapter in the store: the speed of kernels may depend on the version of the host too. */
const adapterKey = ({ name, version }: TunedSession['host'], { adapter }: Device): string =>
  `${name}${version ? ` ${version}` : ''} ${adapterName(adapter)}`;

/**
 * Checks and times kernels, and stores the results in the file `path`, if it is given, even if tuning is
 * interrupted. Emits progress, and a warning for each kernel that fails its check, which it adds to `dropped`.
 * `failure`: why the results could not be stored.
 */
async function tuneWithStore(
  { host, files, emit, signal }: TunedSession,
  path: string | undefined,
  dropped: Map<string, string>,
  device: Device,
  graphs: readonly Graph[],
  options: TuneKernelsOptions,
): Promise<{ readonly choices: KernelChoices; readonly failure: string | undefined }> {
  const store = path === undefined ? undefined : new KernelStore(files, path);
  const adapter = adapterKey(host, device);
  const stored = await store?.load(adapter);
  const measured: Record<string, string> = {};
  const guessed: Record<string, string> = {};
  const drop = (kernel: string, reason: Message | string) => {
    const text = msg`kernel not used on this adapter: ${kernel}: ${reason}`;
    if (!dropped.has(kernel)) emit({ type: 'warning', text });
    dropped.set(kernel, renderMessage(reason));
  };
  for (const [kernel, reason] of Object.entries(stored?.dropped ?? {})) drop(kernel, reason);
  const keep = async (): Promise<string | undefined> => {
    if (Object.keys({ ...measured, ...guessed }).length === 0) return undefined;
    try {
      await store?.save(adapter, { measured, guessed, dropped: Object.fromEntries(dropped) });
      return undefined;
    } catch (error) {
      return messageOf(error);
    }
  };
  try {
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
      onDropped: ({ kernel, reason }) => drop(kernel, reason),
      onProgress(done, total, what) {
        emit({ type: 'progress', task: 'tune', done, total, text: msg`measuring kernels: ${what}` });
        signal.throwIfAborted();
        options.onProgress?.(done, total, what);
      },
    });
    return { choices, failure: await keep() };
  } catch (error) {
    const failure = await keep();
    if (Object.keys(measured).length > 0 && store && failure === undefined)
      emit({ type: 'message', text: msg`the kernels measured so far are stored in ${path}` });
    throw error;
  }
}

/**
 * `tuneWithStore` for graphs that will run. It fuses the sublayers of decoding steps of few rows, and norms of training
 * steps with the layers around them, into one dispatch each, in place, if that is faster on the device. On software
 * adapters it is not: there a dispatch costs little.
 * `text`: a message about a store that could not be written.
 */
export async function fuseAndTune(
  session: TunedSession,
  path: string | undefined,
  dropped: Map<string, string>,
  device: Device,
  graphs: readonly Graph[],
  settled: KernelChoices,
): Promise<{ readonly choices: KernelChoices; readonly text: Message | undefined }> {
  const tune = (some: readonly Graph[]) => tuneWithStore(session, path, dropped, device, some, { settled });
  const few = device.traits.software ? [] : graphs.filter((graph) => decodesFewRows(graph) || trains(graph));
  const fuse = few.length > 0 && (await session.host.fewerLaunches?.());
  if (fuse) {
    const choose = async (fused: Graph) => (await tune([fused])).choices;
    for (const graph of few)
      if (trains(graph)) await fuse.fuseFasterNorms(graph, settled, choose);
      else await fuse.fuseIfFaster(graph, choose);
  }
  const { choices, failure } = await tune(graphs);
  const text =
    failure === undefined
      ? undefined
      : msg`the tuned kernels could not be stored, so only this run uses them: ${failure}`;
  return { choices, text };
}

/** The work of `KernelTuner.measure`. */
export async function measureAll(
  session: TunedSession,
  place: string | undefined,
  dropped: Map<string, string>,
  graphs: readonly Graph[],
  options: TuneKernelsOptions,
): Promise<{ readonly place: string | undefined; readonly failure: string | undefined }> {
  const device = await session.device.open();
  const { failure } = await tuneWithStore(session, place, dropped, device, graphs, options);
  return { place, failure };
}

/** Whether a graph is a training step. */
const trains = ({ nodes }: Graph): boolean => nodes.some(({ op }) => op.name === 'linear_backward');

/** Whether a graph is a decoding step of at most 8 rows: cheap to tell, so that others load nothing. */
const decodesFewRows = ({ nodes }: Graph): boolean =>
  nodes.some(({ op, outputs }) => op.name === 'cached_cross_attention' && (outputs[0]?.shape[0] ?? 0) <= 8);

/**
 * Returns the peak rate of the adapter in GFLOP/s: the stored one, or measures and stores it; undefined on the CPU
 * and without a store.
 */
export async function peakOf(
  { host, files, emit, device: own }: TunedSession,
  path: string | undefined,
): Promise<number | undefined> {
  if (own.isCpu || path === undefined) return undefined;
  const device = await own.open();
  const store = new KernelStore(files, path);
  const adapter = adapterKey(host, device);
  const stored = (await store.load(adapter)).peakGflops;
  if (stored) return stored;
  const text = 'measuring the peak rate of multiply-adds';
  emit({ type: 'progress', task: 'tune', done: 0, total: 1, text });
  const peakGflops = await measurePeakGflops(device);
  await store.save(adapter, { measured: {}, guessed: {}, dropped: {}, peakGflops }).catch(() => undefined);
  return peakGflops;
}
