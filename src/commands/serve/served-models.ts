// The models of a server by their languages, with LoRA adapters, each with a queue.

import { openFolder } from '../../api/load-model.ts';
import type { Model } from '../../api/model.ts';
import { errorKind, HeddleError } from '../../core/errors.ts';
import { msg } from '../../core/message.ts';
import type { WeightStorage } from '../../model/quantized-parameters.ts';
import type { Session } from '../../session/session.ts';
import { isSameLanguage } from '../../text/corpus/language-choice.ts';
import { type QueuedOptions, type QueueObserver, TranslationQueue } from './translation-queue.ts';

/** A model that is named on the command line. */
export interface ModelSpec {
  readonly folder: string;
  /** Languages of a model for one pair; undefined: those that its name or its files tell. */
  readonly languages?: { readonly source: string; readonly target: string };
}

/** `en-es=DIR`, or a folder. Throws a HeddleError for an invalid pair of languages. */
export function parseModelSpec(text: string): ModelSpec {
  const [, source, target, folder] =
    /^([a-z]{2,3}(?:_[A-Za-z]+)?)-([a-z]{2,3}(?:_[A-Za-z]+)?)=(.+)$/.exec(text) ?? [];
  return source && target && folder ? { folder, languages: { source, target } } : { folder: text };
}

/** The languages that a folder name ends with: `opus-mt-en-es`. */
function languagesInName(folder: string): ModelSpec['languages'] {
  const [, source, target] =
    /(?:^|[-_./\\])([a-z]{2,3})[-_]([a-z]{2,3})(?:[-_.][\w.-]*)?$/.exec(folder.replace(/[\\/]+$/, '')) ?? [];
  return source && target ? { source, target } : undefined;
}

/** What a server needs of a model. */
export type ServableModel = Pick<
  Model,
  'generate' | 'stream' | 'tokenizers' | 'languages' | 'useLora' | 'dispose'
>;

/** A model for one or more pairs of languages. */
export class ServedModel {
  readonly model: ServableModel;
  readonly queue: TranslationQueue;
  readonly name: string;
  /** Names of its LoRA adapters. */
  readonly loras: ReadonlySet<string>;
  readonly #pair: { readonly source: string; readonly target: string } | undefined;

  constructor(
    name: string,
    model: ServableModel,
    pair: ServedModel['pair'],
    limits: { readonly batchSize: number; readonly maxTexts: number },
    observer: QueueObserver,
    loras: ReadonlySet<string> = new Set(),
  ) {
    this.name = name;
    this.loras = loras;
    this.model = model;
    this.#pair = pair;
    const generate = async (texts: readonly string[], options: QueuedOptions) =>
      this.#generate(texts, options);
    this.queue = new TranslationQueue({ generate }, limits, observer);
  }

  get pair(): { readonly source: string; readonly target: string } | undefined {
    return this.#pair;
  }

  /** Languages of sources, and of translations for a source. */
  get sources(): readonly string[] {
    return this.#pair ? [this.#pair.source] : (this.model.languages?.codes ?? []);
  }

  targets(): readonly string[] {
    return this.#pair ? [this.#pair.target] : (this.model.languages?.codes ?? []);
  }

  /** The codes of the model for a pair of languages; undefined if it does not have them. */
  codesFor(source: string, target: string): { sourceLang?: string; targetLang?: string } | undefined {
    const find = (codes: readonly string[], language: string) =>
      codes.find((code) => code.toLowerCase() === language.toLowerCase()) ??
      codes.find((code) => isSameLanguage(code, language));
    const [sourceLang, targetLang] = [find(this.sources, source), find(this.targets(), target)];
    if (sourceLang === undefined || targetLang === undefined) return undefined;
    return this.#pair ? {} : { sourceLang, targetLang };
  }

  /** A batch; a lost device is replaced once more than the model does itself. */
  async #generate(texts: readonly string[], { lora, ...options }: QueuedOptions) {
    const run = () => {
      this.model.useLora(lora ?? null);
      return this.model.generate(texts, { ...options, batchSize: texts.length });
    };
    try {
      return await run();
    } catch (error) {
      if (errorKind(error) !== 'device') throw error;
      return run();
    }
  }
}

/** Options of `openModels`. */
export interface ServedOptions extends WeightStorage {
  /** LoRA adapters by name; each is for the models that it fits. */
  readonly loras: Readonly<Record<string, string>>;
  readonly batchSize: number;
  readonly maxTexts: number;
}

/**
 * Adds LoRA adapters to a model; returns the names of those that were trained on it. `problems` receives why others
 * do not fit.
 */
async function addLoras(
  model: Model,
  loras: ServedOptions['loras'],
  problems: Map<string, unknown>,
): Promise<Set<string>> {
  const added = new Set<string>();
  for (const [name, path] of Object.entries(loras))
    try {
      await model.addLora(name, path);
      added.add(name);
    } catch (error) {
      problems.set(name, error);
    }
  return added;
}

/**
 * Loads the models of a server. Throws a HeddleError if the languages of a model are unknown, or a LoRA adapter fits no
 * model.
 */
export async function openModels(
  specs: readonly ModelSpec[],
  session: Session,
  { weights, weightsExclude, loras, ...limits }: ServedOptions,
  observer: QueueObserver,
): Promise<ServedModel[]> {
  const served: ServedModel[] = [];
  const problems = new Map<string, unknown>();
  for (const { folder, languages } of specs) {
    const model = await openFolder(folder, session, { weights, weightsExclude });
    const pair = languages ?? (model.languages ? undefined : languagesInName(folder));
    if (!pair && !model.languages)
      throw new HeddleError(msg`the languages of ${folder} are unknown; write en-es=${folder}`, {
        area: 'serve',
      });
    const own = await addLoras(model, loras, problems);
    served.push(new ServedModel(folder, model, pair, limits, observer, own));
  }
  const unused = Object.keys(loras).find((name) => !served.some((model) => model.loras.has(name)));
  if (unused !== undefined) throw problems.get(unused);
  return served;
}
