// The end of a run: reports why it ended, translates the test pairs with the final weights, and closes the
// log.

import type { TextModel } from '../../decode/translator.ts';
import { mfuOf } from '../../engine/gpu/roofs.ts';
import { sampleEvenly } from '../../text/corpus/pairs.ts';
import type { TrainingSession } from '../report/training-events.ts';
import { initFolder } from '../settings/recipes.ts';
import type { RunParts } from './checkpoints.ts';
import { translateTest } from './evaluation.ts';
import { keptSamples } from './logging.ts';
import type { LoopResult } from './loop.ts';
import { describeBest } from './selection.ts';
import type { Setup } from './setup.ts';
import type { TrainInputs, TrainResult } from './train-result.ts';

/**
 * The result without the records of the updates and dev evaluations; recovery.ts has those of all attempts.
 */
export type AttemptResult = Omit<TrainResult, 'steps' | 'losses' | 'dev'>;

/** A run after its last step. */
interface FinishedTraining extends RunParts {
  readonly model: TextModel;
  readonly result: LoopResult;
  readonly inputs: TrainInputs;
  /** Peak rate of the adapter in GFLOP/s, if it is known. */
  readonly peak: number | undefined;
}

/** Finishes a run and returns its result. */
export async function finishTraining(
  setup: Setup,
  finished: FinishedTraining,
  { emit, signal, files }: TrainingSession,
): Promise<AttemptResult> {
  const { args, dev: devPairs, test: testPairs, task, parameters, steps } = setup;
  const { engine, trainer, model, trained, best, logbook, result, inputs, peak } = finished;
  const message = (text: string) => emit({ type: 'message', text });
  const early = best.outOfPatience && trainer.step < steps;
  const stopped = trainer.step < steps && !early;
  if (early)
    message(`early stopping at step ${trainer.step}: ${args.patience} evaluations without improvement`);
  if (best.state) message(describeBest(best.state));
  if (args.out) message(`${args.lora ? 'LoRA adapter' : 'model'} saved in ${args.out}`);
  const weights = best.weights() ?? (await trained.read());
  trained.put(weights);
  const test = testPairs.length ? testPairs : devPairs;
  const evaluation =
    args.testSentences > 0 && !signal.aborted
      ? await translateTest(
          engine,
          model,
          trainer.parameters,
          sampleEvenly(test, args.testSentences),
          signal,
          message,
        )
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
    skipped: result.skipped,
    ...(best.state && { best: best.state }),
  });
  if (args.out)
    for (const [name, bytes] of Object.entries(logbook.files()))
      await files.write(`${args.out}/${name}`, bytes);
  inputs.onTrained?.({ ...model, weights: await trained.whole(weights) }, args.lora && weights);
  return {
    config: task.config,
    parameters: parameters.count,
    pairs: task.corpus.count,
    stopped,
    skipped: result.skipped,
    trainSeconds: result.seconds,
    tokensPerSecond: result.tokens / result.seconds,
    ...(peak && result.modelFlops > 0 && { mfu: mfuOf(result.modelFlops, result.seconds, peak) }),
    peakBytes: Math.max(0, ...trainer.plans.map((p) => p.bytes.peak)),
    dispatches: Math.max(0, ...trainer.trainingPlans.map((p) => p.passes.length)),
    ...(best.state && { best: best.state }),
    ...(evaluation && { evaluation: { ...evaluation.metrics, samples: evaluation.samples } }),
    out: args.out,
    ...(args.lora && { loraBase: initFolder(args) as string }),
  };
}
