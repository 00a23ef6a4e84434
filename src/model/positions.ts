// The kinds of positions: how a model knows the order of its tokens (section 3.5 of the paper). Each is a row of a table.

import type { Engine } from '../engine/engine.ts';
import { fairseqSinusoids, marianSinusoids, sinusoids } from '../engine/ops/embedding/sinusoids.ts';
import type { ModelConfig } from './model-config-types.ts';

/** Fields of a configuration that determine a table of positions. */
export type PositionSizes = Pick<ModelConfig, 'positions' | 'dModel' | 'maxLength' | 'maxSource' | 'padId'>;

/** A kind of positions. A row needs only the fields in which it differs from no positions at all. */
export interface PositionKind {
  /** What it is, for the help of the field `positions`. */
  readonly help?: string;
  /** A fixed table [rows, D] that is added to the embeddings of both sides. */
  readonly table?: {
    rows(c: PositionSizes): number;
    values(c: PositionSizes, rows: number): Float32Array;
  };
  /** Whether each side has a trained table. */
  readonly isLearned?: boolean;
  /** Whether only tokens are counted that are not padding; the configuration needs the id of padding. */
  readonly skipsPadding?: boolean;
  /** Whether the scores of self-attention have a trained bias for each distance and head. */
  readonly isRelative?: boolean;
  /** Whether translations may be longer than the maximum length, as in the model that has these positions. */
  readonly grows?: boolean;
}

const longest = ({ maxLength, maxSource }: PositionSizes): number => Math.max(maxLength, maxSource);

/** The kinds of positions, by the name in the field `positions`. */
export const positionKinds = {
  sinusoidal: {
    help: 'sine and cosine alternate',
    table: { rows: longest, values: ({ dModel }, rows) => sinusoids(rows, dModel, 'interleaved') },
  },
  'sinusoidal-halves': {
    help: 'sines first, then cosines (MarianMT, Pegasus)',
    table: { rows: longest, values: ({ dModel }, rows) => sinusoids(rows, dModel, 'halves') },
  },
  'marian-sinusoidal': {
    help: "the same with Marian's own wavelengths",
    table: { rows: longest, values: ({ dModel }, rows) => marianSinusoids(rows, dModel) },
  },
  'fairseq-sinusoidal': {
    help: 'the sinusoids of M2M100, counted over tokens that are not padding',
    table: {
      rows: (c) => longest(c) + c.padId + 1,
      values: ({ dModel, padId }, rows) => fairseqSinusoids(rows, dModel, padId),
    },
    skipsPadding: true,
    grows: true,
  },
  learned: { help: 'embeddings', isLearned: true },
  relative: {
    help: 'a bias of the self-attention scores for each distance and head (T5)',
    isRelative: true,
    grows: true,
  },
  none: {},
} satisfies Readonly<Record<string, PositionKind>>;

/** Name of a kind of positions. */
export type PositionName = keyof typeof positionKinds;

/** The kind of positions of a configuration. */
export const positionKind = ({ positions }: Pick<ModelConfig, 'positions'>): PositionKind =>
  positionKinds[positions];

/** Whether a model reads and writes rows that are longer than its maximum length; see grown-positions.ts. */
export const growsPositions = (c: Pick<ModelConfig, 'positions' | 'source'>): boolean =>
  positionKind(c).grows === true && c.source === 'tokens';

/** Name of the state of a table with more rows than that of the configuration, whose name is `name`. */
export const grownPositions = (name: string, rows: number): string => `${name}.${rows}`;

/** Number of rows of the table of fixed positions; 0 if the configuration has none. */
export const fixedPositionRows = (c: PositionSizes): number => positionKind(c).table?.rows(c) ?? 0;

/** The table of fixed positions [rows, D]; undefined if the configuration has none. */
export function fixedPositions(c: PositionSizes): Float32Array | undefined {
  const { table } = positionKind(c);
  return table?.values(c, table.rows(c));
}

/** Writes the table of fixed positions to the state `positions` of an engine. Does nothing if the model has none. */
export function writePositions(engine: Engine, c: ModelConfig, suffix = ''): void {
  const table = fixedPositions(c);
  if (table) engine.write(`positions${suffix}`, table);
}
