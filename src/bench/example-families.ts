// The kernel family of the ops that bring an example (`Op.example`): such an op needs no case of its own.

import type { TensorType } from '../core/tensor.ts';
import type { AnyOp, Value } from '../engine/ops/op.ts';
import { choice, family, rows, size } from './kernel-family.ts';

const opFiles = import.meta.glob<Record<string, unknown>>('../engine/ops/*/*.ts', { eager: true });

/** The ops with an example by name. */
const ops = new Map(
  Object.values(opFiles)
    .flatMap((exported) => Object.values(exported) as Partial<AnyOp>[])
    .filter((value): value is AnyOp => value?.example instanceof Function)
    .map((op) => [op.name, op]),
);

/** Names of the ops with an example. */
export const exampleNames: readonly string[] = [...ops.keys()].sort();

/** The family. */
export const exampleFamilies = {
  op: family({
    label: 'Op',
    group: 'elements',
    fields: { op: choice('Operation', ...exampleNames), rows, width: size('Width', 512, 65_536, 4) },
    make: ({ op: name, rows, width }) => ({
      name: `${name.replaceAll('_', ' ')} [${rows},${width}]`,
      build(g) {
        const op = ops.get(name) as AnyOp;
        const example = op.example?.(rows, width);
        const inputs: Record<string, Value> = {};
        for (const [input, type] of Object.entries(example?.inputs ?? {})) {
          const { dtype, shape } = type as TensorType;
          inputs[input] = g.input(input, dtype, shape);
        }
        g.apply(op, inputs, example?.attrs ?? {});
      },
    }),
  }),
};
