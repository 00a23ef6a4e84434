// Reads the tokenizers of a Hugging Face folder: characters in config.json, or tokenizer files. Without
// either, texts are token ids.

import { HeddleError, withArea } from '../../core/errors.ts';
import { filePath, type Message, msg } from '../../core/message.ts';
import { type Json, parseJson } from '../../files/json-files.ts';
import { modelFileNames } from '../../files/model-file.ts';
import { type ModelConfig, sharesEmbeddings } from '../../model/model-config.ts';
import { loadTokenizer } from '../../text/load-tokenizer.ts';
import { createCharacterTokenizer, createIdTokenizer } from '../../text/tokenizers/character-tokenizer.ts';
import type { SpecialIds, Tokenizer } from '../../text/tokenizers/tokenizer.ts';
import type { Languages } from '../shared/saved-model.ts';
import { withoutByteLetters } from '../tokenizers/byte-letters.ts';
import { type TokenizerClassName, tokenizerClasses } from '../tokenizers/tokenizer-classes.ts';
import { readTokenizerFiles } from '../tokenizers/tokenizer-files.ts';
import { familyOf } from './hf-families.ts';
import { inLanguages, withAffixes } from './languages.ts';

/** The tokenizers of source and target: the same object if they share one. */
interface Tokenizers {
  readonly source: Tokenizer;
  readonly target: Tokenizer;
  readonly languages?: Languages;
  /** Warnings for the user. */
  readonly notes: readonly Message[];
}

/**
 * Reads the tokenizers from config.json (`raw`) and from `files` by name. Throws a HeddleError that names the
 * file in `folder` if it is invalid.
 */
export function readHfTokenizers(
  raw: Json,
  c: ModelConfig,
  files: Readonly<Record<string, Uint8Array>>,
  folder: string,
): Tokenizers {
  const unknown = typeof raw.unk_token_id === 'number' ? raw.unk_token_id : undefined;
  const base = { pad: c.padId, start: c.startId, end: c.endId };
  const special: SpecialIds = { ...base, unknown: unknown ?? 3 };
  if (raw.grapheme_chars !== undefined || raw.phoneme_chars !== undefined)
    return { ...readCharacters(raw, c, special, folder), notes: [] };
  const own = readOwn(files, c, folder);
  if (own) return { ...own, notes: [] };
  const facts = {
    special: { ...base, unknown },
    srcVocab: c.srcVocab,
    tgtVocab: c.tgtVocab,
    kind: classNameOf(raw, c),
  };
  const read = readTokenizerFiles(files, facts, folder);
  if (read?.languages) {
    const { ids, after, target: stated } = read.languages;
    // A start token that is a language is the target language.
    const started = after ? [...ids].find(([, id]) => id === c.startId)?.[0] : undefined;
    const languages = { ...read.languages, target: started ?? stated, plain: read.source };
    return { ...inLanguages(languages, c), languages, notes: [] };
  }
  if (read) {
    // A guest has prompts of its own.
    const begin = read.json && c.source === 'tokens' ? beginOf(read.json) : undefined;
    const source = begin === undefined ? read.source : withAffixes(read.source, { before: [begin] });
    return { source, target: read.target === read.source ? source : read.target, notes: [] };
  }
  if (files['vocab.json'])
    throw new HeddleError(
      'a tokenizer also needs merges.txt, or sentencepiece.bpe.model, or source.spm and target.spm, or else a tokenizer.json; add the missing files',
      { area: `${folder}/vocab.json`, kind: 'not-found' },
    );
  return idTokenizers(c, special.unknown, folder);
}

/** Tokenizers of a model without tokenizer files: texts are token ids separated by spaces. */
export function idTokenizers(c: ModelConfig, unknown: number, folder: string): Tokenizers {
  const special = { pad: c.padId, start: c.startId, end: c.endId, unknown };
  const source = createIdTokenizer(c.srcVocab, special);
  const target = sharesEmbeddings(c) ? source : createIdTokenizer(c.tgtVocab, special);
  return {
    source,
    target,
    notes: [msg`${filePath(folder)}: there is no tokenizer; texts are token ids separated by spaces`],
  };
}

/**
 * The tokenizer class named in config.json, or the default of the family. mBART starts a translation with a
 * language token, mBART-50 with the end token.
 */
function classNameOf(raw: Json, c: ModelConfig): TokenizerClassName | undefined {
  const named = String(raw.tokenizer_class).replace(/Fast$/, '');
  if (Object.hasOwn(tokenizerClasses, named)) return named as TokenizerClassName;
  const tokenizer = familyOf(raw.model_type)?.tokenizer;
  return tokenizer === 'MBart50Tokenizer' && c.startId !== c.endId ? 'MBartTokenizer' : tokenizer;
}

/** Tokenizers that heddle trained and exported; undefined if other tools made the files. */
function readOwn(files: Readonly<Record<string, Uint8Array>>, c: ModelConfig, folder: string) {
  const read = (name: string, size: number): Tokenizer | undefined => {
    const file = files[name];
    if (!file) return undefined;
    const path = `${folder}/${name}`;
    let tokenizer: Tokenizer;
    try {
      tokenizer = loadTokenizer(withoutByteLetters(parseJson(file, path)));
    } catch (error) {
      if (error instanceof HeddleError && name === modelFileNames.tokenizer) return undefined; // made by another tool, or invalid
      throw error;
    }
    if (tokenizer.size !== size)
      throw new HeddleError(msg`it has ${tokenizer.size} tokens, the model ${size}`, { area: path });
    return tokenizer;
  };
  const [source, target] = [read(modelFileNames.source, c.srcVocab), read(modelFileNames.target, c.tgtVocab)];
  if (source && target) return { source, target };
  const both = c.srcVocab === c.tgtVocab ? read(modelFileNames.tokenizer, c.srcVocab) : undefined;
  return both && { source: both, target: both };
}

/** The id that the post-processor of tokenizer.json adds before a text; undefined if it adds none. */
function beginOf(file: Json): number | undefined {
  const idOf = (processor: unknown): number | undefined => {
    const { type, cls, processors, single, special_tokens } = Object(processor) as Json;
    if (type === 'Sequence' && Array.isArray(processors))
      return processors.map(idOf).find((id) => id !== undefined);
    if (type === 'RobertaProcessing' || type === 'BertProcessing') return Object(cls)[1];
    const first =
      type === 'TemplateProcessing' && Array.isArray(single) ? Object(single[0]).SpecialToken?.id : undefined;
    return first === undefined ? undefined : Object(special_tokens)[first]?.ids?.[0];
  };
  const id = idOf(file.post_processor);
  return Number.isSafeInteger(id) ? id : undefined;
}

/**
 * Character tokenizers: character i of grapheme_chars or phoneme_chars is token i. Every text starts with
 * bos_token_id.
 */
function readCharacters(raw: Json, c: ModelConfig, special: SpecialIds, folder: string) {
  const read = (field: string, size: number): Tokenizer => {
    const characters = raw[field];
    if (typeof characters !== 'string')
      throw new HeddleError(msg`${field} is ${JSON.stringify(characters)}, it must be a string`, {
        area: `${folder}/config.json`,
      });
    const begin = raw.bos_token_id;
    return withArea(`${folder}/config.json: ${field}`, () =>
      createCharacterTokenizer({
        characters,
        size,
        special,
        begin: typeof begin === 'number' ? begin : undefined,
      }),
    );
  };
  return { source: read('grapheme_chars', c.srcVocab), target: read('phoneme_chars', c.tgtVocab) };
}
