// The list of the chapters.

import { why } from './attention-chapter.ts';
import { cross, heads, queries, softmax } from './attention-chapters.ts';
import { batches } from './batches-chapter.ts';
import type { Chapter } from './chapter.ts';
import { decoding } from './decoding-chapter.ts';
import { embeddings, tokens } from './input-chapters.ts';
import { inside } from './inside-chapter.ts';
import { loss, residual } from './layer-chapters.ts';
import { learning } from './learning-chapter.ts';
import { measuring } from './measuring-chapter.ts';
import { output } from './output-chapter.ts';
import { vocabulary } from './vocabulary-chapter.ts';

/** The chapters in order; each has an address of its own. */
export const chapters: readonly Chapter[] = [
  tokens,
  vocabulary,
  embeddings,
  why,
  queries,
  softmax,
  heads,
  cross,
  residual,
  output,
  loss,
  batches,
  learning,
  decoding,
  inside,
  measuring,
];
