// What a translation gets from its alignment with the source: attention with labels of the tokens, and source
// words in place of unknown ones.

import type { Engine } from '../engine/engine.ts';
import { type Tokenizer, tokenLabel } from '../text/tokenizers/tokenizer.ts';
import type { Attention } from './alignment.ts';
import { replaceUnknown } from './replace-unknown.ts';
import type { Generation, TextOptions, Translation } from './text-options.ts';
import { wordAlignment } from './word-alignment.ts';

/** Positions for the alignment of a pair, at most `most`. Without a GPU padding costs as much as tokens. */
export const alignedSize = (
  { runsAtOnce }: Engine,
  source: readonly number[],
  ids: readonly number[],
  most: number,
): number =>
  runsAtOnce ? Math.min(most, 16 * Math.ceil(Math.max(source.length, ids.length + 1) / 16)) : most;

type AlignText = (translation: Translation) => Promise<Attention<number>>;

/**
 * Translations of texts with what the options ask for. `align` aligns the translation `ids` of text i; `guided`: the
 * head of guided alignment, see `wordAlignment`.
 */
export async function withAlignments(
  translations: readonly Generation[][],
  align: (i: number, ids: readonly number[]) => Promise<Attention<number>>,
  texts: readonly string[],
  {
    source,
    target,
    guided,
  }: { readonly source: Tokenizer; readonly target: Tokenizer; readonly guided: number },
  { attention, alignment, replaceUnknown: replaces }: TextOptions,
): Promise<Generation[][]> {
  const out: Generation[][] = [];
  for (const [i, all] of translations.entries()) {
    const text = texts[i] as string;
    const alignOne = ({ ids }: Translation) => align(i, ids);
    let found = all;
    if (attention) found = await withAttention(found, alignOne, source, target);
    if (replaces) found = await withoutUnknown(found, alignOne, text, source, target);
    for (const [k, each] of found.entries())
      if (alignment)
        found[k] = {
          ...each,
          alignment: wordAlignment(source, target, text, each, await alignOne(each), guided),
        };
    out.push(found);
  }
  return out;
}

/** Translations of a text with their attention. */
async function withAttention(
  translations: readonly Generation[],
  align: AlignText,
  source: Tokenizer,
  target: Tokenizer,
): Promise<Generation[]> {
  const out: Generation[] = [];
  for (const translation of translations)
    out.push(withLabels(await align(translation), translation, source, target));
  return out;
}

/** Translations of a text in which the source words replace unknown words. */
async function withoutUnknown(
  translations: readonly Generation[],
  align: AlignText,
  text: string,
  source: Tokenizer,
  target: Tokenizer,
): Promise<Generation[]> {
  const out: Generation[] = [];
  for (const translation of translations) {
    const { ids } = translation;
    if (!ids.includes(target.special.unknown)) out.push(translation);
    else
      out.push({ ...translation, text: replaceUnknown(source, target, text, ids, await align(translation)) });
  }
  return out;
}

/** A translation with its attention. */
export const withLabels = (
  all: Attention<number>,
  translation: Translation,
  source: Tokenizer,
  target: Tokenizer,
): Generation => ({ ...translation, attention: labelled(all, translation, source, target) });

/** An alignment with labels of its tokens, and without an end token that the translation did not reach. */
function labelled(
  all: Attention<number>,
  { ids, ended }: Translation,
  source: Tokenizer,
  target: Tokenizer,
): Attention {
  const { layers, heads } = all;
  const [S, T] = [all.source.length, all.target.length];
  const length = ended ? T : Math.min(T, ids.length);
  const weights = new Float32Array(layers * heads * length * S);
  for (let n = 0; n < layers * heads; n++)
    weights.set(all.weights.subarray(n * T * S, (n * T + length) * S), n * length * S);
  return {
    source: all.source.map((id) => tokenLabel(source, id)),
    target: all.target.slice(0, length).map((id) => tokenLabel(target, id)),
    layers,
    heads,
    weights,
  };
}
