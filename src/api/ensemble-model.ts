// Ensembles: models with the same vocabulary whose probabilities are averaged.

import { check } from '../core/errors.ts';
import { msg, option } from '../core/message.ts';
import { type FolderSource, openGiven } from '../files/given-files.ts';
import type { SavedModel } from '../formats/shared/saved-model.ts';
import { ensembleParameters } from '../model/ensemble.ts';
import type { WeightStorage } from '../model/quantized-parameters.ts';
import { openModel } from '../session/open-model.ts';
import type { Session } from '../session/session.ts';
import type { BaseModel, ModelMaker } from './model.ts';
import type { ModelParts } from './model-engine.ts';

/**
 * Creates an ensemble of the model `first` and the models `others`, which `open` loads. `weights` and
 * `weightsExclude`: storage of the weights on the device. Throws a HeddleError that names a model with another
 * vocabulary, other start, end or padding ids, or a smaller maximum length than the first.
 */
export async function openEnsemble<M extends BaseModel, Source extends FolderSource>(
  make: ModelMaker<M>,
  first: SavedModel,
  others: readonly Source[],
  open: (other: Source) => Promise<SavedModel>,
  session: Session,
  { weights, weightsExclude, ...parts }: Pick<ModelParts, 'name' | 'ownsSession'> & WeightStorage,
): Promise<M> {
  const { name: firstName = 'the first' } = parts;
  const ensemble: SavedModel[] = [];
  for (const other of others) {
    const model = await open(other);
    checkMember(first, firstName, model, nameOf(other));
    ensemble.push(model);
  }
  const configs = ensemble.map(({ config }) => config);
  const parameters = ensembleParameters(first.config, configs, { weights, weightsExclude }, first.sourceKind);
  return make(first, session, { ...parts, ensemble, parameters });
}

/**
 * Loads the other members of an ensemble, and creates it. `switches`: whether the first model would switch LoRA
 * adapters, which is an error.
 */
export async function openMembers<M extends BaseModel>(
  make: ModelMaker<M>,
  first: SavedModel,
  others: readonly FolderSource[],
  session: Session,
  options: Parameters<typeof openModel>[2],
  {
    switches,
    ...parts
  }: Pick<ModelParts, 'name' | 'ownsSession'> & WeightStorage & { readonly switches: boolean },
): Promise<M> {
  check(
    !switches,
    'an ensemble cannot switch LoRA adapters; give one adapter (a folder) and weights f32, which merges it',
  );
  return openEnsemble(make, first, others, (other) => openMember(other, session, options), session, parts);
}

/** Loads a member of an ensemble, from its folder or its files. */
async function openMember(
  member: FolderSource,
  session: Session,
  options: Parameters<typeof openModel>[2],
): Promise<SavedModel> {
  const { files, folder } = await openGiven(member, session.files, session.host.modelPath);
  const { emit, features } = session;
  return openModel(folder, { files, emit, features }, options);
}

/** Name of a member in messages. */
function nameOf(member: FolderSource): string {
  if (typeof member === 'string') return member;
  return member instanceof File ? member.name : 'a member of the ensemble';
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
        msg`its ${side} vocabulary differs from that of ${firstName}; the models of an ensemble share one vocabulary`,
      { area: name },
    );
  for (const id of ['startId', 'endId', 'padId', 'hidePadding'] as const)
    check(
      model.config[id] === first.config[id],
      () =>
        msg`its ${id} (${String(model.config[id])}) differs from that of ${firstName} (${String(first.config[id])})`,
      { area: name },
    );
  check(
    model.config.maxLength >= first.config.maxLength,
    () =>
      msg`its ${option('maxLength')} is ${model.config.maxLength}, that of ${firstName} is ${first.config.maxLength}; name ${name} first`,
    { area: name },
  );
}
