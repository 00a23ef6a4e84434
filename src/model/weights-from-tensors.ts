// The weights of a model from stored tensors. Formats that read them load it.

import { HeddleError } from '../core/errors.ts';
import { listed, msg } from '../core/message.ts';
import { sameShape, show, sizeOf, type Tensor } from '../core/tensor.ts';
import type { ParameterLayout } from './parameter-layout.ts';
import { storedShapes } from './parameters.ts';

/**
 * Returns weights [list.size] from the tensors of PyTorch's state_dict. Throws a HeddleError that names a
 * missing, unknown or misshaped tensor.
 */
export function weightsFromTensors(
  list: ParameterLayout,
  tensors: Readonly<Record<string, Tensor>>,
): Float32Array {
  const shapes = storedShapes(list);
  const missing = [...shapes.keys()].filter((name) => !tensors[name]);
  if (missing.length)
    throw new HeddleError(msg`missing ${listed(missing.slice(0, 5))}${more(missing.length)}`, {
      area: 'weights',
    });
  const extra = Object.keys(tensors).filter((name) => !shapes.has(name));
  if (extra.length)
    throw new HeddleError(msg`unknown tensors ${listed(extra.slice(0, 5))}${more(extra.length)}`, {
      area: 'weights',
    });
  for (const [name, shape] of shapes) {
    const tensor = tensors[name] as Tensor;
    if (tensor.dtype !== 'f32' || !sameShape(tensor.shape, shape))
      throw new HeddleError(
        msg`${name} is ${tensor.dtype} ${show(tensor.shape)}, the configuration requires f32 ${show(shape)}`,
        { area: 'weights' },
      );
  }
  const weights = new Float32Array(list.size);
  for (const p of list.all) {
    const tensor = tensors[p.stored.name] as Tensor;
    const at = p.stored.row * sizeOf(p.shape.slice(1));
    weights.set(tensor.data.subarray(at, at + sizeOf(p.shape)), p.offset);
  }
  return weights;
}

const more = (n: number) => (n > 5 ? ` and ${n - 5} more` : '');
