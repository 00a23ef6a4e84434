// The test part of a corpus: translated at the end of a training, and judged.

import type { TextModel } from '../decode/translator.ts';
import type { Engine } from '../engine/engine.ts';
import type { JobContext } from '../runtime/job.ts';
import type { Pair } from '../text/corpus/pairs.ts';
import { createTranslationEvaluator, type EvaluationResult, fittingPairs } from './translation-evaluator.ts';

/** Translates held-out sentences greedily and judges them; undefined where none fits the model, or the signal was aborted. */
export async function translateTest(
  engine: Engine,
  model: TextModel,
  pairs: readonly Pair[],
  { emit, signal }: JobContext,
): Promise<(EvaluationResult & { readonly seconds: number }) | undefined> {
  const test = fittingPairs(model, pairs);
  if (test.leftOut) emit({ type: 'log', text: `test: ${test.leftOut}` });
  if (test.pairs.length === 0) return undefined;
  emit({ type: 'log', text: `translating ${test.pairs.length} sentences that were never seen` });
  const begin = performance.now();
  try {
    const judge = await createTranslationEvaluator(engine, model, test);
    return { ...(await judge.evaluate(signal)), seconds: (performance.now() - begin) / 1000 };
  } catch (error) {
    if (signal.aborted) return undefined;
    throw error;
  }
}
