// The weights of a file as f32: tensors of f16, and matrices of int8 with a scale per row, which
// save-heddle.ts writes as `name` and `name.scale`.

import { check } from '../core/errors.ts';
import { asFloat32 } from '../core/float16.ts';
import { msg } from '../core/message.ts';
import { sameShape, type Tensor } from '../core/tensor.ts';

/** Ending of the name of the tensor with the scales of an int8 matrix. */
export const scaleEnding = '.scale';

/**
 * Converts the tensors of a file to f32; a weight of an int8 matrix is its integer times the scale of its row.
 * Throws a HeddleError that begins with `path` if scales do not fit.
 */
export function widenTensors(
  tensors: Readonly<Record<string, Tensor>>,
  path: string,
): Record<string, Tensor> {
  const wide: Record<string, Tensor> = Object.create(null);
  for (const [name, tensor] of Object.entries(tensors)) {
    const scale = tensor.dtype === 'i32' ? tensors[name + scaleEnding] : undefined;
    if (scale) wide[name] = unquantized(`${path}: ${name}`, tensor, scale);
    else if (!isScale(tensors, name)) wide[name] = asFloat32(tensor);
  }
  return wide;
}

/** Whether a tensor has the scales of an int8 matrix. */
function isScale(tensors: Readonly<Record<string, Tensor>>, name: string): boolean {
  return name.endsWith(scaleEnding) && tensors[name.slice(0, -scaleEnding.length)]?.dtype === 'i32';
}

function unquantized(title: string, { shape, data }: Tensor, scale: Tensor): Tensor {
  const [rows = 0, cols = 0] = shape;
  check(
    shape.length === 2 && scale.dtype === 'f32' && sameShape(scale.shape, [rows]),
    () =>
      msg`it has int8 rows [${String(shape)}] with scales of ${scale.dtype} [${String(scale.shape)}], not f32 [${rows}]`,
    { area: title },
  );
  const values = new Float32Array(data.length);
  for (let row = 0; row < rows; row++) {
    const factor = scale.data[row] as number;
    for (let i = row * cols; i < (row + 1) * cols; i++) values[i] = (data[i] as number) * factor;
  }
  return { dtype: 'f32', shape, data: values };
}
