// Options of a SentencePiece tokenizer to train, with their defaults.

import type { PieceOptions } from './piece-training.ts';

/** Options of a SentencePiece model with defaults. */
export interface PieceSettings {
  /** Whether characters without a piece become the pieces of their bytes. [true from 512 pieces] */
  readonly byteFallback?: boolean;
  /** Fraction of the characters of the text that get pieces. [0.9995] */
  readonly characterCoverage?: number;
  /** Whether each digit is a piece of its own. [false] */
  readonly splitDigits?: boolean;
  /** Texts that are always one piece. [none] */
  readonly userSymbols?: readonly string[];
  /** Pieces that no text encodes to. [none] */
  readonly controlSymbols?: readonly string[];
}

/** Options of a SentencePiece model to train. */
export interface SentencePieceOptions {
  readonly kind: 'unigram' | 'sentencepiece-bpe';
  readonly size: number;
  readonly lowercase?: boolean;
  readonly pieces?: PieceSettings;
}

/** Default of `characterCoverage`, as in SentencePiece. */
const defaultCoverage = 0.9995;

/** Sizes from which the 256 bytes are pieces by default: in smaller vocabularies they would take half or more. */
const minBytesSize = 512;

/**
 * Maximum number of texts that are counted, which bounds memory: of a larger corpus every second, third or further
 * text is.
 */
export const maxCountedTexts = 4_000_000;

/** The options of `pieceSteps`, with their defaults. */
export function pieceOptionsOf(options: {
  readonly kind: string;
  readonly size: number;
  readonly lowercase?: boolean;
  readonly pieces?: PieceSettings;
}): PieceOptions {
  const { kind, size, lowercase = false, pieces = {} } = options;
  return {
    algorithm: kind === 'unigram' ? 'unigram' : 'bpe',
    size,
    lowercase,
    byteFallback: pieces.byteFallback ?? size >= minBytesSize,
    characterCoverage: pieces.characterCoverage ?? defaultCoverage,
    splitDigits: pieces.splitDigits ?? false,
    userSymbols: pieces.userSymbols ?? [],
    controlSymbols: pieces.controlSymbols ?? [],
  };
}
