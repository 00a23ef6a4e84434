// A model on its engine, which starts at its first use: the weights, LoRA adapters that switch at run time, and
// a translator. Calls run one after the other. If the device is lost, a call is repeated once on a new device.

import { check, checkSignal } from '../core/errors.ts';
import { listed, msg } from '../core/message.ts';
import { Mutex } from '../core/mutex.ts';
import { readAhead } from '../core/read-ahead.ts';
import { untilAborted } from '../core/until-aborted.ts';
import type { Inspection, InspectOptions } from '../decode/inspection.ts';
import type { ModelInspector } from '../decode/model-inspector.ts';
import { encodeTexts, lengthLimit } from '../decode/source-texts.ts';
import type { GenerateOptions, Generation, StreamedToken } from '../decode/text-options.ts';
import { Translator } from '../decode/translator.ts';
import type { Engine } from '../engine/engine.ts';
import type { FolderSource } from '../files/given-files.ts';
import { withLanguages } from '../formats/hf/languages.ts';
import type { TrainedLora } from '../formats/lora-folder.ts';
import type { SavedModel } from '../formats/shared/saved-model.ts';
import { describeWeights } from '../model/describe-weights.ts';
import type { ModelConfig } from '../model/model-config.ts';
import { writeWeights } from '../model/model-states.ts';
import { type ParameterList, weightBytes } from '../model/parameter-layout.ts';
import { parameterList } from '../model/parameters.ts';
import { readWeights } from '../model/read-weights.ts';
import type { Session } from '../session/session.ts';
import type { TrainResult } from '../train/run/train-result.ts';
import type { ModelLoras } from './model-loras.ts';

/** What few programs call, loaded at the first call. */
const later = {
  inspection: () => import('../decode/model-inspector.ts'),
  loras: () => import('./model-loras.ts'),
};

/** Optional parts of a model. */
export interface ModelParts {
  /** Whether the session is only for this model, so that `dispose` closes it. [false] */
  readonly ownsSession?: boolean;
  /** The trained LoRA adapter, which is merged into the weights. */
  readonly lora?: TrainedLora;
  readonly training?: TrainResult;
  /** Engine of a running training, with its weights: the model only decodes, and does not free the engine. */
  readonly engine?: Engine;
  /**
   * The parameters on the engine, with weight format, LoRA adapter and ensemble. [those of the model in f32]
   */
  readonly parameters?: ParameterList;
  /** The other models of the ensemble in `parameters`. */
  readonly ensemble?: readonly SavedModel[];
  /** Where the model was loaded from. ['model'] */
  readonly name?: string;
}

/** An engine and its contents. */
interface Loaded {
  readonly engine: Engine;
  translator?: Translator;
  inspector?: ModelInspector;
  isWritten: boolean;
  /** The LoRA adapter on the engine; null: none; undefined: not written yet. */
  lora?: string | null;
}

/** Maximum number of batch shapes of an engine; then a new engine replaces it, so that memory stays bounded. */
const maxShapes = 16;

/** The engine of a model. Call the methods that compute within `inTurn`. */
export class ModelEngine {
  readonly saved: SavedModel;
  readonly session: Session;
  readonly #parts: ModelParts;
  /** The parameters of the model without the LoRA adapters of `addLora`. */
  readonly #plain: ParameterList;
  #parameters: ParameterList;
  /** The LoRA adapters of `addLora`. */
  #loras: ModelLoras | undefined;
  /** LoRA adapter of later calls; null: none. */
  #chosen: string | null = null;
  /** LoRA adapter of the running call. */
  #active: string | null = null;
  readonly #turns = new Mutex();
  #loaded: Promise<Loaded> | undefined;
  /** Settles when the work of the current turn ends, which is later than its call if that was aborted. */
  #running: Promise<unknown> = Promise.resolve();
  #isDisposed = false;
  #disposed: Promise<void> | undefined;

  constructor(saved: SavedModel, session: Session, parts: ModelParts) {
    this.saved = saved;
    this.session = session;
    this.#parts = parts;
    this.#plain = parts.parameters ?? parameterList(saved.config, saved.sourceKind);
    this.#parameters = this.#plain;
  }

  /** The parameters on the engine; `addLora` changes them. */
  get parameters(): ParameterList {
    return this.#parameters;
  }

  /**
   * Runs work after all earlier work; repeats it once on a new device if the device is lost. Rejects with the
   * reason of the signal if it is aborted; the turn then ends when its work ends.
   */
  async inTurn<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    checkSignal(signal);
    const turn = async () => {
      const end = await this.#begin();
      try {
        signal?.throwIfAborted();
        return await this.#runs(this.#withRecovery(work, signal));
      } finally {
        end();
      }
    };
    return this.session.callbacks.during(() => untilAborted(signal, turn));
  }

  /** The engine, started at the first call. Throws a HeddleError if the model is disposed. */
  async engine(): Promise<Engine> {
    return (await this.#load()).engine;
  }

  /** Generates translations of texts. Throws as `Translator.generate`. */
  async generate(texts: readonly string[], given: GenerateOptions): Promise<Generation[][]> {
    const { options, source } = await this.#inLanguages(given);
    const translator = await this.#translator();
    const generations = await translator.generate(texts, options, source);
    if (translator.shapeCount > maxShapes) await this.#unload();
    return generations;
  }

  /**
   * Streams the translation of a text. It is decoded in one turn, whether or not its pieces are read: at most as many
   * tokens as the text may have are kept. Leaving the loop stops decoding.
   */
  async *stream(text: string, given: GenerateOptions): AsyncGenerator<StreamedToken, void, void> {
    checkSignal(given.signal);
    const { options, source } = await this.#inLanguages(given);
    const decode = async (push: (token: StreamedToken) => void, signal: AbortSignal) => {
      let isStarted = false;
      const work = async () => {
        // What was read cannot be taken back: a device that is lost later ends the stream.
        check(!isStarted, 'stream: the GPU was lost; translate the text again', 'device');
        const tokens = (await this.#translator()).stream(text, { ...options, signal }, 0, source);
        for await (const token of tokens) {
          this.#checkOpen();
          isStarted = true;
          push(token);
        }
      };
      await this.inTurn(work, signal);
    };
    for await (const token of readAhead(decode, given.signal)) {
      this.#checkOpen();
      yield token;
    }
  }

  /**
   * Inspects a text and a target; without a target, the greedy translation under the interventions. Throws a HeddleError
   * for an invalid option or a text that is too long.
   */
  async inspect(
    text: string,
    target: readonly number[] | undefined,
    { sourceLang, targetLang, ...given }: InspectOptions,
  ): Promise<Inspection> {
    const { config } = this.saved;
    const { options: decode, source } = await this.#inLanguages({ sourceLang, targetLang });
    const encode = async (one: string) =>
      (await encodeTexts([one], source, lengthLimit({}, config))).encoded[0] ?? [];
    const current = await this.#load();
    const { ModelInspector } = await later.inspection();
    current.inspector ??= new ModelInspector(current.engine, this.saved, this.#parameters);
    const host = { encode, decode, upload: (peak: number) => this.write(peak) };
    return current.inspector.inspect(await encode(text), target, given, host);
  }

  /**
   * Writes the weights and the LoRA adapter to the engine, after its first plan; `peak`: bytes of the largest
   * plan.
   */
  async write(peak: number): Promise<void> {
    const { config } = this.saved;
    const current = await this.#load();
    const { quantization } = this.#parameters;
    if (this.#loras && current.lora !== this.#active) {
      this.#loras.write(current.engine, this.#active);
      current.lora = this.#active;
    }
    if (current.isWritten) return;
    await putWeights(current.engine, config, this.#parameters, this.saved);
    for (const [i, { config: c, parameters }] of (this.#parameters.ensemble?.others ?? []).entries())
      await putWeights(current.engine, c, parameters, this.#parts.ensemble?.[i] as SavedModel);
    current.isWritten = true;
    if (!quantization) return;
    const bytes = { weights: weightBytes(this.#parameters), peak };
    this.session.emit({ type: 'message', text: describeWeights(quantization, this.#parameters.size, bytes) });
  }

  /** See `Model.addLora`. */
  async addLora(name: string, given: FolderSource): Promise<void> {
    const { ModelLoras } = await later.loras();
    const { folder, ...adapter } = await ModelLoras.load(this.session, given, this.saved);
    await this.inTurn(async () => {
      const loras = this.#loras ?? new ModelLoras(this.saved, this.#plain);
      await loras.add(name, folder, adapter);
      this.#loras = loras;
      const current = await this.#loaded;
      if (current) current.lora = undefined; // it may be an old adapter of this name
      if (loras.parameters === this.#parameters) return;
      // The next call plans the new layers or rank; the weights stay on the device.
      this.#parameters = loras.parameters;
      if (!current) return;
      current.translator = undefined;
      current.inspector = undefined;
    });
  }

  /** See `Model.useLora`. */
  useLora(name: string | null): void {
    const names = this.#loras?.names ?? [];
    check(
      name === null || names.includes(name),
      names.length > 0
        ? msg`there is no LoRA adapter ${String(name)}; there are ${listed(names)}`
        : msg`there is no LoRA adapter ${String(name)}; load one by addLora`,
      { kind: 'not-found', area: 'useLora' },
    );
    this.#chosen = name;
  }

  /**
   * The saved model, compared with its manifest, with its weights in memory; reads them from the files if only the
   * device has them.
   */
  async whole(): Promise<SavedModel> {
    const { saved } = this;
    await saved.verified;
    if (!saved.stored) return saved;
    const { config, source, target, decode } = saved;
    const whole = await saved.stored.whole();
    return { ...whole, config, source, target, decode: decode ?? whole.decode };
  }

  /** The same, with the LoRA adapter in use merged into the weights. */
  async merged(): Promise<SavedModel> {
    const [model, lora] = [await this.whole(), this.#chosen];
    return lora === null ? model : (this.#loras?.merged(model, lora) ?? model);
  }

  /** Frees the engine when the running work has ended, and closes the session if it is the model's. */
  dispose(): Promise<void> {
    this.#isDisposed = true;
    this.#disposed ??= this.#running.then(async () => {
      await this.#unload();
      if (this.#parts.ownsSession) await this.session.close();
    });
    return this.#disposed;
  }

  /** Waits for all earlier work; resolves to the function that ends the turn. */
  async #begin(): Promise<() => void> {
    const lora = this.#chosen;
    const end = await this.#turns.acquire();
    this.#active = lora;
    return end;
  }

  /** Remembers the work of the current turn. */
  #runs<T>(work: Promise<T>): Promise<T> {
    this.#running = work.catch(() => undefined);
    return work;
  }

  async #withRecovery<T>(work: () => Promise<T>, aborted: AbortSignal | undefined): Promise<T> {
    try {
      const result = await work();
      await this.saved.verified;
      return result;
    } catch (error) {
      if (aborted?.aborted) throw error;
      const { device, signal } = this.session;
      const isReplaceable = device.isReplaceable && !this.#isDisposed && !this.#parts.engine;
      if (!isReplaceable || (await device.lost()) === undefined) throw error;
      await this.#unload();
      await device.reopen(signal);
      return await work();
    }
  }

  #checkOpen(): void {
    check(!this.#isDisposed, 'The model is disposed; load it again');
  }

  #load(): Promise<Loaded> {
    this.#checkOpen();
    const { engine } = this.#parts;
    const load = async (): Promise<Loaded> => ({
      engine: engine ?? (await this.session.engine()),
      isWritten: engine !== undefined,
    });
    const loaded = this.#loaded ?? load();
    this.#loaded = loaded;
    loaded.catch(() => {
      if (this.#loaded === loaded) this.#loaded = undefined;
    });
    return loaded;
  }

  async #unload(): Promise<void> {
    const before = this.#loaded;
    this.#loaded = undefined;
    if (!this.#parts.engine) (await before?.catch(() => undefined))?.engine.destroy();
  }

  async #translator(): Promise<Translator> {
    const current = await this.#load();
    const { config, sourceKind, source, target, decode } = this.saved;
    current.translator ??= new Translator(
      current.engine,
      { config, sourceKind, source, target, decode },
      {
        parameters: this.#parameters,
        upload: (peak) => this.write(peak),
        ruledTexts: this.session.features.ruledTexts,
      },
    );
    return current.translator;
  }

  /** The options of a call without its languages: these become the tokenizer of the texts, and decoding options. */
  async #inLanguages({ sourceLang, targetLang, ...options }: GenerateOptions) {
    const model = withLanguages(this.saved, { sourceLang, targetLang });
    const { decode } = targetLang === undefined ? this.saved : model;
    return {
      source: model.source,
      options: {
        decoderStartTokenId: model.config.startId,
        forcedBosTokenId: decode?.forcedBosTokenId,
        ...options,
      },
    };
  }
}

/** Writes the weights of a model to the engine. */
const putWeights = async (
  engine: Engine,
  c: ModelConfig,
  p: ParameterList,
  { stored, weights }: SavedModel,
) => (stored ? readWeights(engine, c, p, stored) : writeWeights(engine, c, p, weights));
