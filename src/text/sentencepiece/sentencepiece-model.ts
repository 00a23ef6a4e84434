// A SentencePiece model as its file states it: pieces with scores and types, and the rules of its normalisation. The file is the
// message ModelProto of SentencePiece's sentencepiece_model.proto, whose field numbers stand here.

import { HeddleError } from '../../core/errors.ts';
import { decodeLossy } from './byte-strings.ts';

/** What a piece is. */
export type PieceType = 'normal' | 'unknown' | 'control' | 'user-defined' | 'unused' | 'byte';

/** One piece; its id is its place. */
export interface Piece {
  readonly bytes: Uint8Array;
  readonly text: string;
  /** Log probability in a Unigram model, minus the rank of the merge in a BPE model; a float32. */
  readonly score: number;
  readonly type: PieceType;
}

/** How text is normalised. */
export interface NormalizerSpec {
  /** The compiled rules; empty where text is taken as it is. */
  readonly charsmap: Uint8Array;
  readonly addDummyPrefix: boolean;
  readonly removeExtraWhitespaces: boolean;
  readonly escapeWhitespaces: boolean;
}

/** A model. */
export interface SentencePieceModel {
  readonly algorithm: 'unigram' | 'bpe';
  readonly pieces: readonly Piece[];
  readonly normalizer: NormalizerSpec;
  /** Rules for decoded text, where there are any. */
  readonly denormalizer: NormalizerSpec | undefined;
  /** Whether the mark of a space stands at the end of a word instead of its head. */
  readonly whitespaceAsSuffix: boolean;
  /** Whether unknown characters become pieces of bytes. */
  readonly byteFallback: boolean;
  /** What decoding writes for the unknown piece. */
  readonly unknownSurface: string;
  /** Ids of special pieces; -1 where there is none. */
  readonly special: { readonly unknown: number; readonly start: number; readonly end: number; readonly pad: number };
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

/** Bounds on what is read: the largest published models have 256,000 pieces in 5 MB. */
const maxFile = 128 * 2 ** 20;
const maxPieces = 1_000_000;
const maxPieceBytes = 1024;

const textOf = (field: Field): string => decodeLossy(field.bytes);

/** Reads a model file. Throws a HeddleError that names `name` and what is wrong in it. */
export function readSentencePiece(file: Uint8Array, name: string): SentencePieceModel {
  const fail = (why: string): never => {
    throw new HeddleError(`${name}: not a sound SentencePiece model: ${why}`);
  };
  if (file.length > maxFile) fail(`it has ${file.length} bytes, at most ${maxFile} are read`);
  const pieces: Piece[] = [];
  // A message that comes in parts is the same as its parts put together.
  const parts: Record<2 | 3 | 5, Uint8Array[]> = { 2: [], 3: [], 5: [] };
  for (const { number, wire, bytes } of readFields(file, name)) {
    if (number !== 1 && number !== 2 && number !== 3 && number !== 5) continue;
    if (wire !== 2) fail(`field ${number} has the wire type ${wire}, a message is wanted`);
    if (number !== 1) parts[number].push(bytes);
    else if (pieces.push(readPiece(bytes, `${name}: piece ${pieces.length}`)) > maxPieces)
      fail(`it has more than ${maxPieces} pieces`);
  }
  if (pieces.length === 0) fail('it has no pieces');
  const trainer = readTrainer(concat(parts[2]), `${name}: trainer_spec`);
  const { algorithm } = trainer;
  if (algorithm !== 'unigram' && algorithm !== 'bpe')
    return fail(`its model type is ${algorithm}; unigram and bpe are supported`);
  const normalizer = readNormalizer(concat(parts[3]), `${name}: normalizer_spec`);
  const denormalizer = readNormalizer(concat(parts[5]), `${name}: denormalizer_spec`);
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
      start: special(trainer.startId, '<s>'),
      end: special(trainer.endId, '</s>'),
      pad: special(trainer.padId, '<pad>'),
    },
  };
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  const [first, ...rest] = parts;
  if (first === undefined || rest.length === 0) return first ?? new Uint8Array(0);
  const out = new Uint8Array(parts.reduce((n, part) => n + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/** Fails where a field does not have the wire type that its kind of value has. */
function expectWire(field: Field, wire: Field['wire'], name: string): void {
  if (field.wire !== wire)
    throw new HeddleError(`${name}: field ${field.number} has the wire type ${field.wire}, it must be ${wire}`);
}

function readPiece(message: Uint8Array, name: string): Piece {
  let bytes = new Uint8Array(0);
  let score = 0;
  let type: PieceType = 'normal';
  for (const field of readFields(message, name)) {
    if (field.number === 1) {
      expectWire(field, 2, name);
      bytes = new Uint8Array(field.bytes);
    } else if (field.number === 2) {
      expectWire(field, 5, name);
      score = new DataView(field.bytes.buffer, field.bytes.byteOffset).getFloat32(0, true);
    } else if (field.number === 3) {
      expectWire(field, 0, name);
      const found = types[field.value];
      if (found === undefined) throw new HeddleError(`${name}: its type is ${field.value}, which is not known`);
      type = found;
    }
  }
  if (bytes.length === 0) throw new HeddleError(`${name}: it is empty`);
  if (bytes.length > maxPieceBytes)
    throw new HeddleError(`${name}: it takes ${bytes.length} bytes, at most ${maxPieceBytes} are read`);
  if (!Number.isFinite(score)) throw new HeddleError(`${name}: its score is ${score}`);
  return { bytes, text: decodeLossy(bytes), score, type };
}

function readTrainer(message: Uint8Array, name: string) {
  const out = {
    algorithm: 'unigram',
    whitespaceAsSuffix: false,
    byteFallback: false,
    unknownSurface: ' \u2047 ',
    startId: 1,
    endId: 2,
    padId: -1,
  };
  for (const field of readFields(message, name)) {
    const { number, value } = field;
    if ([3, 24, 35, 41, 42, 43].includes(number)) expectWire(field, 0, name);
    if (number === 3) out.algorithm = algorithms[value] ?? `number ${value}`;
    else if (number === 24) out.whitespaceAsSuffix = value !== 0;
    else if (number === 35) out.byteFallback = value !== 0;
    else if (number === 41) out.startId = value;
    else if (number === 42) out.endId = value;
    else if (number === 43)
      out.padId = value; // -1 is a number past all ids here, which no piece has
    else if (number === 44) {
      expectWire(field, 2, name);
      out.unknownSurface = textOf(field);
    }
  }
  return out;
}

function readNormalizer(message: Uint8Array, name: string): NormalizerSpec {
  let charsmap = new Uint8Array(0);
  const flags = { addDummyPrefix: true, removeExtraWhitespaces: true, escapeWhitespaces: true };
  for (const field of readFields(message, name)) {
    if (field.number === 2) {
      expectWire(field, 2, name);
      charsmap = new Uint8Array(field.bytes);
    }
    if (field.number < 3 || field.number > 5) continue;
    expectWire(field, 0, name);
    const flag = (['addDummyPrefix', 'removeExtraWhitespaces', 'escapeWhitespaces'] as const)[field.number - 3];
    if (flag) flags[flag] = field.value !== 0;
  }
  return { charsmap, ...flags };
}

/** The byte of a piece such as <0xE2>, or -1. */
export function byteOfPiece(text: string): number {
  const [, digits] = /^<0x([0-9A-F]{2})>$/.exec(text) ?? [];
  return digits === undefined ? -1 : Number.parseInt(digits, 16);
}

/** Whether a piece is found in text, by its letters; the others have a part of their own in encoding. */
export const isTextPiece = ({ type }: Piece): boolean =>
  type === 'normal' || type === 'user-defined' || type === 'unused';

/** What SentencePiece demands of pieces: each once, one unknown, and either all 256 bytes or none. */
function checkPieces(pieces: readonly Piece[], byteFallback: boolean, fail: (why: string) => never): void {
  const seen = [new Map<string, number>(), new Map<string, number>()] as const;
  const bytes = new Set<number>();
  let unknown = -1;
  for (const [id, piece] of pieces.entries()) {
    const group = seen[isTextPiece(piece) ? 0 : 1];
    // As Latin-1, so that pieces of broken UTF-8 stay apart.
    const key = String.fromCharCode(...piece.bytes);
    const other = group.get(key);
    if (other !== undefined) fail(`the pieces ${other} and ${id} are both '${piece.text}'`);
    group.set(key, id);
    if (piece.type === 'unknown') {
      if (unknown >= 0) fail(`the pieces ${unknown} and ${id} are both the unknown one`);
      unknown = id;
    }
    if (piece.type !== 'byte') continue;
    if (!byteFallback) fail(`piece ${id} is the byte '${piece.text}', but byte_fallback is off`);
    if (byteOfPiece(piece.text) < 0) fail(`piece ${id} is to be a byte, but is '${piece.text}'`);
    bytes.add(byteOfPiece(piece.text));
  }
  if (unknown < 0) fail('it has no unknown piece');
  if (byteFallback && bytes.size < 256) fail(`byte_fallback is on, but it has ${bytes.size} of 256 bytes`);
}

/** One field of a message: varints as numbers, below 2^64 and so not always exact, the others as their bytes. */
export interface Field {
  readonly number: number;
  readonly wire: 0 | 1 | 2 | 5;
  /** The value of a varint (wire 0), else 0. */
  readonly value: number;
  /** The bytes of a fixed (1 and 5) or length-delimited (2) field, a view of the message; else none. */
  readonly bytes: Uint8Array;
}

const none = new Uint8Array(0);

/** The fields of a message in the order of the file. Throws a HeddleError that begins with `name` where it is broken. */
export function* readFields(message: Uint8Array, name: string): Generator<Field> {
  const fail = (at: number, why: string): never => {
    throw new HeddleError(`${name}: broken at byte ${at} of ${message.length}: ${why}; the file may be cut off`);
  };
  let at = 0;
  const varint = (): number => {
    const from = at;
    let value = 0;
    for (let i = 0; i < 10; i++) {
      const byte = message[at++];
      if (byte === undefined) return fail(from, 'a number ends outside it');
      value += (byte & 0x7f) * 2 ** (7 * i);
      if (byte < 0x80) return value;
    }
    return fail(from, 'a number of more than 10 bytes');
  };
  while (at < message.length) {
    const start = at;
    const tag = varint();
    const wire = tag % 8;
    const number = Math.floor(tag / 8);
    if (number < 1 || number >= 2 ** 29) fail(start, `a field numbered ${number}`);
    if (wire === 0) {
      yield { number, wire, value: varint(), bytes: none };
      continue;
    }
    if (wire !== 1 && wire !== 2 && wire !== 5) return fail(start, `field ${number} has the wire type ${wire}`);
    const length = wire === 2 ? varint() : wire === 1 ? 8 : 4;
    if (length > message.length - at)
      fail(start, `field ${number} claims ${length} bytes, ${message.length - at} are left`);
    yield { number, wire, value: 0, bytes: message.subarray(at, at + length) };
    at += length;
  }
}
