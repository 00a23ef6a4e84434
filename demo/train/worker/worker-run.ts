// A training run in the worker, which can be paused and whose model can be used between two updates.

import { msg } from '../../../src/core/message.ts';
import type { CorpusArguments } from '../../../src/entries/data.ts';
import {
  HeddleError,
  type JobEvent,
  type LiveSettings,
  type RunningModel as RunningModelOf,
  type TrainGate,
  type TrainOptions,
  train,
} from '../../../src/entries/heddle.ts';
import { historyOf, type LogRecord, type LogStart } from '../../../src/entries/reports.ts';
import type { Sent } from '../../common/worker-client.ts';
import { type AnyModel, type OtherModels, trainGuests } from '../guests/train-guests.ts';
import type { GpuMemory, RunInfo, SessionEvent, SessionState } from '../protocol.ts';
import type { LoadedModel } from './decode-text.ts';
import { createProgress, type Progress } from './progress-events.ts';
import { type Deferred, deferred, StepGate } from './step-gate.ts';
import { StepRest } from './step-rest.ts';
import { errorForVisitors, messageForVisitors } from './visitor-messages.ts';

/** A training between two updates, whose model is of any kind. */
type RunningModel = RunningModelOf<AnyModel>;

/** Updates that the log keeps in full; of older ones it keeps a part, so that memory is bounded. */
const maxLogSteps = 1000;

/** Functions of the worker that a run calls. */
export interface RunHost {
  send(event: Sent<SessionEvent>): void;
  /** Reads the log of the checkpoint of a resumed run. */
  readLog(): Promise<LogRecord[]>;
  memory(): GpuMemory;
}

/** A training run. */
export interface TrainingRun {
  readonly name: string;
  readonly state: SessionState;
  /** Resolves before the first update; rejects if the run fails earlier. */
  readonly started: Promise<void>;
  /** Resolves when the run has ended for any reason: to its model, or undefined after an error. */
  readonly ended: Promise<AnyModel | undefined>;
  /** Updates done. */
  readonly step: number;
  pause(): Promise<void>;
  /** Does one update of a paused training; resolves when it is paused again, or has ended. */
  singleStep(): Promise<void>;
  continue(): void;
  /** Sets the rest after each update, as a multiple of its duration; 0: none. */
  rest(times: number): void;
  /** Changes settings from the next update on. Rejects with a HeddleError that names the setting. */
  change(settings: LiveSettings): Promise<void>;
  stop(): Promise<void>;
  /** Saves a checkpoint after the current update. */
  save(): Promise<void>;
  /** Runs `work` with the model between two updates. Rejects with a RunEndedError if the run ends first. */
  use<T>(work: (loaded: LoadedModel) => Promise<T>): Promise<T>;
}

/** Starts a training run on a corpus; `name` is the model in the browser's storage. */
export function startTraining(
  name: string,
  corpus: CorpusArguments,
  options: TrainOptions<AnyModel>,
  host: RunHost,
): TrainingRun {
  const stopping = new AbortController();
  const progress = createProgress(name, host.send);
  const saves: Deferred<void>[] = [];
  const run: RunState = {
    name,
    host,
    stopping,
    progress,
    gate: new StepGate(progress, stopping.signal, () => saves.length > 0),
    rest: new StepRest(),
    started: deferred(),
    ended: deferred(),
    saves,
    running: undefined,
    history: [],
  };
  void runToEnd(run, corpus, options).then((model) => {
    run.ended.resolve(model);
    run.gate.close(); // the queued work runs with the finished model
  });
  return controlsOf(run);
}

/** Internal state of a run. */
interface RunState {
  readonly name: string;
  readonly host: RunHost;
  readonly stopping: AbortController;
  readonly progress: Progress;
  readonly gate: StepGate;
  readonly rest: StepRest;
  readonly started: Deferred<void>;
  readonly ended: Deferred<AnyModel | undefined>;
  /** Pending calls that wait for the next checkpoint. */
  readonly saves: Deferred<void>[];
  /**
   * The running training; undefined before the first update, after the end and while a lost device is
   * replaced.
   */
  running: RunningModel | undefined;
  /** Log of a resumed training, until it is sent to the page. */
  history: LogRecord[];
}

/** Returns the step gate of the run, where it pauses and saves. */
function gateOf(run: RunState): TrainGate<AnyModel> {
  const { name, host, progress, gate, rest, saves } = run;
  let begun = false;
  return {
    ready(running) {
      run.running = running;
      const { head } = progress;
      if (!begun && head) {
        begun = true;
        if (head.step > 0) host.send(historyEvent(run.history, head.step));
        run.history = [];
        host.send({ type: 'started', info: runInfo(name, head, running, host.memory()) });
      }
      progress.setState('training');
      run.started.resolve();
    },
    between() {
      const { running } = run;
      if (!running || !gate.isPending) return rest.next();
      return async () => {
        await gate.drain(running);
        rest.begin();
      };
    },
    wantsCheckpoint: () => saves.length > 0,
  };
}

/** Returns the listener that sends the events of the run to the page. */
function listenerOf(run: RunState): (event: JobEvent) => void {
  const { name, host, progress, saves } = run;
  const { send } = host;
  return (event) => {
    switch (event.type) {
      case 'message':
        return send({ type: 'log', text: messageForVisitors(event.template ?? event.text) });
      case 'warning':
        if (event.unsaved)
          for (const { reject } of saves.splice(0)) reject(new HeddleError(event.template ?? event.text));
        if (event.slower) return send({ type: 'slower', times: event.slower.times });
        return send({ type: 'warning', text: messageForVisitors(event.template ?? event.text) });
      case 'progress':
        return event.task === 'train' ? undefined : send({ ...event, text: event.template ?? event.text });
      case 'piece':
      case 'result':
        return undefined;
      case 'devSamples':
        progress.flush();
        return send({ type: 'samples', step: event.step, samples: event.samples });
      case 'checkpoint':
        progress.flush();
        for (const { resolve } of saves.splice(0)) resolve();
        return send({ type: 'checkpoint', model: name, step: event.step, time: Date.now() });
      case 'recovery':
        if (event.state === 'recovered')
          return send({ type: 'recovery', step: event.step, text: event.template ?? event.text });
        progress.flush();
        run.running = undefined;
        return progress.setState('recovering', event.template ?? event.text);
      default:
        return progress.record(event);
    }
  };
}

/**
 * Trains until the last step, a stop or an error, which the last state reports; resolves to the model. Never
 * rejects.
 */
async function runToEnd(
  run: RunState,
  corpus: CorpusArguments,
  options: TrainOptions<AnyModel>,
): Promise<AnyModel | undefined> {
  const { name, host, progress, gate, saves, stopping, started } = run;
  progress.setState('preparing');
  try {
    if (options.resume) run.history = await host.readLog();
    const { signal } = stopping;
    const others = await trainGuests.otherModels?.();
    const trainAny = (others?.trainAnyModel ?? train) as OtherModels['trainAnyModel'];
    const model = await trainAny(corpus, {
      ...options,
      maxLogSteps,
      checkpoint: name,
      force: !options.resume, // the page asks before it replaces a model
      signal,
      gate: gateOf(run),
      onEvent: listenerOf(run),
    });
    progress.flush();
    progress.setState(model.training?.stopped ? 'stopped' : 'done');
    return model;
  } catch (error) {
    progress.flush();
    started.reject(error);
    // Stopped before the first update: nothing to save, and not an error.
    if (stopping.signal.aborted && progress.step === 0) progress.setState('stopped');
    else progress.setState('failed', errorForVisitors(error));
    return undefined;
  } finally {
    run.running = undefined;
    const endError = new HeddleError(msg`The training of ${name} has ended.`);
    for (const { reject } of saves.splice(0)) reject(endError);
    gate.rejectPause(endError);
  }
}

/** Functions of a run for the worker. */
function controlsOf(run: RunState): TrainingRun {
  const { name, progress, gate, rest, saves, stopping, started, ended } = run;
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
      return run.running?.step() ?? progress.step;
    },
    started: started.promise,
    ended: ended.promise,
    async pause() {
      if (progress.state === 'paused') return;
      rest.end();
      // Save a checkpoint first. If that fails, a warning is shown and the training is still paused.
      if (!gate.paused) void save().catch(() => undefined);
      await gate.pause();
    },
    async singleStep() {
      if (progress.state !== 'paused')
        throw new HeddleError(msg`A single step needs a paused training; pause it first.`);
      void save().catch(() => undefined);
      // This may be the last step: the state says how the training has ended.
      await gate.step().catch(() => undefined);
    },
    continue: () => gate.continue(),
    rest: (times) => rest.set(times),
    change(settings) {
      const result = deferred<void>();
      gate.enqueue(async (running) => {
        if (!running) return result.reject(new HeddleError(msg`The training of ${name} has ended.`));
        await running.change(settings).then(result.resolve, result.reject);
      });
      return result.promise;
    },
    async stop() {
      if (['preparing', 'training', 'paused', 'recovering'].includes(progress.state))
        progress.setState('stopping');
      stopping.abort();
      gate.wake();
      rest.end();
      await ended.promise;
    },
    save,
    use<T>(work: (loaded: LoadedModel) => Promise<T>): Promise<T> {
      const result = deferred<T>();
      gate.enqueue(async (running) => {
        if (!running) return result.reject(new RunEndedError());
        const { model, step, onModel } = running;
        // An error only rejects the call: if the device is lost, the next step reports it.
        await onModel(() => work({ name, model, step: step() })).then(result.resolve, result.reject);
      });
      return result.promise;
    },
  };
}

/** Error of work that was queued when the run ended. */
export class RunEndedError extends Error {
  override readonly name = 'RunEndedError';
}

/** Steps and evaluations up to step `until` of a resumed training. */
function historyEvent(log: readonly LogRecord[], until: number): SessionEvent {
  const { steps, evals, probes, changes } = historyOf(log);
  return {
    type: 'history',
    steps: steps.filter((s) => s.step <= until),
    evals: evals.filter((e) => e.step <= until && e.part === 'dev'),
    probes: probes.filter((p) => p.step <= until),
    changes: changes.filter((c) => c.step <= until),
  };
}

function runInfo(name: string, head: LogStart, { plans, live }: RunningModel, memory: GpuMemory): RunInfo {
  const { schedule } = head.recipe as { schedule: { kind: string } };
  return {
    model: name,
    parameters: head.parameters,
    backend: head.backend,
    plannedBytes: Math.max(0, ...plans.map((p) => p.bytes.peak)),
    gpuBytes: memory.bytes,
    live: live(),
    schedule: schedule.kind,
  };
}
