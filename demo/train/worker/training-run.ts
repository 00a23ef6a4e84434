// A training run in the worker, which can be paused and whose model can be used between two updates.

import { HeddleError } from '../../../src/core/errors.ts';
import type { Files } from '../../../src/files/files.ts';
import { historyOf, type LogRecord, type LogStart } from '../../../src/report/training-log.ts';
import type { JobContext, JobEvent } from '../../../src/runtime/job.ts';
import type { RunningTraining, TrainingGate } from '../../../src/runtime/training-gate.ts';
import { readLog } from '../../../src/train/logging.ts';
import { runTraining } from '../../../src/train/recovery.ts';
import type { TrainArguments } from '../../../src/train/train-arguments.ts';
import type { GpuMemory, RunInfo, SessionEvent, SessionState } from '../protocol.ts';
import type { LoadedModel } from './decode-text.ts';
import { createProgress, type Progress } from './progress-events.ts';
import { createStepGate, type Deferred, deferred, type StepGate } from './step-gate.ts';

/** Updates that the log keeps in full; older ones are thinned out, so that memory is bounded. */
const maxLogSteps = 1000;

/** What a run needs of the worker. */
export interface RunHost {
  /** Creates the context of the run. */
  context(
    emit: (event: JobEvent) => void,
    signal: AbortSignal,
    files: Files,
  ): { context: JobContext; close(): Promise<void> };
  /** Files for checkpoints in memory. [new ones] */
  readonly snapshots?: Files;
  send(event: SessionEvent): void;
  memory(): GpuMemory;
}

/** A training run. */
export interface TrainingRun {
  readonly name: string;
  readonly state: SessionState;
  /** Resolves before the first update; rejects if the run fails earlier. */
  readonly started: Promise<void>;
  /** Resolves when the run has ended for any reason. */
  readonly ended: Promise<void>;
  /** Updates done. */
  readonly step: number;
  pause(): Promise<void>;
  continue(): void;
  stop(): Promise<void>;
  /** Saves a checkpoint after the current update. */
  save(): Promise<void>;
  /** Runs `work` with the model between two updates. Rejects with a RunEndedError if the run ends first. */
  use<T>(work: (loaded: LoadedModel) => Promise<T>): Promise<T>;
  /** Destroys the device, for tests. */
  loseDevice(): Promise<void>;
}

/** Starts a training run. `files` contains the model's folder, and the corpus if it is a text. */
export function startTraining(name: string, args: TrainArguments, files: Files, host: RunHost): TrainingRun {
  const stopping = new AbortController();
  const progress = createProgress(name, host.send);
  const saves: Deferred<void>[] = [];
  const run: RunState = {
    name,
    host,
    stopping,
    progress,
    gate: createStepGate(progress, stopping.signal, () => saves.length > 0),
    started: deferred(),
    ended: deferred(),
    saves,
    live: undefined,
    history: [],
  };
  const { context, close } = host.context(listenerOf(run), stopping.signal, files);
  void runToEnd(run, args, context).finally(async () => {
    await close();
    run.ended.resolve();
    run.gate.close(); // with the saved model
  });
  return controlsOf(run, context);
}

/** Internal state of a run. */
interface RunState {
  readonly name: string;
  readonly host: RunHost;
  readonly stopping: AbortController;
  readonly progress: Progress;
  readonly gate: StepGate;
  readonly started: Deferred<void>;
  readonly ended: Deferred<void>;
  /** Pending calls that wait for the next checkpoint. */
  readonly saves: Deferred<void>[];
  /** The running training; undefined before the first update, after the end and while a lost device is replaced. */
  live: RunningTraining | undefined;
  /** Log of a resumed training, until it is sent to the page. */
  history: LogRecord[];
}

/** Returns the gate of the run, in which it starts, pauses and saves. */
function gateOf(run: RunState): TrainingGate {
  const { name, host, progress, gate, saves } = run;
  let begun = false;
  return {
    ready(training) {
      run.live = training;
      const { head } = progress;
      if (!begun && head) {
        begun = true;
        if (head.step > 0) host.send(historyEvent(run.history, head.step));
        run.history = [];
        host.send({ type: 'started', info: runInfo(name, head, training, host.memory()), resumedAt: head.step });
      }
      progress.setState('training');
      run.started.resolve();
    },
    between: () => (run.live && gate.isPending ? gate.drain(run.live) : undefined),
    wantsCheckpoint: () => saves.length > 0,
  };
}

/** Returns the listener that turns events of the run into those of the page. */
function listenerOf(run: RunState): (event: JobEvent) => void {
  const { name, host, progress, saves } = run;
  const { send } = host;
  return (event) => {
    switch (event.type) {
      case 'message':
        return send({ type: 'log', text: event.text });
      case 'warning':
        for (const { reject } of saves.splice(0)) reject(new HeddleError(event.text));
        return send(event);
      case 'progress':
        return event.task === 'train' ? undefined : send(event);
      case 'piece':
        return undefined;
      case 'devSamples':
        progress.flush();
        return send({ type: 'samples', step: event.step, samples: event.samples });
      case 'checkpoint':
        progress.flush();
        for (const { resolve } of saves.splice(0)) resolve();
        return send({ type: 'checkpoint', model: name, step: event.step, time: Date.now() });
      case 'recovery':
        if (event.state === 'recovered') return send({ type: 'recovery', step: event.step, text: event.text });
        progress.flush();
        run.live = undefined;
        return progress.setState('recovering', event.text);
      default:
        return progress.record(event);
    }
  };
}

/** Trains until the last step, a stop or an error, which the last state reports. Never rejects. */
async function runToEnd(run: RunState, args: TrainArguments, context: JobContext): Promise<void> {
  const { name, host, progress, gate, saves, stopping, started } = run;
  const warn = (text: string) => host.send({ type: 'warning', text });
  progress.setState('preparing');
  try {
    if (args.resume) run.history = await readLog(context.files, args.out, warn);
    const { stopped } = await runTraining(args, context, {
      gate: gateOf(run),
      maxLogSteps,
      snapshots: run.host.snapshots,
    });
    progress.flush();
    progress.setState(stopped ? 'stopped' : 'done');
  } catch (error) {
    progress.flush();
    started.reject(error);
    // Stopped before the first update: nothing to save, and not an error.
    if (stopping.signal.aborted && progress.step === 0) progress.setState('stopped');
    else progress.setState('failed', error instanceof Error ? error.message : String(error));
  } finally {
    run.live = undefined;
    const endError = new HeddleError(`The training of ${name} has ended.`);
    for (const { reject } of saves.splice(0)) reject(endError);
    gate.rejectPause(endError);
  }
}

/** Functions of a run for the worker. */
function controlsOf(run: RunState, context: JobContext): TrainingRun {
  const { name, progress, gate, saves, stopping, started, ended } = run;
  const save = (): Promise<void> => {
    const saving = deferred<void>();
    saves.push(saving);
    return saving.promise;
  };
  return {
    name,
    get state() {
      return progress.state;
    },
    get step() {
      return run.live?.step() ?? progress.step;
    },
    started: started.promise,
    ended: ended.promise,
    async pause() {
      if (progress.state === 'paused') return;
      // Save a checkpoint first. If that fails there is a warning, and the training is paused all the same.
      if (!gate.paused) void save().catch(() => undefined);
      await gate.pause();
    },
    continue: gate.continue,
    async stop() {
      if (['preparing', 'training', 'paused', 'recovering'].includes(progress.state)) progress.setState('stopping');
      stopping.abort();
      gate.wake();
      await ended.promise;
    },
    save,
    use<T>(work: (loaded: LoadedModel) => Promise<T>): Promise<T> {
      const result = deferred<T>();
      gate.enqueue(async (training) => {
        if (!training) return result.reject(new RunEndedError());
        try {
          const { engine, model } = training;
          result.resolve(await training.onModel(() => work({ name, engine, model, step: training.step() })));
        } catch (error) {
          result.reject(error);
          // The training must recover from a lost device.
          if ((await context.lost?.()) !== undefined) throw error;
        }
      });
      return result.promise;
    },
    async loseDevice() {
      (await context.device()).gpu.destroy();
    },
  };
}

/** Error of work that was queued when the run ended. */
export class RunEndedError extends Error {
  override readonly name = 'Ended';
}

/** Steps and evaluations up to step `until` of a resumed training. */
function historyEvent(log: readonly LogRecord[], until: number): SessionEvent {
  const { steps, evals } = historyOf(log);
  return {
    type: 'history',
    steps: steps.filter((s) => s.step <= until),
    evals: evals.filter((e) => e.step <= until && e.part === 'dev'),
  };
}

function runInfo(name: string, head: LogStart, { plans }: RunningTraining, memory: GpuMemory): RunInfo {
  return {
    model: name,
    parameters: head.parameters,
    steps: head.steps,
    stepsPerEpoch: head.stepsPerEpoch,
    backend: head.backend,
    plannedBytes: Math.max(0, ...plans.map((p) => p.bytes.peak)),
    gpuBytes: memory.bytes,
    dispatches: head.plan?.dispatches ?? 0,
    pairs: head.corpus.pairs,
    shapes: head.plan?.shapes ?? [],
  };
}
