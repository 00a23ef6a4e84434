// Translations and attention of a model on an engine.

import { createTranslator, type TextModel, type Translator } from '../../../src/decode/translator.ts';
import type { Engine } from '../../../src/engine/engine.ts';
import { tokenLabel } from '../../../src/text/tokenizers/tokenizer.ts';
import type { AttentionResult, PieceEvent, SentDecodeOptions, TranslationResult } from '../protocol.ts';

/** A model on an engine, with the updates that it has done. */
export interface LoadedModel {
  readonly name: string;
  readonly engine: Engine;
  readonly model: TextModel;
  readonly step: number;
}

/** Translators by engine, created at first use. */
const translators = new WeakMap<Engine, Promise<Translator>>();

function translatorOf({ engine, model }: LoadedModel): Promise<Translator> {
  let made = translators.get(engine);
  if (!made) {
    made = createTranslator(engine, model, { batch: 1 });
    translators.set(engine, made);
    made.catch(() => translators.delete(engine));
  }
  return made;
}

/** Translates a text. Greedy decoding and a single sample are streamed; other methods send one piece at the end. */
export async function translateText(
  loaded: LoadedModel,
  text: string,
  options: SentDecodeOptions,
  onPiece: (piece: PieceEvent) => void,
  signal: AbortSignal,
): Promise<TranslationResult> {
  const { name, step } = loaded;
  const begin = performance.now();
  const done = (candidates: TranslationResult['candidates']): TranslationResult => ({
    text: candidates[0]?.text ?? '',
    candidates,
    ms: performance.now() - begin,
    tokens: candidates[0]?.ids.length ?? 0,
    model: name,
    step,
  });
  if (text.trim() === '') return done([]);
  const translator = await translatorOf(loaded);
  const call = { ...options, signal };
  const { beams = 1, numReturn = 1, method = beams > 1 ? 'beam' : 'greedy' } = options;
  if (method === 'beam' || numReturn > 1) {
    const [found = []] = await translator.generate([text], call);
    const [best] = found;
    if (best) onPiece({ id: loaded.model.config.endId, text: best.text });
    return done(found.map(({ text, score, ids }) => ({ text, score, ids })));
  }
  const ids: number[] = [];
  let translation = '';
  for await (const piece of translator.stream(text, call)) {
    if (piece.id !== loaded.model.config.endId) ids.push(piece.id);
    translation += piece.text;
    onPiece(piece);
  }
  return done([{ text: translation, score: Number.NaN, ids }]);
}

/** Cross-attention of the greedy translation of a text. */
export async function attentionOf(loaded: LoadedModel, text: string, signal: AbortSignal): Promise<AttentionResult> {
  const translator = await translatorOf(loaded);
  const [found] = await translator.generate([text], { signal });
  const { source, target, layers, heads, weights } = await translator.align(text, found?.[0]?.ids ?? []);
  const { model } = loaded;
  return {
    source: source.map((id) => tokenLabel(model.source, id)),
    target: target.map((id) => tokenLabel(model.target, id)),
    layers,
    heads,
    weights,
  };
}
