// Source and target language of a multilingual model (M2M100, NLLB, mBART): tokens around a text, and the
// token that a translation starts with.

import { HeddleError } from '../../core/errors.ts';
import { listed, type Message, msg, option } from '../../core/message.ts';
import type { LanguageOptions } from '../../decode/text-options.ts';
import { jsonBytes, parseJson, withoutUndefined } from '../../files/json-files.ts';
import type { ModelConfig } from '../../model/model-config.ts';
import { derivedTokenizer } from '../../text/tokenizers/derived-tokenizer.ts';
import type { Tokenizer } from '../../text/tokenizers/tokenizer.ts';
import type { Languages, SavedModel, SourceCheckpoint } from '../shared/saved-model.ts';

/**
 * A tokenizer that adds the ids `before` and `after` to every text that is not empty, and skips the ids
 * `hidden` (default: `before`) in decoding. `start` and `end` replace its special ids.
 */
export function withAffixes(
  tokenizer: Tokenizer,
  { before = [], after = [], hidden = before, start, end }: Affixes,
): Tokenizer {
  const silent = new Set(hidden);
  return derivedTokenizer(tokenizer, {
    begin: before[0] ?? tokenizer.begin,
    suffix: after.length > 0 ? after : tokenizer.suffix,
    special: {
      ...tokenizer.special,
      start: start ?? tokenizer.special.start,
      end: end ?? tokenizer.special.end,
    },
    encode(text) {
      const ids = tokenizer.encode(text);
      return ids.length > 0 ? [...before, ...ids, ...after] : ids;
    },
    decode: (ids) => tokenizer.decode([...ids].filter((id) => !silent.has(id))),
  });
}

interface Affixes {
  readonly before?: readonly number[];
  readonly after?: readonly number[];
  readonly hidden?: readonly number[];
  readonly start?: number;
  readonly end?: number;
}

/**
 * The tokenizers of source and target with their language tokens; a side without a language has no such
 * token.
 */
export function inLanguages(
  { ids, plain, after, source, target }: Languages,
  c: ModelConfig,
): { source: Tokenizer; target: Tokenizer } {
  const hidden = [...ids.values()];
  const idOf = (code: string | undefined) => (code === undefined ? undefined : ids.get(code));
  const [from, to] = [idOf(source), idOf(target)];
  const affixesOf = (id: number | undefined, isSource: boolean): Affixes => {
    if (id === undefined || (!isSource && startsWithLanguage(after, c))) return {};
    // In the format "text eos language" (mBART) the language is the last token of a source.
    return after && isSource ? { after: [c.endId], end: id } : { before: [id] };
  };
  return {
    source: withAffixes(plain, { ...affixesOf(from, true), hidden }),
    target: withAffixes(plain, { ...affixesOf(to, false), hidden, start: c.startId }),
  };
}

/** Whether the decoder starts with the language (mBART). Else the language is the first generated token. */
const startsWithLanguage = (after: boolean, c: ModelConfig): boolean => after && c.startId !== c.endId;

/**
 * A model that translates between given languages, or as it is without any. Its source checkpoint stores them as transformers does:
 * src_lang and tgt_lang in tokenizer_config.json, and forced_bos_token_id, or decoder_start_token_id if the
 * decoder starts with the language. Throws a HeddleError that lists the languages if one is unknown, or if
 * the model has none.
 */
export function withLanguages(model: SavedModel, { sourceLang, targetLang }: LanguageOptions): SavedModel {
  if (sourceLang === undefined && targetLang === undefined) return model;
  const { languages } = model;
  for (const [name, code] of Object.entries({ sourceLang, targetLang })) {
    if (code === undefined) continue;
    if (!languages)
      throw new HeddleError(
        msg`${option(name)} is ${code}, but this model has no language tokens (M2M100, NLLB and mBART have); leave it out`,
      );
    if (!languages.ids.has(code))
      throw new HeddleError(unknownLanguage(name, code, [...languages.ids.keys()]));
  }
  if (!languages) return model;
  const chosen: Languages = {
    ...languages,
    source: sourceLang ?? languages.source,
    target: targetLang ?? languages.target,
  };
  const target = chosen.target === undefined ? undefined : chosen.ids.get(chosen.target);
  const startsWith = startsWithLanguage(chosen.after, model.config);
  const config = startsWith && target !== undefined ? { ...model.config, startId: target } : model.config;
  return {
    ...model,
    config,
    ...inLanguages(chosen, config),
    languages: chosen,
    decode: target === undefined || startsWith ? model.decode : { ...model.decode, forcedBosTokenId: target },
    sourceCheckpoint:
      model.sourceCheckpoint && checkpointIn(model.sourceCheckpoint, chosen, target, startsWith),
  };
}

function unknownLanguage(name: string, code: string, codes: readonly string[]): Message {
  const near = codes.filter((x) => x.slice(0, 2).toLowerCase() === code.slice(0, 2).toLowerCase());
  const suggestions = (near.length > 0 ? near : codes).slice(0, 8);
  const unknown = msg`${option(name)} is ${code}, which is not a language of this model; it has ${listed(suggestions)}`;
  const more = codes.length - suggestions.length;
  return more > 0 ? msg`${unknown} and ${more} more` : unknown;
}

/** A checkpoint with the languages in its files. */
function checkpointIn(
  checkpoint: SourceCheckpoint,
  { source, target }: Languages,
  id: number | undefined,
  startsWith: boolean,
): SourceCheckpoint {
  // In the order in which load-hf.ts reads the files, which the fingerprint of a trained model depends on.
  const { 'tokenizer.json': whole, 'tokenizer_config.json': old, ...others } = checkpoint.files;
  const before = old ? parseJson(old, 'tokenizer_config.json') : {};
  const langs = withoutUndefined({ src_lang: source, tgt_lang: target });
  const rules =
    id === undefined ? {} : { [startsWith ? 'decoder_start_token_id' : 'forced_bos_token_id']: id };
  return {
    ...checkpoint,
    config: checkpoint.generation && !startsWith ? checkpoint.config : { ...checkpoint.config, ...rules },
    generation: checkpoint.generation && { ...checkpoint.generation, ...rules },
    files: withoutUndefined({
      'tokenizer.json': whole,
      'tokenizer_config.json': jsonBytes({ ...before, ...langs }),
      ...others,
    }),
  };
}
