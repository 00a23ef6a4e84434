// A training in the worker: runs the job `train` and is its host, so that it can be paused, looked at and used between two updates.

import { HeddleError } from '../../../src/core/errors.ts';
import type { Files } from '../../../src/files/files.ts';
import { historyOf, type LogRecord, type LogStart } from '../../../src/report/training-log.ts';
import type { JobContext } from '../../../src/runtime/job.ts';
import type { RunningTraining, TrainingObserver } from '../../../src/runtime/training-observer.ts';
import { readLog } from '../../../src/train/logging.ts';
import { recoveringTrain } from '../../../src/train/recovery.ts';
import type { TrainArguments } from '../../../src/train/settings.ts';
import type { MemoryFacts, RunFacts, SessionEvent, SessionState } from '../protocol.ts';
import type { InUse } from './decode-text.ts';
import { type Deferred, deferred } from './deferred.ts';
import { createProgress, type Progress } from './progress-events.ts';
import { createInterludes, type Interludes } from './step-gate.ts';

/** Updates that the log keeps singly, about as many as a chart has points: a training of days takes the memory of an hour's. */
const keptSteps = 1000;

/** What a training has of the worker. */
export interface TrainingHost {
  /** Makes a job's context with this host of trainings. */
  context(live: TrainingObserver, signal: AbortSignal, files: Files): { context: JobContext; close(): Promise<void> };
  tell(event: SessionEvent): void;
  memory(): MemoryFacts;
}

/** One training, from its start to its end. */
export interface Training {
  readonly name: string;
  readonly state: SessionState;
  /** Resolves when the first update may begin; rejects where it does not come to that. */
  readonly started: Promise<void>;
  /** Resolves when it has ended, however. */
  readonly ended: Promise<void>;
  /** Updates done. */
  readonly step: number;
  pause(): Promise<void>;
  continue(): void;
  stop(): Promise<void>;
  /** Saves a checkpoint after the running update. */
  save(): Promise<void>;
  /** Does something with the model between two updates. */
  use<T>(work: (inUse: InUse) => Promise<T>): Promise<T>;
  /** Destroys the device, as a driver would. */
  loseDevice(): Promise<void>;
}

/** Starts a training. `files` has the model's folder, and the corpus where that is a text. */
export function startTraining(name: string, args: TrainArguments, files: Files, host: TrainingHost): Training {
  const stopping = new AbortController();
  const progress = createProgress(name, host.tell);
  const savings: Deferred<void>[] = [];
  const parts: Parts = {
    name,
    host,
    stopping,
    progress,
    interludes: createInterludes(progress, stopping.signal, () => savings.length > 0),
    started: deferred(),
    ended: deferred(),
    savings,
    live: undefined,
    history: [],
  };
  const { context, close } = host.context(liveOf(parts), stopping.signal, files);
  void runToEnd(parts, args, context).finally(async () => {
    await close();
    parts.ended.resolve();
    parts.interludes.endWork(); // with the saved model
  });
  return controlsOf(parts, context);
}

/** What a training consists of. */
interface Parts {
  readonly name: string;
  readonly host: TrainingHost;
  readonly stopping: AbortController;
  readonly progress: Progress;
  readonly interludes: Interludes;
  readonly started: Deferred<void>;
  readonly ended: Deferred<void>;
  /** Whoever waits for the next checkpoint. */
  readonly savings: Deferred<void>[];
  /** What trains now: undefined before the first update, after the end, and while a lost device is replaced. */
  live: RunningTraining | undefined;
  /** The log so far of a training that goes on, until the page has heard of it. */
  history: LogRecord[];
}

/** What the job `train` tells its host and asks of it. */
function liveOf(parts: Parts): TrainingObserver {
  const { name, host, progress, interludes, savings } = parts;
  const { tell } = host;
  let begun = false;
  return {
    keptSteps,
    record: progress.record,
    ready(training) {
      parts.live = training;
      const { head } = progress;
      if (!begun && head) {
        begun = true;
        if (head.step > 0) tell(historyEvent(parts.history, head.step));
        parts.history = [];
        tell({ type: 'started', facts: runFacts(name, head, training, host.memory()), resumedAt: head.step });
      }
      progress.enter('training');
      parts.started.resolve();
    },
    samples(step, samples) {
      progress.flush();
      tell({ type: 'samples', step, samples });
    },
    between: () => (parts.live && interludes.due ? interludes.hold(parts.live) : undefined),
    wantsSave: () => savings.length > 0,
    saved(step) {
      progress.flush();
      for (const { resolve } of savings.splice(0)) resolve();
      tell({ type: 'saved', model: name, step, time: Date.now() });
    },
    warning(text) {
      for (const { reject } of savings.splice(0)) reject(new HeddleError(text));
      tell({ type: 'warning', text });
    },
    lost(why) {
      progress.flush();
      parts.live = undefined;
      progress.enter('recovering', why);
    },
    back: (step, text) => tell({ type: 'recovered', step, text }),
  };
}

/** Trains until all updates are done, the training is stopped, or it fails: the last state says which. Never rejects. */
async function runToEnd(parts: Parts, args: TrainArguments, context: JobContext): Promise<void> {
  const { name, host, progress, interludes, savings, stopping, started } = parts;
  const warn = (text: string) => host.tell({ type: 'warning', text });
  progress.enter('preparing');
  try {
    if (args.resume) parts.history = await readLog(context.files, args.out, warn);
    const { stopped } = await recoveringTrain(args, context);
    progress.flush();
    progress.enter(stopped ? 'stopped' : 'done');
  } catch (error) {
    progress.flush();
    started.reject(error);
    // Stopped before its first update: there is nothing to keep, and nothing went wrong.
    if (stopping.signal.aborted && progress.step === 0) progress.enter('stopped');
    else progress.enter('failed', error instanceof Error ? error.message : String(error));
  } finally {
    parts.live = undefined;
    const gone = new HeddleError(`The training of ${name} has ended.`);
    for (const { reject } of savings.splice(0)) reject(gone);
    interludes.endPause(gone);
  }
}

/** What the worker can do with a training. */
function controlsOf(parts: Parts, context: JobContext): Training {
  const { name, progress, interludes, savings, stopping, started, ended } = parts;
  const save = (): Promise<void> => {
    const saving = deferred<void>();
    savings.push(saving);
    return saving.promise;
  };
  return {
    name,
    get state() {
      return progress.state;
    },
    get step() {
      return parts.live?.step() ?? progress.step;
    },
    started: started.promise,
    ended: ended.promise,
    async pause() {
      if (progress.state === 'paused') return;
      // A checkpoint first; one that cannot be saved has its own warning, and the training waits all the same.
      if (!interludes.paused) void save().catch(() => undefined);
      await interludes.pause();
    },
    continue: interludes.continue,
    async stop() {
      if (['preparing', 'training', 'paused', 'recovering'].includes(progress.state)) progress.enter('stopping');
      stopping.abort();
      interludes.wake();
      await ended.promise;
    },
    save,
    use<T>(work: (inUse: InUse) => Promise<T>): Promise<T> {
      const result = deferred<T>();
      interludes.want(async (training) => {
        if (!training) return result.reject(new Ended());
        try {
          const { engine, model } = training;
          result.resolve(await training.onModel(() => work({ name, engine, model, step: training.step() })));
        } catch (error) {
          result.reject(error);
          // A lost device is the training's matter too.
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

/** Thrown to what waited for a training that ended meanwhile. */
export class Ended extends Error {
  override readonly name = 'Ended';
}

/** What came before step `until` of a training that goes on there. */
function historyEvent(log: readonly LogRecord[], until: number): SessionEvent {
  const { steps, evals } = historyOf(log);
  return {
    type: 'history',
    steps: steps.filter((s) => s.step <= until),
    evals: evals.filter((e) => e.step <= until && e.part === 'dev'),
  };
}

function runFacts(name: string, head: LogStart, { plans }: RunningTraining, memory: MemoryFacts): RunFacts {
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
