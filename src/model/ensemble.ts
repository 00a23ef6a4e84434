// Ensembles: several models with one vocabulary whose next-token probabilities are averaged. An ensemble is a
// property of the parameter list of its first model, so the same graphs decode and evaluate it.

import { add, logMean } from '../engine/ops/elementwise/elementwise-ops.ts';
import { softmax } from '../engine/ops/norm/softmax.ts';
import type { Builder, Value } from '../engine/ops/op.ts';
import type { ModelConfig } from './model-config.ts';
import type { EnsembleMember, ParameterList } from './parameter-layout.ts';
import { storedParameters, type WeightStorage } from './quantized-parameters.ts';
import type { SourceKind } from './source-kind.ts';

/** The parameters of an ensemble in a storage: those of its first model, with the others attached. All read the same kind of source. */
export function ensembleParameters(
  c: ModelConfig,
  others: readonly ModelConfig[],
  storage: WeightStorage = {},
  source?: SourceKind,
): ParameterList {
  const first = storedParameters(c, storage, source);
  const members = others.map((config, i): EnsembleMember => {
    const parameters = storedParameters(config, storage, source);
    return { config, parameters: { ...parameters, stateSuffix: `.${i + 1}` } };
  });
  return { ...first, ensemble: { others: members, average } };
}

/**
 * Logits of the mean probabilities of models, from the logits [.., V] of each: the log of the mean of their
 * softmax.
 */
function average(builder: Builder, logits: readonly Value[]): Value {
  const [first, ...others] = logits.map((one) => softmax(builder, one)) as [Value, ...Value[]];
  const sum = others.reduce((a, b) => add(builder, a, b), first);
  return logMean(builder, sum, logits.length);
}
