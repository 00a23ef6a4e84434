// The positions of tokens: the tables of fixed ones.

import { sinusoids } from '../engine/ops/embedding/embedding.ts';
import { fairseqSinusoids, marianSinusoids } from '../engine/ops/embedding/other-sinusoids.ts';
import type { ModelConfig } from './model-config.ts';

/** Number of rows of the table of fixed positions; 0 if the configuration has none. */
export function fixedPositionRows({ positions, maxLength, maxSource, padId }: ModelConfig): number {
  if (positions === 'fairseq-sinusoidal') return maxLength + padId + 1;
  return positions.includes('sinusoidal') ? Math.max(maxLength, maxSource) : 0;
}

/** The table of fixed positions [rows, D]; undefined if the configuration has none. */
export function fixedPositions(c: ModelConfig): Float32Array | undefined {
  const rows = fixedPositionRows(c);
  if (rows === 0) return undefined;
  if (c.positions === 'fairseq-sinusoidal') return fairseqSinusoids(rows, c.dModel, c.padId);
  if (c.positions === 'marian-sinusoidal') return marianSinusoids(rows, c.dModel);
  return sinusoids(rows, c.dModel, c.positions === 'sinusoidal' ? 'interleaved' : 'halves');
}
