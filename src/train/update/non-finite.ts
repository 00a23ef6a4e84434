// Error for the first NaN or infinity of a training step: its op, layer and tensor.

import { HeddleError } from '../../core/errors.ts';
import { msg } from '../../core/message.ts';
import { show } from '../../core/tensor.ts';
import type { NonFinite } from '../../engine/graph/finite-checks.ts';
import type { Graph } from '../../engine/graph/graph.ts';
import { scaleStepOp } from '../../engine/ops/optimizer/clip.ts';
import type { ParameterLayout } from '../../model/parameter-layout.ts';

/**
 * Returns the error of update `step` (from 0), which produced a value that is not finite. It names the step
 * (from 1), op, layer and tensor. `parametersIn` returns the parameters in a buffer (weights, gradients,
 * moments) by its name; their elements are named by their parameter.
 */
export function nonFiniteError(
  step: number,
  found: NonFinite,
  parametersIn: (buffer: string) => ParameterLayout | undefined,
): HeddleError {
  const { node, value, element } = found;
  const buffer = value.at?.buffer ?? (value.kind === 'state' ? value : undefined);
  const place = element + (value.at?.offset ?? 0);
  const list = buffer && parametersIn(buffer.name);
  const parameter = list?.all.findLast(({ offset }) => offset <= place);
  const tensor = parameter
    ? msg`${buffer?.name} of ${parameter.name} ${show(parameter.shape)}, element ${place - parameter.offset}`
    : msg`${value.name}, ${value.dtype} ${show(value.shape)}, element ${element}`;
  const where = node
    ? msg`appeared in ${node.op.name} of ${node.scope || 'the model'}`
    : msg`existed before the first op; it is from an earlier step or a file`;
  return new HeddleError(
    msg`Step ${step + 1}: the first number that is not finite ${where}: tensor ${tensor}. Training stopped before this step; lower the learning rate or clip the gradients more.`,
  );
}

/**
 * Whether a value comes after the loss was scaled, so that a smaller loss scale may fix it. In a graph
 * without loss scaling, such as the update after gradient accumulation, that is every computed value.
 */
export function isScaled(graph: Graph, { node }: NonFinite): boolean {
  const from = graph.nodes.findIndex(({ op }) => op === scaleStepOp);
  return node !== undefined && graph.nodes.indexOf(node) > from;
}
