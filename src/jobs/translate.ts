// heddle translate: a model folder and texts in, translations out, in order.

import { createTranslator } from '../decode/translator.ts';
import { HeddleError } from '../errors.ts';
import { loadModelFolder } from '../formats/model-folder.ts';
import { writePositions } from '../train/weights.ts';
import type { Job } from './job.ts';

/** What to translate; plain JSON. */
export interface TranslateArguments {
  readonly folder: string;
  readonly texts: readonly string[];
  /** Sentences that decode together, at most. */
  readonly batch: number;
  /** Most tokens of a translation, its end included; 0: as many as the model takes. */
  readonly maxTokens: number;
}

/**
 * Translates greedily. An empty text stays empty. Throws a HeddleError, before anything is decoded, for a text that is too long, and
 * where the signal is aborted.
 */
export const translate: Job<TranslateArguments, string[]> = async ({ folder, texts, batch, maxTokens }, context) => {
  const model = await loadModelFolder(context.files, folder);
  const { maxLength } = model.config;
  const lengths = texts.map((text) => model.source.encode(text).length + 1);
  for (const [i, tokens] of lengths.entries())
    if (tokens > maxLength)
      throw new HeddleError(
        `translate: text ${i + 1} has ${tokens} tokens, its end included, the model takes at most ${maxLength}; split it: "${texts[i]?.slice(0, 60)}"`,
      );
  const full = texts.map((_, i) => i).filter((i) => (lengths[i] as number) > 1);
  const out = texts.map(() => '');
  if (full.length === 0) return out;
  const engine = await context.engine();
  try {
    const translator = await createTranslator(engine, model, {
      batch: Math.min(batch, full.length),
      maxSource: Math.max(...full.map((i) => lengths[i] as number)),
      ...(maxTokens > 0 && { maxTarget: Math.min(maxTokens, maxLength) }),
    });
    engine.write('weights', model.weights);
    writePositions(engine, model.config);
    // In order of length, so that those that decode together need about the same steps; in parts, to tell how far it is.
    full.sort((a, b) => (lengths[a] as number) - (lengths[b] as number));
    const part = Math.max(1, Math.ceil(full.length / 20 / batch)) * batch;
    for (let at = 0; at < full.length; at += part) {
      const rows = full.slice(at, at + part);
      const found = await translator.translate(
        rows.map((i) => texts[i] as string),
        { signal: context.signal },
      );
      for (const [k, i] of rows.entries()) out[i] = found[k] ?? '';
      const done = at + rows.length;
      context.emit({ type: 'progress', task: 'translate', done, of: full.length, text: 'sentences' });
    }
    return out;
  } finally {
    engine.destroy();
  }
};
