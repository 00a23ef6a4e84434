// The way of a translation through the model as stages in time: the encoder once, then the decoder for each token.

import type { Scene } from './scene.ts';

/** A part of the picture. */
export type PartKind = 'tokens' | 'embedding' | 'self' | 'cross' | 'out' | 'memory' | 'next' | 'back';

/** A stage: what a part does for a token of the target, or for the whole source. */
export interface Stage {
  readonly kind: PartKind;
  readonly stack: 'encoder' | 'decoder';
  readonly layer: number;
  /** Number of the token of the target; 0 in the encoder. */
  readonly token: number;
  /** Milliseconds. */
  readonly length: number;
  /** Milliseconds from the start of the picture to its start. */
  readonly start: number;
}

/** The stages of a scene in order. */
export function stagesOf({ encoder, decoder, target }: Scene): Stage[] {
  const stages: Stage[] = [];
  let start = 0;
  const add = (kind: PartKind, stack: Stage['stack'], length: number, layer = 0, token = 0) => {
    stages.push({ kind, stack, layer, token, length, start });
    start += length;
  };
  add('tokens', 'encoder', 700);
  add('embedding', 'encoder', 600);
  for (const layer of encoder.layers.keys()) {
    add('self', 'encoder', 1100, layer);
    add('out', 'encoder', 500, layer);
  }
  add('memory', 'encoder', 700);
  for (const token of target.keys()) {
    // The first tokens take their time, the others hurry.
    const pace = token === 0 ? 1 : token === 1 ? 0.75 : 0.5;
    add('embedding', 'decoder', 400 * pace, 0, token);
    for (const [layer, { self }] of decoder.layers.entries()) {
      if (self) add('self', 'decoder', 600 * pace, layer, token);
      add('cross', 'decoder', 1000 * pace, layer, token);
      add('out', 'decoder', 350 * pace, layer, token);
    }
    add('next', 'decoder', 1000 * pace, 0, token);
    add('back', 'decoder', token < target.length - 1 ? 600 * pace : 2600, 0, token);
  }
  return stages;
}

/** The stage at a time, and how much of it has passed, from 0 to 1. */
export function stageAt(
  stages: readonly Stage[],
  time: number,
): { readonly index: number; readonly passed: number } {
  let index = stages.findIndex(({ start, length }) => time < start + length);
  if (index < 0) index = stages.length - 1;
  const { start, length } = stages[index] as Stage;
  return { index, passed: Math.min(1, Math.max(0, (time - start) / length)) };
}

/** Milliseconds of all stages. */
export const lengthOf = (stages: readonly Stage[]): number => {
  const last = stages.at(-1);
  return last ? last.start + last.length : 0;
};
