// Translates with the model that is training or loaded, and returns the attention.

import { msg } from '../../../src/core/message.ts';
import { splitSentences, unknownWords } from '../../../src/entries/data.ts';
import {
  type GenerateOptions,
  type Generation,
  HeddleError,
  type Model,
} from '../../../src/entries/heddle.ts';
import type { AnyModel } from '../guests/train-guests.ts';
import type { PieceEvent, SentDecodeOptions, TranslationCandidate, TranslationResult } from '../protocol.ts';

/** A model that can decode, and the updates that it has done. */
export interface LoadedModel {
  readonly name: string;
  readonly model: AnyModel;
  readonly step: number;
}

/** A model of text. Throws a HeddleError for any other. */
export function textModelOf(name: string, model: AnyModel): Model {
  if ('translate' in model) return model;
  throw new HeddleError(msg`${name} reads speech or images; select models of texts.`);
}

/**
 * Translates a text, as a whole or sentence by sentence. Greedy decoding and a single sample are streamed;
 * other methods send one piece at the end of a sentence. The attention of each candidate is computed before
 * the next update, so with the same weights.
 */
export async function translateText(
  { name, model: any, step }: LoadedModel,
  text: string,
  { bySentence, ...options }: SentDecodeOptions,
  onPiece: (piece: PieceEvent) => void,
  signal: AbortSignal,
): Promise<TranslationResult> {
  const begin = performance.now();
  if (isReader(any)) return readDrawn({ name, model: any, step }, text, onPiece, signal);
  const model = textModelOf(name, any);
  const { beams = 1, numReturn = 1, method = beams > 1 ? 'beam' : 'greedy' } = options;
  const streams = method !== 'beam' && numReturn === 1;
  let ms = 0;
  const send = (piece: PieceEvent) => {
    ms = performance.now() - begin;
    onPiece(piece);
  };
  const { sentences, spaces } = bySentence ? splitSentences(text) : { sentences: [text], spaces: [''] };
  const translations: (readonly Generation[])[] = [];
  for (const [i, sentence] of sentences.entries()) {
    const generateOptions: GenerateOptions = { ...options, signal, onPiece: streams ? send : undefined };
    const found = await model.generate(sentence, generateOptions);
    const whole = streams ? '' : (found[0]?.text ?? '');
    const piece = whole + (spaces[i] ?? '');
    if (piece !== '') send({ id: model.config.endId, text: piece });
    translations.push(found);
  }
  const candidates = Array.from({ length: Math.min(...translations.map((found) => found.length)) }, (_, k) =>
    joined(
      translations.map((found) => found[k] as Generation),
      spaces,
    ),
  );
  return {
    text: candidates[0]?.text ?? '',
    candidates,
    ms,
    tokens: candidates[0]?.ids.length ?? 0,
    sentences: sentences.map((source, i) => ({ source, target: translations[i]?.[0]?.text ?? '' })),
    unknown: unknownWords(model.tokenizers.source, text),
    model: name,
    step,
  };
}

/** A model that reads images, and draws texts as such. */
type ReadingModel = AnyModel & { read(text: string, options: { signal: AbortSignal }): Promise<string> };

const isReader = (model: object): model is ReadingModel => 'read' in model;

/** Draws a text as an image of a line and reads it, for models of the task read-line. */
async function readDrawn(
  { name, model, step }: LoadedModel & { readonly model: ReadingModel },
  text: string,
  onPiece: (piece: PieceEvent) => void,
  signal: AbortSignal,
): Promise<TranslationResult> {
  const begin = performance.now();
  const read = await model.read(text, { signal });
  onPiece({ id: model.config.endId, text: read });
  const ids = model.tokenizers.target.encode(read);
  return {
    text: read,
    candidates: [{ text: read, score: 0, ids, attention: undefined }],
    ms: performance.now() - begin,
    tokens: ids.length,
    sentences: [{ source: text, target: read }],
    unknown: [],
    model: name,
    step,
    drawn: text,
  };
}

/** The translation of a text from those of its sentences; its score is their mean. */
function joined(parts: readonly Generation[], spaces: readonly string[]): TranslationCandidate {
  const attentions = parts.flatMap(({ attention }) => attention ?? []);
  return {
    text: parts.map(({ text }, i) => text + (spaces[i] ?? '')).join(''),
    score: parts.reduce((sum, { score }) => sum + score, 0) / parts.length,
    ids: parts.flatMap(({ ids }) => ids),
    attention: attentions.length === parts.length ? attentions : undefined,
  };
}
