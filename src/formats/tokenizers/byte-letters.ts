// A unigram model with byte fallback whose pieces are written byte by byte as the letters of byte-level BPE. The
// libraries of transformers and transformers.js then give the same ids: that of transformers.js has no byte fallback
// for Unigram models.

import type { Json } from '../../files/json-files.ts';
import { decodeUtf8, encodeUtf8 } from '../../text/sentencepiece/byte-strings.ts';
import { byteOfPiece } from '../../text/sentencepiece/sentencepiece-model.ts';
import { metaspace, SPACE_MARK } from '../../text/tokenizers/normalization.ts';
import { bytesAsLetters } from './byte-level-bpe.ts';

type Vocab = readonly (readonly [text: string, score: number])[];

const byteLevel: Json = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: false };
const preTokenizer: Json = { type: 'Sequence', pretokenizers: [metaspace, byteLevel] };

/** Texts of the added tokens, whose names stay. */
const addedTexts = ({ added_tokens: added }: Json): ReadonlySet<string> =>
  new Set((added as readonly Json[]).map(({ content }) => String(content)));

/**
 * The tokenizer.json with pieces as letters; unchanged if it is no Unigram model with byte fallback. The piece of a
 * byte is its letter, or has a space mark before its name if that letter is a piece of its own: no text matches it.
 */
export function withByteLetters(json: Json): Json {
  const { type, byte_fallback: hasBytes, vocab: given, ...model } = json.model as Json;
  if (type !== 'Unigram' || hasBytes !== true) return json;
  const vocab = given as Vocab;
  const added = addedTexts(json);
  const normal = vocab.filter(([text]) => !added.has(text) && byteOfPiece(text) < 0);
  const known = new Set(normal.map(([text]) => text));
  const lowest = normal.reduce((min, [, score]) => Math.min(min, score), Number.POSITIVE_INFINITY);
  const written = ([text, score]: Vocab[number]): Vocab[number] => {
    if (added.has(text)) return [text, score];
    const byte = byteOfPiece(text);
    if (byte < 0) return [bytesAsLetters(encodeUtf8(text)), score];
    const name =
      known.has(String.fromCharCode(byte)) && byte < 128 ? SPACE_MARK + text : bytesAsLetters([byte]);
    // The bytes of a character have the score of an unknown one, at the first byte.
    return [name, (byte & 0xc0) === 0x80 ? 0 : Math.fround(lowest - 10)];
  };
  const decoders: Json[] = [
    byteLevel,
    { type: 'Replace', pattern: { String: SPACE_MARK }, content: ' ' },
    { type: 'Strip', content: ' ', start: 1024, stop: 0 }, // all spaces at the start, as SentencePiece
  ];
  return {
    ...json,
    pre_tokenizer: preTokenizer,
    decoder: { type: 'Sequence', decoders },
    model: { type, ...model, vocab: vocab.map(written), byte_fallback: true },
  };
}

/** The tokenizer.json with the pieces themselves, as heddle reads it; unchanged if its pieces are no letters. */
export function withoutByteLetters(json: Json): Json {
  if (JSON.stringify(json.pre_tokenizer) !== JSON.stringify(preTokenizer)) return json;
  const model = json.model as Json;
  const added = addedTexts(json);
  const vocab = model.vocab as Vocab;
  const marked = new Set(
    vocab.flatMap(([name]) => (name.startsWith(SPACE_MARK) ? [byteOfPiece(name.slice(1))] : [])),
  );
  const bytes = new Map(Array.from({ length: 256 }, (_, byte) => [bytesAsLetters([byte]), byte]));
  const read = ([name, score]: Vocab[number]): Vocab[number] => {
    if (added.has(name)) return [name, score];
    if (name.startsWith(SPACE_MARK)) return [name.slice(1), 0];
    const values = Uint8Array.from(name, (letter) => bytes.get(letter) ?? 0);
    const [first = 0] = values;
    const isByte = values.length === 1 && !marked.has(first);
    return isByte
      ? [`<0x${first.toString(16).toUpperCase().padStart(2, '0')}>`, 0]
      : [decodeUtf8(values), score];
  };
  return { ...json, pre_tokenizer: metaspace, model: { ...model, vocab: vocab.map(read) } };
}
