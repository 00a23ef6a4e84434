// heddle translate: a model folder and texts in, translations out, in order.

import type { DecodeOptions } from '../decode/options.ts';
import { createTranslator, type Translation } from '../decode/translator.ts';
import { HeddleError } from '../errors.ts';
import type { WeightFormat } from '../model/packed.ts';
import type { Job } from './job.ts';
import { openModel } from './open-model.ts';
import { describeWeights } from './weights.ts';

/** What to translate; plain JSON. */
export interface TranslateArguments {
  readonly folder: string;
  readonly texts: readonly string[];
  /** Sentences that decode together, at most. */
  readonly batch: number;
  /** Most tokens of a translation, its end included; 0: as many as the model takes. */
  readonly maxTokens: number;
  /** Folder of an adapter that is merged into the model. */
  readonly adapter?: string;
  /** How the weights are kept on the engine; f32 unless given. */
  readonly weights?: WeightFormat;
  /** How to decode; greedily where it is left out. */
  readonly decode?: Omit<DecodeOptions, 'maxLength' | 'progress' | 'signal'>;
}

/**
 * The translations of each text, the best first: `nBest` of them, none of an empty text. Throws a HeddleError, before anything is
 * decoded, for a text that is too long or an option that is wrong, and where the signal is aborted.
 */
export const translate: Job<TranslateArguments, Translation[][]> = async (args, context) => {
  const { folder, texts, batch, maxTokens, adapter, weights = 'f32', decode = {} } = args;
  const model = await openModel(folder, context, adapter);
  const { maxLength } = model.config;
  const lengths = texts.map((text) => model.source.encode(text).length + 1);
  for (const [i, tokens] of lengths.entries())
    if (tokens > maxLength)
      throw new HeddleError(
        `translate: text ${i + 1} has ${tokens} tokens, its end included, the model takes at most ${maxLength}; split it: "${texts[i]?.slice(0, 60)}"`,
      );
  const full = texts.map((_, i) => i).filter((i) => (lengths[i] as number) > 1);
  const out: Translation[][] = texts.map(() => []);
  if (full.length === 0) return out;
  const engine = await context.engine();
  try {
    const translator = await createTranslator(engine, model, {
      batch: Math.min(batch, full.length),
      maxSource: Math.max(...full.map((i) => lengths[i] as number)),
      ...(maxTokens > 0 && { maxTarget: Math.min(maxTokens, maxLength) }),
      decode,
      weights,
    });
    if (weights !== 'f32')
      context.emit({ type: 'log', text: describeWeights(model.config, weights, translator.bytes) });
    const found = await translator.candidates(
      full.map((i) => texts[i] as string),
      {
        signal: context.signal,
        progress: (done) =>
          context.emit({ type: 'progress', task: 'translate', done, of: full.length, text: 'sentences' }),
      },
    );
    for (const [k, i] of full.entries()) out[i] = found[k] ?? [];
    return out;
  } finally {
    engine.destroy();
  }
};
