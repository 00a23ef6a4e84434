// What a run needs of memory: the plans of all its programs, without a device.

import type { DeviceTraits } from '../../engine/ops/device-traits.ts';
import { adaptedParameters } from '../../model/lora.ts';
import { type EncodedCorpus, shortened } from '../../text/batches/encoded-corpus.ts';
import { sampleEvenly } from '../../text/corpus/pairs.ts';
import { Trainer } from '../update/trainer.ts';
import type { EvaluationPrograms, TrainerPlans } from '../update/trainer-graphs.ts';
import { devPairs, devPrograms } from './dev-evaluation.ts';
import { fittingPairs, translationShape } from './evaluation.ts';
import type { PreparedRun } from './prepared-run.ts';
import { precisionOf, textModelOf } from './trained-model.ts';

/** The encoded pairs that a run evaluates, if it evaluates any. */
export interface EvaluatedPairs {
  /** Pairs of the evaluations during the run. */
  readonly dev?: EncodedCorpus;
  /** Pairs that are translated at the end. */
  readonly test?: EncodedCorpus;
}

/** Encodes the pairs that a run evaluates. */
export async function evaluatedPairs({ args, data, dev, test }: PreparedRun): Promise<EvaluatedPairs> {
  const last = sampleEvenly(test.length > 0 ? test : dev, args.testSentences);
  return {
    dev: args.evalSteps > 0 && dev.length > 0 ? (await devPairs(data, dev)).corpus : undefined,
    test: last.length > 0 ? (await fittingPairs(data, last)).corpus : undefined,
  };
}

/** The plans of a run on a device. Throws as `Trainer.plan`. */
export async function plansOfRun(
  run: PreparedRun,
  evaluated: EvaluatedPairs,
  traits: DeviceTraits,
  signal: AbortSignal | undefined,
): Promise<TrainerPlans> {
  const { recipe, data, update, start, parameters } = run;
  const { config, batches } = data;
  const options = { ...recipe.trainer, ...(await precisionOf(recipe, config, parameters, start)) };
  const evaluations = evaluationPrograms(run, evaluated);
  return Trainer.plan({ config, parameters }, update, batches.shapes, options, {
    traits,
    evaluations,
    signal,
  });
}

/** What a run prepares to evaluate its dev and test pairs. */
function evaluationPrograms(run: PreparedRun, { dev, test }: EvaluatedPairs): EvaluationPrograms {
  const { args, recipe, data } = run;
  const { config, batches, trainingSource } = data;
  const model = textModelOf(run);
  const parameters = adaptedParameters(run.parameters, recipe.lora);
  // A run that is planned with another maximum length has fewer positions than the pairs were encoded for.
  const fitting = (corpus: EncodedCorpus) =>
    shortened(corpus, { maxSource: config.maxLength, maxTarget: config.maxLength });
  const decoder = (corpus: EncodedCorpus, rows: readonly number[], maxTarget: number) => {
    if (rows.length === 0) return [];
    const shape = translationShape(config, corpus, rows, maxTarget);
    return trainingSource.decoderGraphs({ model, parameters, shape });
  };
  const devCorpus = dev && fitting(dev);
  const testCorpus = test && fitting(test);
  const programs = devCorpus && devPrograms(config, devCorpus, batches.shapes, args.devSentences);
  return {
    dev: programs && {
      longer: programs.longer,
      decoder: decoder(devCorpus, programs.rows, programs.maxTarget),
    },
    test: testCorpus && decoder(testCorpus, [...Array(testCorpus.count).keys()], config.maxLength),
  };
}
