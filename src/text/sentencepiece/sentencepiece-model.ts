// Reader of SentencePiece model files: the protobuf message ModelProto of sentencepiece_model.proto, with
// pieces, scores, types and normalization rules.
// https://github.com/google/sentencepiece/blob/master/src/sentencepiece_model.proto

import { HeddleError } from '../../core/errors.ts';
import { type Message, msg } from '../../core/message.ts';
import { concatBytes } from '../../files/files.ts';
import { decodeLossy } from './byte-strings.ts';

/** Type of a piece. */
export type PieceType = 'normal' | 'unknown' | 'control' | 'user-defined' | 'unused' | 'byte';

/** A piece; its id is its index. */
export interface Piece {
  readonly bytes: Uint8Array;
  readonly text: string;
  /** Log-probability in a Unigram model, negative rank of the merge in a BPE model; a float32. */
  readonly score: number;
  readonly type: PieceType;
}

/** Normalization of text. */
export interface NormalizerSpec {
  /** The compiled rules; empty: none. */
  readonly charsmap: Uint8Array;
  readonly addDummyPrefix: boolean;
  readonly removeExtraWhitespaces: boolean;
  readonly escapeWhitespaces: boolean;
}

/** A SentencePiece model. */
export interface SentencePieceModel {
  readonly algorithm: 'unigram' | 'bpe';
  readonly pieces: readonly Piece[];
  readonly normalizer: NormalizerSpec;
  /** Rules for decoded text, if there are any. */
  readonly denormalizer: NormalizerSpec | undefined;
  /** Whether the space mark is at the end of a word instead of its start. */
  readonly whitespaceAsSuffix: boolean;
  /** Whether unknown characters become pieces of bytes. */
  readonly byteFallback: boolean;
  /** Text of the unknown piece. */
  readonly unknownSurface: string;
  /** Ids of special pieces; -1: none. */
  readonly special: { readonly unknown: number; readonly end: number; readonly pad: number };
}

const types: Record<number, PieceType> = {
  1: 'normal',
  2: 'unknown',
  3: 'control',
  4: 'user-defined',
  5: 'unused',
  6: 'byte',
};
const algorithms: Record<number, string> = { 1: 'unigram', 2: 'bpe', 3: 'word', 4: 'char' };

/** Limits; the largest published models have 256,000 pieces in 5 MB. */
export const maxSentencePiece = 128 * 2 ** 20;
const maxPieces = 1_000_000;
const maxPieceBytes = 1024;

/** Reads a model file. Throws a HeddleError that starts with `name` if it is invalid. */
export function readSentencePiece(file: Uint8Array, name: string): SentencePieceModel {
  const fail = (reason: Message): never => {
    throw new HeddleError(msg`not a valid SentencePiece model: ${reason}`, { area: name });
  };
  if (file.length > maxSentencePiece)
    fail(msg`it has ${file.length} bytes, the maximum is ${maxSentencePiece}`);
  const pieces: Piece[] = [];
  // Protobuf: repeated occurrences of a message field are concatenated.
  const parts: Record<2 | 3 | 5, Uint8Array[]> = { 2: [], 3: [], 5: [] };
  for (const { number, wire, bytes } of readFields(file, name)) {
    if (number !== 1 && number !== 2 && number !== 3 && number !== 5) continue;
    if (wire !== 2) fail(msg`field ${number} has the wire type ${wire}, it must be 2, a message`);
    if (number !== 1) parts[number].push(bytes);
    else if (pieces.push(readPiece(bytes, `${name}: piece ${pieces.length}`)) > maxPieces)
      fail(msg`it has more than ${maxPieces} pieces`);
  }
  if (pieces.length === 0) fail(msg`it has no pieces`);
  const trainer = readTrainer(concatBytes(parts[2]), `${name}: trainer_spec`);
  const { algorithm } = trainer;
  if (algorithm !== 'unigram' && algorithm !== 'bpe')
    return fail(msg`its model type is ${algorithm}; unigram and bpe are supported`);
  const normalizer = readNormalizer(concatBytes(parts[3]), `${name}: normalizer_spec`);
  const denormalizer = readNormalizer(concatBytes(parts[5]), `${name}: denormalizer_spec`);
  checkPieces(pieces, trainer.byteFallback, fail);
  const special = (id: number, text: string): number =>
    pieces[id]?.type === 'control' ? id : pieces.findIndex((p) => p.type === 'control' && p.text === text);
  return {
    algorithm,
    pieces,
    normalizer,
    denormalizer: denormalizer.charsmap.length > 0 ? denormalizer : undefined,
    whitespaceAsSuffix: trainer.whitespaceAsSuffix,
    byteFallback: trainer.byteFallback,
    unknownSurface: trainer.unknownSurface,
    special: {
      unknown: pieces.findIndex((p) => p.type === 'unknown'),
      end: special(trainer.endId, '</s>'),
      pad: special(trainer.padId, '<pad>'),
    },
  };
}

function readPiece(message: Uint8Array, name: string): Piece {
  let bytes = new Uint8Array(0);
  let score = 0;
  let type: PieceType = 'normal';
  for (const field of knownFields(message, name, { 1: 2, 2: 5, 3: 0 })) {
    if (field.number === 1) bytes = new Uint8Array(field.bytes);
    else if (field.number === 2)
      score = new DataView(field.bytes.buffer, field.bytes.byteOffset).getFloat32(0, true);
    else {
      const known = types[field.value];
      if (known === undefined) throw new HeddleError(msg`unknown piece type ${field.value}`, { area: name });
      type = known;
    }
  }
  if (bytes.length === 0) throw new HeddleError('it is empty', { area: name });
  if (bytes.length > maxPieceBytes)
    throw new HeddleError(msg`it has ${bytes.length} bytes, the maximum is ${maxPieceBytes}`, { area: name });
  if (!Number.isFinite(score)) throw new HeddleError(msg`its score is ${score}`, { area: name });
  return { bytes, text: decodeLossy(bytes), score, type };
}

function readTrainer(message: Uint8Array, name: string) {
  const out = {
    algorithm: 'unigram',
    whitespaceAsSuffix: false,
    byteFallback: false,
    unknownSurface: ' \u2047 ',
    endId: 2,
    padId: -1,
  };
  const wires = { 3: 0, 24: 0, 35: 0, 42: 0, 43: 0, 44: 2 } as const;
  for (const { number, value, bytes } of knownFields(message, name, wires)) {
    if (number === 3) out.algorithm = algorithms[value] ?? `number ${value}`;
    else if (number === 24) out.whitespaceAsSuffix = value !== 0;
    else if (number === 35) out.byteFallback = value !== 0;
    else if (number === 42) out.endId = value;
    else if (number === 43)
      out.padId = value; // -1 is read as a number above all ids
    else out.unknownSurface = decodeLossy(bytes);
  }
  return out;
}

function readNormalizer(message: Uint8Array, name: string): NormalizerSpec {
  let charsmap = new Uint8Array(0);
  const flags = { addDummyPrefix: true, removeExtraWhitespaces: true, escapeWhitespaces: true };
  for (const { number, value, bytes } of knownFields(message, name, { 2: 2, 3: 0, 4: 0, 5: 0 })) {
    if (number === 2) charsmap = new Uint8Array(bytes);
    else if (number === 3) flags.addDummyPrefix = value !== 0;
    else if (number === 4) flags.removeExtraWhitespaces = value !== 0;
    else flags.escapeWhitespaces = value !== 0;
  }
  return { charsmap, ...flags };
}

/** The byte of a piece such as <0xE2>, or -1. */
export function byteOfPiece(text: string): number {
  const [, digits] = /^<0x([0-9A-F]{2})>$/.exec(text) ?? [];
  return digits === undefined ? -1 : Number.parseInt(digits, 16);
}

/** Whether a piece matches text; the other types have special roles in encoding. */
export const isTextPiece = ({ type }: Piece): boolean =>
  type === 'normal' || type === 'user-defined' || type === 'unused';

/**
 * Checks the pieces as SentencePiece does: no duplicates, one unknown piece, and all 256 byte pieces or none.
 */
function checkPieces(
  pieces: readonly Piece[],
  byteFallback: boolean,
  fail: (reason: Message) => never,
): void {
  const seen = [new Map<string, number>(), new Map<string, number>()] as const;
  const bytes = new Set<number>();
  let unknown = -1;
  for (const [id, piece] of pieces.entries()) {
    const group = seen[isTextPiece(piece) ? 0 : 1];
    // As Latin-1, so that pieces of invalid UTF-8 stay distinct.
    const key = String.fromCharCode(...piece.bytes);
    const other = group.get(key);
    if (other !== undefined) fail(msg`the pieces ${other} and ${id} are both '${piece.text}'`);
    group.set(key, id);
    if (piece.type === 'unknown') {
      if (unknown >= 0) fail(msg`the pieces ${unknown} and ${id} are both the unknown one`);
      unknown = id;
    }
    if (piece.type !== 'byte') continue;
    if (!byteFallback) fail(msg`piece ${id} is the byte '${piece.text}', but byte_fallback is off`);
    if (byteOfPiece(piece.text) < 0)
      fail(msg`byte piece ${id} is '${piece.text}', it must have the form <0x00>`);
    bytes.add(byteOfPiece(piece.text));
  }
  if (unknown < 0) fail(msg`it has no unknown piece`);
  if (byteFallback && bytes.size < 256) fail(msg`byte_fallback is on, but it has ${bytes.size} of 256 bytes`);
}

/** A field of a protobuf message (https://protobuf.dev/programming-guides/encoding). */
export interface Field {
  readonly number: number;
  readonly wire: 0 | 1 | 2 | 5;
  /** Value of a varint (wire type 0), else 0; not exact above 2^53. */
  readonly value: number;
  /** Bytes of a fixed (1, 5) or length-delimited (2) field, a view of the message; else empty. */
  readonly bytes: Uint8Array;
}

const none = new Uint8Array(0);

/**
 * Yields the fields whose numbers are in `wires`. Throws a HeddleError as `readFields`, or if one has another
 * wire type than `wires` says.
 */
function* knownFields(
  message: Uint8Array,
  name: string,
  wires: Readonly<Record<number, Field['wire']>>,
): Generator<Field> {
  for (const field of readFields(message, name)) {
    const wire = wires[field.number];
    if (wire === undefined) continue;
    if (field.wire !== wire)
      throw new HeddleError(msg`field ${field.number} has the wire type ${field.wire}, it must be ${wire}`, {
        area: name,
      });
    yield field;
  }
}

/** Yields the fields of a message in order. Throws a HeddleError that starts with `name` if it is invalid. */
function* readFields(message: Uint8Array, name: string): Generator<Field> {
  const fail = (at: number, reason: Message): never => {
    throw new HeddleError(
      msg`invalid at byte ${at} of ${message.length}: ${reason}; the file may be truncated`,
      { area: name },
    );
  };
  let at = 0;
  const varint = (): number => {
    const from = at;
    let value = 0;
    for (let i = 0; i < 10; i++) {
      const byte = message[at++];
      if (byte === undefined) return fail(from, msg`a number is truncated`);
      value += (byte & 0x7f) * 2 ** (7 * i);
      if (byte < 0x80) return value;
    }
    return fail(from, msg`a number of more than 10 bytes`);
  };
  while (at < message.length) {
    const start = at;
    const tag = varint();
    const wire = tag % 8;
    const number = Math.floor(tag / 8);
    if (number < 1 || number >= 2 ** 29) fail(start, msg`a field numbered ${number}`);
    if (wire === 0) {
      yield { number, wire, value: varint(), bytes: none };
      continue;
    }
    if (wire !== 1 && wire !== 2 && wire !== 5)
      return fail(start, msg`field ${number} has the wire type ${wire}`);
    const length = wire === 2 ? varint() : wire === 1 ? 8 : 4;
    if (length > message.length - at)
      fail(start, msg`field ${number} has ${length} bytes, ${message.length - at} are left`);
    yield { number, wire, value: 0, bytes: message.subarray(at, at + length) };
    at += length;
  }
}
