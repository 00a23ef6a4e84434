// Translators of the library: they bring all guests. The code of a guest is loaded when a folder needs it.

import {
  type CreateTranslatorOptions,
  createTranslator as createTranslatorWith,
  type HeddleTranslator,
  translators as translatorsWith,
} from '../api/create-translator.ts';
import type { Model } from '../api/model.ts';
import { modelFeatures } from '../features/features.ts';
import type { FolderSource } from '../files/given-files.ts';

/**
 * Creates a translator with the members of the browser's built-in `Translator`: a page can use that if it exists,
 * and a model of its own elsewhere. Rejects as `loadModel`, and with the reason of the signal.
 * @example
 * const languages = { sourceLanguage: 'en', targetLanguage: 'es' };
 * const translator = await createTranslator({ ...languages, model: 'models/en-es' });
 * for await (const piece of translator.translateStreaming('Good morning.')) document.title += piece;
 */
export const createTranslator = (options: CreateTranslatorOptions): Promise<HeddleTranslator> =>
  createTranslatorWith(options, modelFeatures);

/**
 * An object with the static members of the built-in `Translator`, `create` and `availability`, over models by their
 * languages.
 * @example
 * const builtIn = (globalThis as { Translator?: ReturnType<typeof translators> }).Translator;
 * const Translator = builtIn ?? translators({ 'en-es': 'models/en-es' });
 * const translator = await Translator.create({ sourceLanguage: 'en', targetLanguage: 'es' });
 */
export const translators = (
  models: Readonly<Record<string, Model | FolderSource>>,
  load?: CreateTranslatorOptions['load'],
): ReturnType<typeof translatorsWith> => translatorsWith(models, load, modelFeatures);
