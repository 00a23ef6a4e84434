// Translates with the model that is training or loaded, and returns the attention.

import type { GenerateOptions, RunningModel } from '../../../src/index.ts';
import { unknownWords } from '../../../src/pages.ts';
import type { PieceEvent, SentDecodeOptions, TranslationResult } from '../protocol.ts';

/** A model that can decode, and the updates that it has done. */
export interface LoadedModel {
  readonly name: string;
  readonly model: RunningModel['model'];
  readonly step: number;
}

/**
 * Translates a text. Greedy decoding and a single sample are streamed; other methods send one piece at the
 * end. The attention of each candidate is computed before the next update, so with the same weights.
 */
export async function translateText(
  { name, model, step }: LoadedModel,
  text: string,
  options: SentDecodeOptions,
  onPiece: (piece: PieceEvent) => void,
  signal: AbortSignal,
): Promise<TranslationResult> {
  const begin = performance.now();
  const { beams = 1, numReturn = 1, method = beams > 1 ? 'beam' : 'greedy' } = options;
  const streams = method !== 'beam' && numReturn === 1;
  let ms = 0;
  const piece = (token: PieceEvent) => {
    ms = performance.now() - begin;
    onPiece(token);
  };
  const generateOptions: GenerateOptions = { ...options, signal, ...(streams && { onPiece: piece }) };
  const found = await model.generate(text, generateOptions);
  const [best] = found;
  if (!streams) ms = performance.now() - begin;
  if (best && !streams) onPiece({ id: model.config.endId, text: best.text });
  return {
    text: best?.text ?? '',
    candidates: found.map(({ text, score, ids, attention }) => ({
      text,
      score,
      ids,
      ...(attention && { attention }),
    })),
    ms,
    tokens: best?.ids.length ?? 0,
    unknown: unknownWords(model.tokenizers.source, text),
    model: name,
    step,
  };
}
