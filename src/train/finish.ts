// The end of a training: what is told of it, the test part translated with the weights that became the model, the last records of the log.

import type { TextModel } from '../decode/translator.ts';
import type { Engine } from '../engine/engine.ts';
import type { LogEval } from '../report/training-log.ts';
import type { JobContext } from '../runtime/job.ts';
import { sampleEvenly } from '../text/corpus/pairs.ts';
import type { Trainer } from '../trainer/trainer.ts';
import { keptSamples, type Logbook } from './logging.ts';
import type { LoopResult } from './loop.ts';
import { initFolder } from './recipes.ts';
import { type BestModel, describeBest } from './selection.ts';
import type { Setup } from './setup.ts';
import { translateTest } from './test-set.ts';
import type { TrainInputs, TrainResult } from './train-arguments.ts';
import type { TrainedWeights } from './trained-model.ts';

/** A training whose last step is done. */
export interface FinishedTraining {
  readonly engine: Engine;
  readonly trainer: Trainer;
  readonly model: TextModel;
  readonly trained: TrainedWeights;
  readonly best: BestModel;
  readonly logbook: Logbook;
  readonly run: LoopResult;
  /** Evaluations of the dev part. */
  readonly dev: readonly LogEval[];
  readonly inputs?: TrainInputs | undefined;
}

/** Tells how a training ended, translates the test part, ends its log, and gives the result of the job. */
export async function finishTraining(setup: Setup, ended: FinishedTraining, context: JobContext): Promise<TrainResult> {
  const { args, split, task, parameters, steps } = setup;
  const { engine, trainer, model, trained, best, logbook, run, dev, inputs } = ended;
  const { emit, signal, files } = context;
  const log = (text: string) => emit({ type: 'log', text });
  const early = best.outOfPatience && trainer.step < steps;
  const stopped = trainer.step < steps && !early;
  if (early) log(`ended after step ${trainer.step}: ${args.patience} evaluations in a row were no better`);
  if (best.state) log(describeBest(best.state));
  if (args.out) log(`${args.lora ? 'adapter' : 'model'} saved in ${args.out}`);
  const weights = best.weights() ?? (await trained.read());
  trained.put(weights);
  const test = split.test.length ? split.test : split.dev;
  const evaluation =
    args.testSentences > 0 && !signal.aborted
      ? await translateTest(engine, model, sampleEvenly(test, args.testSentences), context)
      : undefined;
  if (evaluation) {
    const { metrics, samples, seconds } = evaluation;
    logbook.add({ type: 'eval', step: trainer.step, part: 'test', ...metrics, seconds });
    logbook.add({ type: 'samples', step: trainer.step, samples: keptSamples(samples) });
  }
  logbook.add({
    type: 'end',
    time: new Date().toISOString(),
    step: trainer.step,
    reason: early ? 'patience' : stopped ? 'stopped' : 'done',
    skipped: run.skipped,
    ...(best.state && { best: best.state }),
  });
  if (args.out)
    for (const [name, bytes] of Object.entries(logbook.files())) await files.write(`${args.out}/${name}`, bytes);
  if (inputs?.onTrained) {
    const all = args.lora ? ((await engine.read('weights')).data as Float32Array) : weights;
    inputs.onTrained({ ...model, weights: all }, args.lora && weights);
  }
  const plans = trainer.programs.flatMap((p) => (p.plan ? [p.plan] : []));
  return {
    config: task.config,
    parameters: parameters.count,
    pairs: task.corpus.count,
    steps: run.losses.length,
    stopped,
    skipped: run.skipped,
    losses: run.losses,
    trainSeconds: run.seconds,
    tokensPerSecond: run.tokens / run.seconds,
    peakBytes: Math.max(0, ...plans.map((p) => p.bytes.peak)),
    dispatches: Math.max(0, ...plans.slice(0, task.shapes.length).map((p) => p.passes.length)),
    dev,
    ...(best.state && { best: best.state }),
    ...(evaluation && { evaluation: { ...evaluation.metrics, samples: evaluation.samples } }),
    out: args.out,
    ...(args.lora && { adapterOf: initFolder(args) as string }),
  };
}
