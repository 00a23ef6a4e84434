// Byte-level BPE of GPT-2 and BART: converts vocab.json and merges.txt, with the special and added tokens of
// the other files, to the tokenizer.json that transformers converts them to (convert_slow_tokenizer.py,
// RobertaConverter).

import { check } from '../../core/errors.ts';
import { msg } from '../../core/message.ts';
import { tokenizerFileNames as names } from '../../files/hf-file-names.ts';
import { type Json, parseJson } from '../../files/json-files.ts';
import { maxTokens } from '../../text/tokenizers/bpe-merges.ts';

/** Tokenizer classes of transformers that use byte-level BPE. */
const classes = /^(Bart|Roberta|GPT2|LED|Longformer|Mvp)Tokenizer(Fast)?$/;

const isPrintable = (byte: number) => (byte > 32 && byte < 127) || (byte > 160 && byte !== 173);
const hiddenBytes = Array.from({ length: 256 }, (_, byte) => byte).filter((byte) => !isPrintable(byte));
/** The character of each byte: printable ones are themselves, the others are from U+0100 on. */
const letters = Array.from({ length: 256 }, (_, byte) =>
  String.fromCharCode(isPrintable(byte) ? byte : 256 + hiddenBytes.indexOf(byte)),
);

/** Bytes as byte-level BPE writes them, a character for each. */
export const bytesAsLetters = (bytes: Iterable<number>): string =>
  Array.from(bytes, (byte) => letters[byte] as string).join('');

/** Default special tokens, those of BartTokenizer. */
const defaultRoles = {
  bos_token: '<s>',
  eos_token: '</s>',
  sep_token: '</s>',
  cls_token: '<s>',
  unk_token: '<unk>',
  pad_token: '<pad>',
  mask_token: '<mask>',
};

/**
 * Converts vocab.json and merges.txt, from the files of a folder by name, to a tokenizer.json; undefined if
 * one is missing. Throws a HeddleError that names the file if it is invalid, a merge has a token that is not
 * in the vocabulary, or the tokenizer_class is another.
 */
export function byteLevelBpeJson(
  files: Readonly<Record<string, Uint8Array>>,
  folder: string,
): Json | undefined {
  const [vocabFile, mergesFile] = [files[names.vocab], files[names.merges]];
  if (!vocabFile || !mergesFile) return undefined;
  const read = (name: string): Json => (files[name] ? parseJson(files[name], `${folder}/${name}`) : {});
  const [vocab, config, added] = [read(names.vocab), read(names.config), read(names.added)];
  const { tokenizer_class: kind } = config;
  check(
    kind === undefined || kind === null || (typeof kind === 'string' && classes.test(kind)),
    () =>
      msg`tokenizer_class is ${JSON.stringify(kind)}, which needs a tokenizer.json; convert it with transformers`,
    { area: `${folder}/${names.config}` },
  );
  const roles = { ...defaultRoles, ...textsOf(config), ...textsOf(read(names.roles)) };
  const ids = new Map(Object.entries({ ...vocab, ...added }));
  const special = new Set(Object.values(roles).filter((token) => ids.has(token)));
  const spaces = config.add_prefix_space === true;
  const enclosed = ids.has(roles.cls_token) && ids.has(roles.sep_token);
  return {
    version: '1.0',
    added_tokens: [...special, ...Object.keys(added).filter((token) => !special.has(token))].map(
      (content) => ({
        id: ids.get(content),
        content,
        special: special.has(content),
        // The mask takes the space before it.
        single_word: false,
        lstrip: content === roles.mask_token,
        rstrip: false,
        normalized: !special.has(content),
      }),
    ),
    normalizer: null,
    pre_tokenizer: { type: 'ByteLevel', add_prefix_space: spaces, trim_offsets: true, use_regex: true },
    post_processor: enclosed
      ? {
          type: 'RobertaProcessing',
          sep: [roles.sep_token, ids.get(roles.sep_token)],
          cls: [roles.cls_token, ids.get(roles.cls_token)],
          trim_offsets: true,
          add_prefix_space: spaces,
        }
      : null,
    decoder: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true },
    model: {
      type: 'BPE',
      dropout: null,
      continuing_subword_prefix: '',
      end_of_word_suffix: '',
      fuse_unk: false,
      unk_token: Object.hasOwn(vocab, roles.unk_token) ? roles.unk_token : null,
      vocab,
      merges: readMerges(mergesFile, vocab, `${folder}/${names.merges}`),
    },
  };
}

/** Special tokens of a file by role; each is a string or an object with `content`. */
function textsOf(file: Json): Partial<typeof defaultRoles> {
  const texts = Object.keys(defaultRoles).map((role) => {
    const value = file[role];
    const text = typeof value === 'object' && value !== null ? (value as Json).content : value;
    return [role, text] as const;
  });
  return Object.fromEntries(texts.filter(([, text]) => typeof text === 'string'));
}

/** Merges, one per line, highest priority first, after an optional line `#version`. */
function readMerges(file: Uint8Array, vocab: Json, path: string): [string, string][] {
  const lines = new TextDecoder().decode(file).split(/\r?\n/);
  if (lines[0]?.startsWith('#version')) lines.shift();
  while (lines.at(-1) === '') lines.pop();
  check(lines.length <= maxTokens, msg`${lines.length} merges, the maximum is ${maxTokens}`, { area: path });
  return lines.map((line, i) => {
    const pair = line.split(' ');
    const [a = '', b = ''] = pair;
    check(
      pair.length === 2,
      () => msg`merge ${i + 1} is ${JSON.stringify(line.slice(0, 80))}, it must be two tokens`,
      { area: path },
    );
    for (const token of [a, b, a + b])
      check(
        Object.hasOwn(vocab, token),
        () => msg`merge ${i + 1} has the token '${token}', which is not in ${names.vocab}`,
        { area: path },
      );
    return [a, b];
  });
}
