// A part of the loss of a training beside the cross-entropy of the target tokens.

import type { Value } from '../engine/ops/op.ts';
import type { Transformer } from './scope.ts';

/** A part that a step of the data adds to the loss, such as guided alignment. */
export interface LossPart {
  /** Name of the graph's output [4] (sum of the losses, then as `stats`), and of the value in the log. */
  readonly name: string;
  /** Adds the part to the graph of a forward pass, with its inputs and its output; returns its losses. */
  add(model: Transformer, labels: Value, step: Value): Value;
}
