// The message that says how the weights of a model are stored on the device.

import { formatMiB } from '../core/format-numbers.ts';
import { listed, type Message, msg } from '../core/message.ts';
import type { Quantization } from './parameter-layout.ts';

/**
 * Describes the memory of quantized weights: `weights as int8: 0.80 MiB, 2.87 MiB as f32; the largest plan takes
 * 3.10 MiB`. `size`: number of weights. With several formats it says how many matrices have each.
 */
export function describeWeights(
  { format, matrices, formats }: Quantization,
  size: number,
  bytes: { readonly weights: number; readonly peak: number },
): Message {
  const counts = [...formats.keys()].map((one) => {
    const names = [...matrices.values()].filter((matrix) => matrix.format === one);
    return msg`${names.length} matrices ${one}`;
  });
  const mixed = counts.length > 1 ? msg` (${listed(counts)})` : '';
  const plan = bytes.peak > 0 ? msg`; the largest plan takes ${formatMiB(bytes.peak)}` : '';
  const whole = formatMiB(4 * size);
  return msg`weights as ${format}${mixed}: ${formatMiB(bytes.weights)}, ${whole} as f32${plan}`;
}
