// A training in the worker: runs the job `train` and is its host, so that it can be paused, looked at and used between two updates.

import { HeddleError } from '../../src/errors.ts';
import type { Files } from '../../src/formats/files.ts';
import type { JobContext } from '../../src/jobs/job.ts';
import type { Live, LiveTraining } from '../../src/jobs/live.ts';
import { readLog } from '../../src/jobs/logbook.ts';
import { recoveringTrain } from '../../src/jobs/recover.ts';
import type { TrainArguments } from '../../src/jobs/train-arguments.ts';
import { courseOf, type LogRecord, type LogStart } from '../../src/report/log.ts';
import type { MemoryFacts, RunFacts, SessionEvent, SessionState, StepEvent } from './protocol.ts';
import type { InUse } from './translation.ts';

/** Milliseconds between messages with updates. */
const stepsEvery = 50;
/** Updates that the log keeps singly, about as many as a chart has points: a training of days takes the memory of an hour's. */
const keptSteps = 1000;

/** What a training has of the worker. */
export interface TrainingHost {
  /** Makes a job's context with this host of trainings. */
  context(live: Live, signal: AbortSignal, files: Files): { context: JobContext; close(): Promise<void> };
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

/** A promise and what settles it. */
function deferred<T>() {
  let [resolve, reject]: [(value: T) => void, (error: unknown) => void] = [() => {}, () => {}];
  const promise = new Promise<T>((a, b) => {
    [resolve, reject] = [a, b];
  });
  promise.catch(() => {}); // whoever waits hears of it
  return { promise, resolve, reject };
}

/** Starts a training. `files` has the model's folder, and the corpus where that is a text. */
export function startTraining(name: string, args: TrainArguments, files: Files, host: TrainingHost): Training {
  const { tell } = host;
  const stopping = new AbortController();
  const [started, ended] = [deferred<void>(), deferred<void>()];
  let state: SessionState = 'preparing';
  let text = '';
  let live: LiveTraining | undefined;
  let head: LogStart | undefined;
  let [step, steps, seconds, toldAt] = [0, 0, 0, 0];
  let unsent: StepEvent[] = [];
  /** Work for which the engine is wanted, and whoever waits for a save or a pause. */
  const wanted: ((training: LiveTraining) => Promise<void>)[] = [];
  const savings: { resolve(): void; reject(error: unknown): void }[] = [];
  let paused = false;
  let pausing = deferred<void>();
  let wake = () => {};

  const tellState = (next: SessionState, why = '') => {
    state = next;
    text = why;
    tell({ type: 'state', state, model: name, step, steps, text });
  };
  const flush = () => {
    if (unsent.length === 0) return;
    tell({ type: 'steps', steps: unsent });
    unsent = [];
    toldAt = performance.now();
  };
  const record = (r: LogRecord): void => {
    if (r.type === 'start') {
      seconds = 0;
      [steps, step] = [r.steps, Math.max(step, r.step)];
      head ??= r;
    } else if (r.type === 'step') {
      step = r.step;
      unsent.push({ ...r, stepMs: Math.max(0, r.seconds - seconds) * 1000 });
      seconds = r.seconds;
      if (performance.now() - toldAt >= stepsEvery) flush();
    } else {
      flush();
      if (r.type === 'eval' && r.part === 'dev') tell({ type: 'dev', eval: r });
    }
  };
  /** Has the engine: serves all that is wanted, and waits while it is paused. */
  const interlude = async (training: LiveTraining): Promise<void> => {
    flush();
    while (wanted.length > 0 || (paused && !stopping.signal.aborted)) {
      const work = wanted.shift();
      if (work) await work(training);
      else {
        if (state !== 'paused') tellState('paused');
        pausing.resolve();
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    }
    if (state === 'paused') tellState(stopping.signal.aborted ? 'stopping' : 'training');
  };
  const hostOfTraining: Live = {
    keptSteps,
    record,
    ready(training) {
      live = training;
      if (state === 'recovering' || !head) return void tellState('training');
      if (head.step > 0) void tellHistory(head.step);
      tell({ type: 'started', facts: runFacts(name, head, training, host.memory()), resumedAt: head.step });
      tellState('training');
      started.resolve();
    },
    samples(at, samples) {
      flush();
      tell({ type: 'samples', step: at, samples });
    },
    between: () => (live && (wanted.length > 0 || paused) ? interlude(live) : undefined),
    wantsSave: () => savings.length > 0,
    saved(at) {
      flush();
      for (const { resolve } of savings.splice(0)) resolve();
      tell({ type: 'saved', model: name, step: at, time: Date.now() });
    },
    warning: (warning) => {
      for (const { reject } of savings.splice(0)) reject(new HeddleError(warning));
      tell({ type: 'warning', text: warning });
    },
    lost(why) {
      flush();
      live = undefined;
      tellState('recovering', why);
    },
    back: (at, why) => tell({ type: 'recovered', step: at, text: why }),
  };
  let history: LogRecord[] = [];
  const tellHistory = (until: number) => {
    const { steps: all, evals } = courseOf(history);
    tell({
      type: 'history',
      steps: all.filter((s) => s.step <= until),
      evals: evals.filter((e) => e.step <= until && e.part === 'dev'),
    });
    history = [];
  };

  const { context, close } = host.context(hostOfTraining, stopping.signal, files);
  const run = async (): Promise<void> => {
    tellState('preparing');
    try {
      if (args.resume) history = await readLog(files, args.out, (warning) => tell({ type: 'warning', text: warning }));
      const { stopped } = await recoveringTrain(args, context);
      flush();
      tellState(stopped ? 'stopped' : 'done');
    } catch (error) {
      flush();
      started.reject(error);
      // Stopped before its first update: there is nothing to keep, and nothing went wrong.
      if (stopping.signal.aborted && step === 0) tellState('stopped');
      else tellState('failed', error instanceof Error ? error.message : String(error));
    } finally {
      live = undefined;
      const gone = new HeddleError(`The training of ${name} has ended.`);
      for (const { reject } of savings.splice(0)) reject(gone);
      pausing.reject(gone);
      await close();
      ended.resolve();
      // What is wanted still is done with the saved model.
      for (const work of wanted.splice(0)) void work({} as LiveTraining);
    }
  };
  void run();

  const training: Training = {
    name,
    get state() {
      return state;
    },
    get step() {
      return live?.step() ?? step;
    },
    started: started.promise,
    ended: ended.promise,
    async pause() {
      if (state === 'paused') return;
      if (!paused) {
        paused = true;
        pausing = deferred<void>();
        // A checkpoint first; one that cannot be saved has its own warning, and the training waits all the same.
        void training.save().catch(() => undefined);
      }
      await pausing.promise;
    },
    continue() {
      paused = false;
      wake();
    },
    async stop() {
      if (state === 'preparing' || state === 'training' || state === 'paused' || state === 'recovering')
        tellState('stopping');
      stopping.abort();
      wake();
      await ended.promise;
    },
    save() {
      const saving = deferred<void>();
      savings.push(saving);
      return saving.promise;
    },
    use<T>(work: (inUse: InUse) => Promise<T>): Promise<T> {
      const result = deferred<T>();
      wanted.push(async (now) => {
        if (!now.engine) return result.reject(new Ended());
        try {
          const { engine, model } = now;
          result.resolve(await now.onModel(() => work({ name, engine, model, step: now.step() })));
        } catch (error) {
          result.reject(error);
          // A lost device is the training's matter too.
          if ((await context.lost?.()) !== undefined) throw error;
        }
      });
      wake();
      return result.promise;
    },
    async loseDevice() {
      (await context.device()).gpu.destroy();
    },
  };
  return training;
}

/** Thrown to what waited for a training that ended meanwhile. */
export class Ended extends Error {
  override readonly name = 'Ended';
}

function runFacts(name: string, head: LogStart, { plans }: LiveTraining, memory: MemoryFacts): RunFacts {
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
