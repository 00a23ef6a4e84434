// Tables of positions that follow from the configuration.

import { fairseqSinusoids, sinusoids } from '../ops/embedding/embedding.ts';
import type { ModelConfig } from './model-config.ts';

/** Number of rows of the table of fixed positions; 0 if the configuration has none. */
export function fixedPositionRows({ positions, maxLength, padId }: ModelConfig): number {
  if (positions === 'fairseq-sinusoidal') return maxLength + padId + 1;
  return positions.startsWith('sinusoidal') ? maxLength : 0;
}

/** The table of fixed positions [rows, D]; undefined if the configuration has none. */
export function fixedPositions(c: ModelConfig): Float32Array | undefined {
  const rows = fixedPositionRows(c);
  if (rows === 0) return undefined;
  if (c.positions === 'fairseq-sinusoidal') return fairseqSinusoids(rows, c.dModel, c.padId);
  return sinusoids(rows, c.dModel, c.positions === 'sinusoidal' ? 'interleaved' : 'halves');
}
