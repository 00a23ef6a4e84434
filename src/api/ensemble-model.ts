// Ensembles: models with the same vocabulary whose probabilities are averaged.

import { check } from '../core/errors.ts';
import type { SavedModel } from '../formats/shared/saved-model.ts';
import { ensembleParameters } from '../model/ensemble.ts';
import type { WeightStorage } from '../model/quantized-parameters.ts';
import type { Session } from '../session/session.ts';
import { Model } from './model.ts';
import type { ModelParts } from './model-engine.ts';

/**
 * Creates an ensemble of the model `first` and the models `names`, which `open` loads. `weights` and
 * `weightsExclude`: storage of the weights on the device. Throws a HeddleError that names a model with another vocabulary,
 * other start, end or padding ids, or a smaller maximum length than the first.
 */
export async function openEnsemble(
  first: SavedModel,
  names: readonly string[],
  open: (name: string) => Promise<SavedModel>,
  session: Session,
  { weights, weightsExclude, ...parts }: Pick<ModelParts, 'name' | 'ownsSession'> & WeightStorage,
): Promise<Model> {
  const { name: firstName = 'the first' } = parts;
  const ensemble: SavedModel[] = [];
  for (const name of names) {
    const model = await open(name);
    checkMember(first, firstName, model, name);
    ensemble.push(model);
  }
  const others = ensemble.map(({ config }) => config);
  const parameters = ensembleParameters(first.config, others, { weights, weightsExclude });
  return new Model(first, session, { ...parts, ensemble, parameters });
}

/**
 * Throws a HeddleError if a model has another vocabulary than the first of its ensemble, or a smaller maximum
 * length.
 */
function checkMember(first: SavedModel, firstName: string, model: SavedModel, name: string): void {
  for (const side of ['source', 'target'] as const)
    check(
      JSON.stringify(model[side]) === JSON.stringify(first[side]),
      () =>
        `${name}: its ${side} vocabulary differs from that of ${firstName}; the models of an ensemble share one vocabulary`,
    );
  for (const id of ['startId', 'endId', 'padId', 'hidePadding'] as const)
    check(
      model.config[id] === first.config[id],
      () =>
        `${name}: its ${id} (${model.config[id]}) differs from that of ${firstName} (${first.config[id]})`,
    );
  check(
    model.config.maxLength >= first.config.maxLength,
    () =>
      `${name}: its maxLength is ${model.config.maxLength}, that of ${firstName} is ${first.config.maxLength}; name ${name} first`,
  );
}
