// The loss that a run adds to that of the tokens: guided alignment, whose code only such runs load.

import { guidedAlignmentWeight } from '../settings/data-settings.ts';
import type { TrainSettings } from '../settings/train-settings.ts';
import type { GraphOptions } from '../update/training-graphs.ts';

/** The option `addLoss` of the graphs of a run; undefined for most runs. */
export async function furtherLoss({
  guidedAlignment,
  guidedAlignmentWeight: weight = guidedAlignmentWeight,
}: TrainSettings): Promise<GraphOptions['addLoss']> {
  if (guidedAlignment === undefined) return undefined;
  const { guidedLoss } = await import('../../features/corpora/train/guided-loss.ts');
  return guidedLoss(weight);
}
