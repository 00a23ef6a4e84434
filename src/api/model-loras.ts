// The LoRA adapters that a model switches at run time. They share the layers and the rank on the engine: each is
// widened to those of all adapters. Loaded with the first adapter.

import type { Engine } from '../engine/engine.ts';
import { type FolderSource, openGiven } from '../files/given-files.ts';
import {
  checkLoraBase,
  fingerprintOfModel,
  loadLora,
  mergedWith,
  type SavedLora,
  withLora,
} from '../formats/lora-folder.ts';
import type { SavedModel } from '../formats/shared/saved-model.ts';
import { adaptedParameters, commonLora, loraParameters, widenLora } from '../model/lora.ts';
import type { ParameterList } from '../model/parameter-layout.ts';
import type { Session } from '../session/session.ts';

/** The LoRA adapters of a model by their names. */
export class ModelLoras {
  readonly #model: SavedModel;
  /** The parameters of the model without adapters. */
  readonly #plain: ParameterList;
  #parameters: ParameterList;
  readonly #adapters = new Map<string, SavedLora>();
  #fingerprint: Promise<string> | undefined;

  constructor(model: SavedModel, plain: ParameterList) {
    this.#model = model;
    this.#plain = plain;
    this.#parameters = plain;
  }

  /**
   * Reads an adapter of a model, and returns it with its path. Throws a HeddleError that names the file that is
   * missing or does not fit.
   */
  static async load(
    session: Pick<Session, 'host' | 'files'>,
    adapter: FolderSource,
    { config }: SavedModel,
  ): Promise<SavedLora & { readonly folder: string }> {
    const { files, folder } = await openGiven(adapter, session.files, session.host.modelPath);
    return { ...(await loadLora(files, folder, config)), folder };
  }

  /** The parameters of the model with layers for all adapters; another list if the layers or the rank change. */
  get parameters(): ParameterList {
    return this.#parameters;
  }

  /** Names of the adapters. */
  get names(): readonly string[] {
    return [...this.#adapters.keys()];
  }

  /** Adds an adapter, or replaces that of the name. Throws a HeddleError if it is one of another model. */
  async add(name: string, folder: string, adapter: SavedLora): Promise<void> {
    const { config } = this.#model;
    this.#fingerprint ??= fingerprintOfModel(this.#model);
    checkLoraBase(folder, adapter, await this.#fingerprint);
    this.#adapters.set(name, adapter);
    const all = Array.from(this.#adapters.values(), ({ lora }) => lora);
    const lora = commonLora(config, all);
    if (JSON.stringify(lora) === JSON.stringify(this.#parameters.lora?.config)) return;
    this.#parameters = adaptedParameters(this.#plain, lora, `lora.${loraParameters(config, lora).size}`);
  }

  /** Writes an adapter to the engine; null: zeros, which change nothing. */
  write(engine: Engine, name: string | null): void {
    const { lora } = this.#parameters;
    const adapter = name === null ? undefined : this.#adapters.get(name);
    if (lora) engine.write(lora.state, widenLora(this.#model.config, lora.config, adapter));
  }

  /** The model with the weights of an adapter merged into its own. */
  merged(model: SavedModel, name: string): SavedModel | Promise<SavedModel> {
    const adapter = this.#adapters.get(name);
    return adapter ? mergedWith(model, adapter) : model;
  }
}

/** A model with an adapter merged into its weights. Throws a HeddleError if it is one of another model. */
export async function mergedLora(
  session: Pick<Session, 'host' | 'files'>,
  model: SavedModel,
  adapter: FolderSource,
): Promise<SavedModel> {
  const { files, folder } = await openGiven(adapter, session.files, session.host.modelPath);
  return withLora(files, model, folder);
}

/** A model that LoRA adapters are added to. */
interface Adaptable {
  addLora(name: string, adapter: FolderSource): Promise<void>;
  useLora(name: string | null): void;
}

/**
 * Adds the LoRA adapters of `loadModel` to a model: several by name, or one, `single`, which it then uses.
 */
export async function addLoras<M extends Adaptable>(
  model: M,
  lora: FolderSource | Readonly<Record<string, FolderSource>>,
  single: FolderSource | undefined,
): Promise<M> {
  const own = typeof single === 'string' ? single : 'lora';
  const named = single === undefined ? (lora as Readonly<Record<string, FolderSource>>) : { [own]: single };
  for (const [each, path] of Object.entries(named)) await model.addLora(each, path);
  if (single !== undefined) model.useLora(own);
  return model;
}
