// Translations and attention of the model that is training or loaded.

import type { GenerateOptions, RunningModel } from '../../../src/index.ts';
import type { AttentionResult, PieceEvent, SentDecodeOptions, TranslationResult } from '../protocol.ts';

/** A model that can decode, and the updates that it has done. */
export interface LoadedModel {
  readonly name: string;
  readonly model: RunningModel['model'];
  readonly step: number;
}

/** Translates a text. Greedy decoding and a single sample are streamed; other methods send one piece at the end. */
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
  const generateOptions: GenerateOptions = { ...options, signal, ...(streams && { onPiece }) };
  const found = await model.generate(text, generateOptions);
  const [best] = found;
  if (best && !streams) onPiece({ id: model.config.endId, text: best.text });
  return {
    text: best?.text ?? '',
    candidates: found.map(({ text, score, ids }) => ({ text, score, ids })),
    ms: performance.now() - begin,
    tokens: best?.ids.length ?? 0,
    model: name,
    step,
  };
}

/** Cross-attention of the greedy translation of a text. */
export const attentionOf = ({ model }: LoadedModel, text: string, signal: AbortSignal): Promise<AttentionResult> =>
  model.attention(text, { signal });
