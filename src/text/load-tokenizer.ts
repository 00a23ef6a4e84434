// Loads tokenizers: a tokenizer.json that heddle saved, or the file of another tool for a new training
// (tokenizer.json or a SentencePiece model).

import { check, HeddleError, withReason } from '../core/errors.ts';
import { listed, msg } from '../core/message.ts';
import { isObject, parseJson } from '../files/json-files.ts';
import { openSentencePiece } from './sentencepiece/processor.ts';
import { hasSentencePiece, loadSavedSentencePiece } from './sentencepiece/saved-sentencepiece.ts';
import { SentencePieceTokenizer } from './sentencepiece/sentencepiece-tokenizer.ts';
import { isTrainedSentencePiece } from './sentencepiece/trained-sentencepiece.ts';
import { createHfTokenizer, type HfTokenizerOptions, savedHfOptions } from './tokenizers/hf-tokenizer.ts';
import { specialTokens, type Tokenizer } from './tokenizers/tokenizer.ts';
import { loadTrainedTokenizer } from './tokenizers/trained-tokenizer.ts';

/**
 * Loads the tokenizer.json of a heddle model, as text or parsed. Throws a HeddleError if it is invalid, or
 * names a model, normalizer, pre-tokenizer, decoder or post-processor that heddle does not write.
 */
export function loadTokenizer(json: unknown): Tokenizer {
  const file = typeof json === 'string' ? parse(json) : json;
  check(isObject(file) && isObject(file.model), 'the field model is missing', { area: 'tokenizer.json' });
  if (hasSentencePiece(file)) return loadSavedSentencePiece(file);
  const hfOptions = savedHfOptions(file);
  return hfOptions
    ? createHfTokenizer(file, hfOptions)
    : loadTrainedTokenizer({ ...file, model: file.model });
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new HeddleError(msg`not JSON (${(error as Error).message})`, { area: 'tokenizer.json' });
  }
}

/** Names of the special tokens in files of other tools, in order of preference. */
const names = {
  pad: ['[PAD]', '<pad>', '<|pad|>'],
  start: ['[start]', '<s>', '[BOS]', '<bos>', '[CLS]'],
  end: ['[end]', '</s>', '[EOS]', '<eos>', '[SEP]', '<|endoftext|>'],
  unknown: ['[UNK]', '<unk>'],
} as const;

/** Runs `read`. A HeddleError that it throws names the supported kinds of files. */
const tokenizerIn = <T>(name: string, read: () => T): T =>
  withReason(
    name,
    (reason) => msg`neither a tokenizer.json nor a SentencePiece model (.model, .spm): ${reason}`,
    read,
  );

/** What a model needs of a tokenizer file. */
export interface TokenizerFileOptions {
  /** Whether it may have neither padding nor a start token, as models of Marian with SSRU decoders. [false] */
  readonly noStart?: boolean;
}

/**
 * Reads a tokenizer file. A tokenizer without a padding token gets one, with a new id. A tokenizer without a
 * start token starts with the padding token. Throws a HeddleError that starts with `name` if the file is
 * neither a tokenizer.json nor a SentencePiece model, or has no end token.
 */
export function readTokenizerFile(
  bytes: Uint8Array,
  name: string,
  { noStart = false }: TokenizerFileOptions = {},
): Tokenizer {
  const first = new TextDecoder().decode(bytes.subarray(0, 64)).trimStart();
  if (!first.startsWith('{')) {
    const { pieces, special } = tokenizerIn(name, () => openSentencePiece(bytes, name).model);
    const at = (token: string) => pieces.findIndex(({ text }) => text === token);
    const found = names.start.map(at).find((id) => id >= 0);
    if (noStart && special.pad < 0 && found === undefined)
      return new SentencePieceTokenizer({ file: bytes, name, special: { pad: -1, start: -1 } });
    const pad = special.pad >= 0 ? special.pad : pieces.length;
    const start = found ?? pad;
    return new SentencePieceTokenizer({
      file: bytes,
      name,
      special: { pad, start },
      size: Math.max(pieces.length, pad + 1),
    });
  }
  const { json, model } = tokenizerIn(name, () => {
    const json = parseJson(bytes, name);
    const { model } = json;
    check(isObject(model) && ('vocab' in model || 'type' in model), 'its field model has no vocabulary');
    return { json, model };
  });
  const vocab = isObject(model.vocab) ? model.vocab : {};
  const isOwn = specialTokens.every((token) => token in vocab) || isTrainedSentencePiece(json);
  if (isOwn || 'heddle' in json) return loadTokenizer(json);
  const added = Array.isArray(json.added_tokens) ? json.added_tokens : [];
  const ids = new Map<string, unknown>([
    ...(Array.isArray(model.vocab)
      ? model.vocab.map((entry, id): [string, number] => [String([entry].flat()[0]), id])
      : []),
    ...Object.entries(vocab),
    ...added.map((token): [string, unknown] => [String(token?.content), token?.id]),
  ]);
  const find = (role: keyof typeof names) =>
    names[role].map((token) => ids.get(token)).find((id) => id !== undefined);
  const size = Math.max(0, ...[...ids.values()].map(Number).filter(Number.isFinite)) + 1;
  const [pad = size, end, unknown] = [find('pad'), find('end'), find('unknown')];
  check(end !== undefined, msg`there is no end token (${listed(names.end)}) in it`, { area: name });
  const start = find('start') ?? pad;
  const special = {
    pad,
    start,
    end,
    unknown,
  } as HfTokenizerOptions['special'];
  return createHfTokenizer(json, { special, size: Math.max(size, special.pad + 1) });
}
