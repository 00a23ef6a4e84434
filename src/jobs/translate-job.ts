// heddle translate: translates texts with a saved model.

import { openFolder } from '../api/load-model.ts';
import type { Attention, GenerateOptions, Generation } from '../api/model.ts';
import type { WeightFormat } from '../model/quantized-parameters.ts';
import type { Job } from '../runtime/job.ts';
import { toSingleLine } from '../text/corpus/pairs.ts';

/** What to translate; plain JSON. */
export interface TranslateArguments {
  readonly folder: string;
  readonly texts: readonly string[];
  /** Maximum number of sentences that decode together. */
  readonly batch: number;
  /** Maximum number of tokens of a translation, with its end token; 0: the model's maximum length. */
  readonly maxTokens: number;
  /** Folder of a LoRA adapter to merge into the weights. */
  readonly adapter?: string;
  /** Storage of the weights on the engine; default f32. */
  readonly weights?: WeightFormat;
  /** How to decode; default: greedy decoding. */
  readonly decode?: Omit<GenerateOptions, 'maxNewTokens' | 'onProgress' | 'onPiece' | 'signal'>;
  /**
   * Whether to emit the best translations in pieces while they are decoded, one text after the other, each on its own
   * line.
   */
  readonly stream?: boolean;
  /** Whether to return the cross-attention of the best translation of each text. */
  readonly align?: boolean;
}

/** A translation; plain JSON. */
export interface Translated extends Omit<Generation, 'attention'> {
  readonly attention?: NestedAttention;
}

/** The cross-attention of a text and its translation; see `Attention`. */
export interface NestedAttention extends Pick<Attention, 'source' | 'target'> {
  /** Probabilities [layers][heads][T][S]. */
  readonly weights: readonly (readonly (readonly (readonly number[])[])[])[];
}

/**
 * The translations of each text, best first; an empty text has none. Throws a HeddleError, before it decodes, for a
 * text that is too long or an option that is wrong, and the signal's reason if it is aborted.
 */
export const translate: Job<TranslateArguments, Translated[][]> = async (args, context) => {
  const { folder, texts, batch, maxTokens, adapter, weights, decode, stream = false, align = false } = args;
  const { emit, signal } = context;
  const model = await openFolder(folder, context, { ...(adapter && { lora: adapter }), ...(weights && { weights }) });
  let line = 0;
  const sayUpTo = (text: number) => {
    for (; line < text; line++) emit({ type: 'piece', text: '\n' });
  };
  try {
    const found = await model.generate(texts, {
      ...decode,
      batchSize: batch,
      ...(maxTokens > 0 && { maxNewTokens: Math.min(maxTokens, model.config.maxLength) }),
      attention: align,
      signal,
      onProgress: (done, of) => emit({ type: 'progress', task: 'translate', done, of, text: 'sentences' }),
      ...(stream && {
        onPiece(piece, text) {
          sayUpTo(text);
          emit({ type: 'piece', text: toSingleLine(piece.text) });
        },
      }),
    });
    if (stream) sayUpTo(texts.length);
    return found.map((some) =>
      some.map(({ attention, ...translation }) => ({
        ...translation,
        ...(attention && { attention: nested(attention) }),
      })),
    );
  } finally {
    model.dispose();
  }
};

function nested({ source, target, layers, heads, weights }: Attention): NestedAttention {
  const [S, T] = [source.length, target.length];
  const parts = <X>(n: number, part: (i: number) => X): X[] => Array.from({ length: n }, (_, i) => part(i));
  const row = (at: number) => parts(S, (s) => Number((weights[at * S + s] as number).toPrecision(6)));
  return {
    source,
    target,
    weights: parts(layers, (n) => parts(heads, (h) => parts(T, (t) => row((n * heads + h) * T + t)))),
  };
}
