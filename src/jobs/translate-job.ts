// heddle translate: a model folder and texts in, translations out, in order; token by token as they come, and what they looked at, on request.

import { HeddleError } from '../core/errors.ts';
import type { DecodeOptions } from '../decode/decode-options.ts';
import { createTranslator, type TextModel, type Translation, type Translator } from '../decode/translator.ts';
import type { WeightFormat } from '../model/quantized-parameters.ts';
import type { Job } from '../runtime/job.ts';
import { openModel } from '../runtime/open-model.ts';
import { describeWeights } from '../runtime/weight-format.ts';
import { oneLine } from '../text/corpus/pairs.ts';
import { tokenLabel } from '../text/tokenizers/tokenizer.ts';

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
  /** Also tell the best translations as pieces while they come, each text on a line of its own; one text after the other. */
  readonly stream?: boolean;
  /** Also give what the best translation of each text looked at. */
  readonly align?: boolean;
}

/** A translation, and where it was asked for what it looked at; plain JSON. */
export interface Translated extends Translation {
  readonly attention?: Attention;
}

/** The cross-attention of a text and its translation. */
export interface Attention {
  /** Tokens as a reader knows them, S and T, the ends included; no end of a translation that was cut off. */
  readonly source: readonly string[];
  readonly target: readonly string[];
  /** Probabilities [layers][heads][T][S]: what was looked at when each target token was chosen. */
  readonly weights: readonly (readonly (readonly (readonly number[])[])[])[];
}

/**
 * The translations of each text, the best first: `numReturn` of them, none of an empty text. Throws a HeddleError, before anything is
 * decoded, for a text that is too long or an option that is wrong, and where the signal is aborted.
 */
export const translate: Job<TranslateArguments, Translated[][]> = async (args, context) => {
  const {
    folder,
    texts,
    batch,
    maxTokens,
    adapter,
    weights = 'f32',
    decode = {},
    stream = false,
    align = false,
  } = args;
  const model = await openModel(folder, context, adapter);
  const { maxLength, endId } = model.config;
  const most = maxTokens > 0 ? Math.min(maxTokens, maxLength) : maxLength;
  const lengths = texts.map((text) => model.source.encode(text).length + 1);
  for (const [i, tokens] of lengths.entries())
    if (tokens > maxLength)
      throw new HeddleError(
        `translate: text ${i + 1} has ${tokens} tokens, its end included, the model takes at most ${maxLength}; split it: "${texts[i]?.slice(0, 60)}"`,
      );
  const full = texts.map((_, i) => i).filter((i) => (lengths[i] as number) > 1);
  const out: Translated[][] = texts.map(() => []);
  const say = (text: string) => stream && context.emit({ type: 'piece', text });
  if (full.length === 0) {
    for (const _ of texts) say('\n');
    return out;
  }
  const engine = await context.engine();
  try {
    const translator = await createTranslator(engine, model, {
      batch: stream ? 1 : Math.min(batch, full.length),
      maxSource: Math.max(...full.map((i) => lengths[i] as number)),
      maxTarget: most,
      decode,
      weights,
    });
    if (weights !== 'f32')
      context.emit({ type: 'log', text: describeWeights(model.config, weights, translator.bytes) });
    const { signal } = context;
    if (stream) {
      for (const [i, text] of texts.entries()) {
        const place = full.indexOf(i);
        if (place >= 0) out[i] = [await spoken(translator, text, place, { endId, most }, signal, say)];
        say('\n');
      }
    } else {
      const found = await translator.candidates(
        full.map((i) => texts[i] as string),
        {
          signal,
          onProgress: (done) =>
            context.emit({ type: 'progress', task: 'translate', done, of: full.length, text: 'sentences' }),
        },
      );
      for (const [k, i] of full.entries()) out[i] = found[k] ?? [];
    }
    for (const i of align ? full : []) {
      signal.throwIfAborted();
      const [best, ...others] = out[i] as Translated[];
      if (!best) continue;
      out[i] = [{ ...best, attention: await attentionOf(translator, texts[i] as string, best, model) }, ...others];
    }
    return out;
  } finally {
    engine.destroy();
  }
};

/** A translation as it comes; its scores are not known. */
async function spoken(
  translator: Translator,
  text: string,
  place: number,
  { endId, most }: { readonly endId: number; readonly most: number },
  signal: AbortSignal,
  say: (text: string) => void,
): Promise<Translated> {
  const ids: number[] = [];
  let said = '';
  for await (const piece of translator.stream(text, { signal }, place)) {
    if (piece.id !== endId) ids.push(piece.id);
    said += piece.text;
    say(oneLine(piece.text));
  }
  return { ids, text: said, score: Number.NaN, logProb: Number.NaN, ended: ids.length < most };
}

async function attentionOf(
  translator: Translator,
  text: string,
  { ids, ended }: Translation,
  model: TextModel,
): Promise<Attention> {
  const { source, target, layers, heads, weights } = await translator.align(text, ids);
  const [S, T] = [source.length, target.length];
  const said = ended ? target : target.slice(0, ids.length);
  const parts = <X>(n: number, part: (i: number) => X): X[] => Array.from({ length: n }, (_, i) => part(i));
  const row = (at: number) => parts(S, (s) => Number((weights[at * S + s] as number).toPrecision(6)));
  return {
    source: source.map((id) => tokenLabel(model.source, id)),
    target: said.map((id) => tokenLabel(model.target, id)),
    weights: parts(layers, (n) => parts(heads, (h) => parts(said.length, (t) => row((n * heads + h) * T + t)))),
  };
}
