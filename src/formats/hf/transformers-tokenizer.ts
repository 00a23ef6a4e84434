// The tokenizer files of a model for transformers: a tokenizer.json whose post-processor adds the end token, as
// heddle does, or the SentencePiece models and vocab.json of MarianMT.

import { HeddleError } from '../../core/errors.ts';
import { type Json, jsonBytes, withoutUndefined } from '../../files/json-files.ts';
import { fromBase64, sentencePieceModelType } from '../../text/sentencepiece/sentencepiece-tokenizer.ts';
import type { Tokenizer } from '../../text/tokenizers/tokenizer.ts';
import type { HfType } from '../shared/model-formats.ts';
import type { SavedModel } from '../shared/saved-model.ts';
import { withByteLetters } from '../tokenizers/byte-letters.ts';
import { exportTokenizer, templateProcessing } from '../tokenizers/exported-tokenizer.ts';

/**
 * The tokenizer files by name. Throws a HeddleError if the family has no tokenizer for the two vocabularies of a
 * model.
 */
export function transformersTokenizer(
  { source, target, config }: Pick<SavedModel, 'source' | 'target' | 'config'>,
  type: HfType,
): Record<string, Uint8Array> {
  const [from, to] = [source, target].map(sentencePieceIn);
  if (type === 'marian' && from && to)
    return withoutUndefined({
      // transformers reads the other files, transformers.js this one.
      'tokenizer.json':
        source === target && source.modelFile ? jsonBytes(sharedTokenizer(source).json) : undefined,
      'source.spm': from.file,
      'target.spm': to.file,
      'vocab.json': jsonBytes(from.ids),
      'target_vocab.json': source === target ? undefined : jsonBytes(to.ids),
      'tokenizer_config.json': jsonBytes({
        tokenizer_class: 'MarianTokenizer',
        separate_vocabs: source !== target,
        model_max_length: config.maxLength,
        clean_up_tokenization_spaces: false,
        ...rolesOf(target, (id) => target.token(id)),
        bos_token: undefined,
      }),
    });
  if (source !== target)
    throw new HeddleError(
      `${type}: transformers has no tokenizer with two vocabularies of this kind; train with one for both sides (tie: all), or with SentencePiece models`,
    );
  const { json, name } = sharedTokenizer(source);
  return {
    'tokenizer.json': jsonBytes(json),
    'tokenizer_config.json': jsonBytes({
      tokenizer_class: 'PreTrainedTokenizerFast',
      model_max_length: config.maxLength,
      clean_up_tokenization_spaces: false,
      ...rolesOf(target, name),
    }),
  };
}

/** The special tokens under the names of tokenizer_config.json. */
const rolesOf = ({ special }: Tokenizer, name: (id: number) => string): Json => ({
  pad_token: name(special.pad),
  bos_token: name(special.start),
  eos_token: name(special.end),
  unk_token: name(special.unknown),
});

/** tokenizer.json of a tokenizer, and the names of its tokens in it. */
function sharedTokenizer(tokenizer: Tokenizer): { json: Json; name: (id: number) => string } {
  const { kind, special, modelFile } = tokenizer;
  const token = (id: number) => tokenizer.token(id);
  if (kind === 'huggingface' || (kind === 'sentencepiece' && !modelFile)) {
    const { json, special: names } = exportTokenizer(tokenizer, tokenizer);
    const byId = new Map(
      (['pad', 'start', 'end', 'unknown'] as const).map((role) => [special[role], names[role]]),
    );
    return { json, name: (id) => byId.get(id) ?? token(id) };
  }
  const end = token(special.end);
  const template = templateProcessing([], [end], new Map([[end, special.end]]));
  return {
    json: { ...withByteLetters(tokenizer.toJSON() as unknown as Json), post_processor: template },
    name: token,
  };
}

/** The SentencePiece model of a tokenizer and its ids by piece; undefined if it is of another kind. */
function sentencePieceIn(
  tokenizer: Tokenizer,
): { readonly file: Uint8Array; readonly ids: Readonly<Record<string, number>> } | undefined {
  const model = tokenizer.toJSON().model as Json;
  const isEmbedded = model.type === sentencePieceModelType;
  const file = isEmbedded ? fromBase64(String(model.file), 'tokenizer.json') : tokenizer.modelFile;
  if (!file) return undefined;
  const ids: Record<string, number> = {};
  for (let id = 0; id < tokenizer.size; id++) ids[tokenizer.token(id)] ??= id;
  return { file, ids };
}
