// A model on its engine, which starts at its first use: the weights, LoRA adapters that switch at run time,
// and a translator for each batch shape. Work runs one after the other. If the device is lost, it is repeated
// once on a new device.

import { check } from '../core/errors.ts';
import type { DecodeOptions } from '../decode/decode-options.ts';
import type { createModelInspector } from '../decode/inspection.ts';
import { createTranslator, type Translator } from '../decode/translator.ts';
import type { Engine } from '../engine/engine.ts';
import type { SavedLora } from '../formats/lora-folder.ts';
import type { SavedModel } from '../formats/shared/saved-model.ts';
import type { ModelConfig } from '../model/model-config.ts';
import { readWeights, writeWeights } from '../model/model-states.ts';
import { type ParameterList, weightBytes } from '../model/parameter-layout.ts';
import { parameterList } from '../model/parameters.ts';
import type { Session } from '../session/session.ts';
import type { TrainResult } from '../train/run/train-result.ts';
import type { TrainedLora } from './save-model.ts';

/** Optional parts of `createModel`. */
export interface ModelParts {
  /** Whether the session is only for this model, so that `dispose` closes it. [false] */
  readonly ownsSession?: boolean;
  /** The trained LoRA adapter, which is merged into the weights. */
  readonly lora?: TrainedLora | undefined;
  readonly training?: TrainResult | undefined;
  /** Engine of a running training, with its weights: the model only decodes, and does not free the engine. */
  readonly engine?: Engine | undefined;
  /**
   * The parameters on the engine, with weight format, LoRA adapter and ensemble. [those of the model in f32]
   */
  readonly parameters?: ParameterList | undefined;
  /** The other models of the ensemble in `parameters`. */
  readonly ensemble?: readonly SavedModel[];
  /** Where the model was loaded from. ['model'] */
  readonly name?: string | undefined;
}

/** Shape of a translator: sentences per batch, and maximum numbers of source and target tokens. */
export interface TranslatorShape {
  readonly batch: number;
  readonly maxSource: number;
  readonly maxTarget: number;
}

type Inspector = ReturnType<typeof createModelInspector>;

/** A model on an engine. Call `engine`, `write`, `translator` and `inspector` within `inTurn`. */
export interface ModelEngine {
  /** The parameters on the engine; `addLora` changes them. */
  readonly parameters: ParameterList;
  /** Runs work after all earlier work; repeats it once on a new device if the device is lost. */
  inTurn<T>(work: () => Promise<T>): Promise<T>;
  /** The engine, started at the first call. Throws a HeddleError if the model is disposed. */
  engine(): Promise<Engine>;
  /**
   * Writes the weights and the LoRA adapter to the engine, after its first plan; `peak`: bytes of the largest
   * plan.
   */
  write(peak: number): Promise<void>;
  /** A translator for at least `shape`, with at most `fitting` sentences per batch. Writes the weights. */
  translator(
    shape: TranslatorShape & { readonly fitting: number },
    decode: DecodeOptions,
  ): Promise<Translator>;
  /** The inspector of the model. */
  inspector(): Promise<Inspector>;
  addLora(name: string, folder: string): Promise<void>;
  useLora(name: string | null): void;
  /** The saved model with its weights in memory; reads them from the files if only the device has them. */
  whole(): Promise<SavedModel>;
  /** The same, with the LoRA adapter in use merged into the weights. */
  merged(): Promise<SavedModel>;
  dispose(): void;
}

/** An engine and its contents. */
interface Loaded {
  readonly engine: Engine;
  /** A translator for each batch shape. */
  readonly translators: Map<string, Promise<Translator>>;
  inspector?: Inspector | undefined;
  written: boolean;
  /** The LoRA adapter on the engine; null: none; undefined: not written yet. */
  lora?: string | null | undefined;
}

/**
 * Maximum number of translators of an engine; then a new engine replaces it, so that memory stays bounded.
 */
const maxTranslators = 16;

/** Writes the weights of a model to the engine. */
const putWeights = async (
  engine: Engine,
  c: ModelConfig,
  p: ParameterList,
  { stored, weights }: SavedModel,
) => (stored ? readWeights(engine, c, p, stored) : writeWeights(engine, c, p, weights));

/** Creates the engine of a model, which starts at its first use. */
export function createModelEngine(saved: SavedModel, session: Session, parts: ModelParts): ModelEngine {
  const { config, source, target, decode: rules } = saved;
  const { parameters: plain = parameterList(config), ensemble = [] } = parts;
  let parameters = plain;
  // LoRA adapters by name; `chosen`: the adapter of later calls; `active`: the adapter of the running call.
  const loras = new Map<string, SavedLora>();
  let chosen: string | null = null;
  let active: string | null = null;
  let loaded: Promise<Loaded> | undefined;
  let disposed = false;
  let fingerprint: Promise<string> | undefined;
  let last: Promise<unknown> = Promise.resolve();

  const load = (): Promise<Loaded> => {
    check(!disposed, 'The model is disposed; load it again');
    const written = parts.engine !== undefined;
    loaded ??= (async () => {
      const engine = parts.engine ?? (await session.engine());
      return { engine, translators: new Map(), written };
    })();
    loaded.catch(() => {
      loaded = undefined;
    });
    return loaded;
  };
  const unload = async (): Promise<void> => {
    const before = loaded;
    loaded = undefined;
    if (!parts.engine) (await before?.catch(() => undefined))?.engine.destroy();
  };
  const write = async (peak: number): Promise<void> => {
    const current = await load();
    const { lora: onEngine } = parameters;
    if (onEngine && loras.size > 0 && current.lora !== active) {
      const lora = active === null ? undefined : loras.get(active);
      const { widenLora } = await import('../model/lora.ts');
      current.engine.write(onEngine.state, widenLora(config, onEngine.config, lora));
      current.lora = active;
    }
    if (current.written) return;
    await putWeights(current.engine, config, parameters, saved);
    for (const [i, { config: c, parameters: p }] of (parameters.ensemble?.others ?? []).entries())
      await putWeights(current.engine, c, p, ensemble[i] as SavedModel);
    current.written = true;
    const { quantization } = parameters;
    if (!quantization) return;
    const { describeWeights } = await import('../model/quantized-parameters.ts');
    const bytes = { weights: weightBytes(parameters), peak };
    session.emit({ type: 'message', text: describeWeights(config, quantization.format, bytes) });
  };
  const inTurn = async <T>(work: () => Promise<T>): Promise<T> => {
    const [before, lora] = [last, chosen];
    let end = () => {};
    last = new Promise<void>((resolve) => {
      end = resolve;
    });
    await before;
    active = lora;
    try {
      return await work();
    } catch (error) {
      const { device } = session;
      if (disposed || !device.isReplaceable || (await device.lost()) === undefined) throw error;
      await unload();
      await device.reopen(session.signal);
      return await work();
    } finally {
      end();
    }
  };
  const whole = async (): Promise<SavedModel> =>
    saved.stored
      ? { ...(await saved.stored.whole()), config, source, target, ...(rules && { decode: rules }) }
      : saved;

  return {
    get parameters() {
      return parameters;
    },
    inTurn,
    engine: async () => (await load()).engine,
    write,
    async translator({ fitting, ...shape }, decode) {
      let current = await load();
      const key = JSON.stringify(shape);
      const fits = [...current.translators.keys()].find((other) =>
        isReusable(JSON.parse(other), shape, fitting),
      );
      if (fits === undefined && !current.translators.has(key) && current.translators.size >= maxTranslators) {
        await unload();
        current = await load();
      }
      let pending = current.translators.get(fits ?? key);
      if (!pending) {
        const model = { config, source, target, decode: rules };
        pending = createTranslator(current.engine, model, { ...shape, firstCall: decode, parameters });
        current.translators.set(key, pending);
        pending.catch(() => current.translators.delete(key));
      }
      const translator = await pending;
      await write(translator.peak);
      return translator;
    },
    async inspector() {
      const current = await load();
      const { createModelInspector: create } = await import('../decode/inspection.ts');
      current.inspector ??= create(current.engine, { config, source, target }, parameters);
      return current.inspector;
    },
    async addLora(name, folder) {
      const { checkLoraBase, fingerprintOfModel, loadLora } = await import('../formats/lora-folder.ts');
      const { adaptedParameters, commonLora, loraParameters } = await import('../model/lora.ts');
      const adapter = await loadLora(session.files, session.host.modelPath(folder), config);
      await inTurn(async () => {
        fingerprint ??= fingerprintOfModel(saved);
        checkLoraBase(folder, adapter, await fingerprint);
        loras.set(name, adapter);
        const lora = commonLora(
          config,
          [...loras.values()].map((own) => own.lora),
        );
        const current = loaded && (await loaded);
        if (current) current.lora = undefined; // it may be an old adapter of this name
        const before = parameters.lora?.config;
        if (JSON.stringify(lora) === JSON.stringify(before)) return;
        // The next call plans the new layers or rank; the weights stay on the device.
        parameters = adaptedParameters(plain, lora, `lora.${loraParameters(config, lora).size}`);
        current?.translators.clear();
        if (current) current.inspector = undefined;
      });
    },
    useLora(name) {
      check(
        name === null || loras.has(name),
        () =>
          `useLora: there is no adapter ${name}; there are ${[...loras.keys()].join(', ') || 'none, addLora loads one'}`,
      );
      chosen = name;
    },
    whole,
    async merged() {
      const lora = chosen === null ? undefined : loras.get(chosen);
      const model = await whole();
      return lora ? (await import('../formats/lora-folder.ts')).mergedWith(model, lora) : model;
    },
    dispose() {
      if (disposed) return;
      disposed = true;
      void unload().then(() => (parts.ownsSession ? session.close() : undefined));
    },
  };
}

/**
 * Whether a translator can be used for a smaller shape. It may be a little larger, so that successive texts
 * share plans.
 */
const isReusable = (existing: TranslatorShape, shape: TranslatorShape, fitting: number): boolean =>
  existing.batch >= shape.batch &&
  existing.batch <= Math.min(4 * shape.batch, fitting) &&
  existing.maxTarget === shape.maxTarget &&
  existing.maxSource >= shape.maxSource &&
  existing.maxSource <= 2 * shape.maxSource;
