// Stopping a training at the first number that is not finite, and saying where it came from.

import { HeddleError } from '../core/errors.ts';
import { show } from '../core/tensor.ts';
import type { NonFinite } from '../graph/finite-checks.ts';
import type { Graph } from '../graph/graph.ts';
import type { ParameterList } from '../model/parameter-layout.ts';
import { scaleStepOp } from '../ops/optimizer/scale-step.ts';

/**
 * The error of the update `step`, from 0, that made something that is not finite: names it, from 1 as people count, the op, the layer and
 * the tensor. Elements of banks as long as one of `lists` (weights, gradients, moments) are named by the parameter that they belong to.
 */
export function nonFiniteError(step: number, found: NonFinite, lists: readonly ParameterList[]): HeddleError {
  const { node, value, element } = found;
  const bank = value.at?.buffer ?? (value.kind === 'state' ? value : undefined);
  const place = element + (value.at?.offset ?? 0);
  const list = lists.find(({ size }) => size === bank?.shape[0]);
  const parameter = list?.all.findLast(({ offset }) => offset <= place);
  const tensor = parameter
    ? `${bank?.name} of ${parameter.name} ${show(parameter.shape)}, element ${place - parameter.offset}`
    : `${value.name}, ${value.dtype} ${show(value.shape)}, element ${element}`;
  const where = node
    ? `appeared in ${node.op.name} of ${node.scope || 'the model'}`
    : 'was there before any op, from an earlier step or a file';
  return new HeddleError(
    `Step ${step + 1}: the first number that is not finite ${where}: tensor ${tensor}. ` +
      'Training stopped and nothing was saved; lower the learning rate, clip the gradients more, or look at the data of this step.',
  );
}

/**
 * Whether something comes after the loss was scaled, so that a smaller loss scale may mend it. In a graph that scales none, such as the
 * update after micro-batches, that is all that its nodes make.
 */
export function isScaled(graph: Graph, { node }: NonFinite): boolean {
  const from = graph.nodes.findIndex(({ op }) => op === scaleStepOp);
  return node !== undefined && graph.nodes.indexOf(node) > from;
}
