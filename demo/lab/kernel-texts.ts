// Texts of the kernel editor: the verdict on a kernel, the tensors of an op, the WGSL of a new kernel.

import { referenceNote } from '../../src/bench/bench-file.ts';
import type { KernelResult, VariantResult } from '../../src/bench/check-kernel.ts';
import type { ShownTensor, TriedKernel } from '../../src/bench/own-kernel.ts';
import { shareOfRoof } from '../../src/bench/roofline-model.ts';
import { type Roofs, sizeOf } from '../../src/engine/index.ts';
import { formatNumber, formatPercent } from '../common/format.ts';
import { say } from '../common/page-texts.ts';
import { errorText, relativeSpread, time } from './measurement-text.ts';
import { isAttempt } from './variant-name.ts';

/** `x f32 [4,8]`, `output y f32 [4,8]`. */
export const describeTensor = ({ name, dtype, shape, role }: ShownTensor): string =>
  `${role === 'input' ? '' : `${role} `}${name} ${dtype} [${shape.join(',')}]`;

/** The result of a run in one or two sentences. */
export function verdict(
  result: KernelResult,
  mine: VariantResult,
  roofs: Roofs,
  { worst }: TriedKernel,
): string {
  if (!mine.passed) {
    const at =
      worst &&
      say`; the worst is ${worst.tensor}[${worst.index}] = ${formatNumber(worst.got)} instead of ${formatNumber(worst.want)}`;
    return mine.failure ?? say`Wrong: the largest error is ${errorText(mine.error)}${at ?? ''}.`;
  }
  const { ms = Number.NaN, low = ms, high = ms } = mine;
  const share = formatPercent(shareOfRoof(result, mine, roofs));
  const ours = result.variants.find((v) => v !== mine && v.passed && !isAttempt(v.variant));
  const beside = ours?.ms
    ? say` heddle’s kernel (${ours.variant}) takes ${time(ours.ms)}; yours takes ${formatNumber(ms / ours.ms)} × as long.`
    : '';
  const reference = referenceNote(result);
  return say`Correct: the largest error is ${errorText(mine.error)}. ${time(ms)} ${relativeSpread({ ms, low, high })}, ${share} of the roofline.${beside}${reference && ` ${reference}`}`;
}

/** Number of workgroups of 64 threads, with one thread per element of the first output. */
export const gridOf = (tensors: readonly ShownTensor[]): string => {
  const written = tensors.find(({ role }) => role !== 'input');
  return `${Math.ceil(sizeOf(written?.shape ?? [1]) / 64)}`;
};

/** WGSL of a new kernel: bindings of all tensors, one thread per element of the first output. */
export function kernelTemplate(tensors: readonly ShownTensor[]): string {
  const written = tensors.find(({ role }) => role !== 'input')?.name ?? 'y';
  const bindings = tensors.map(({ name, dtype, role, shape }, i) => {
    const access = role === 'input' ? 'read' : 'read_write';
    const type = dtype === 'f16' ? 'f32' : dtype;
    return `@group(0) @binding(${i}) var<storage, ${access}> ${name}: array<${type}>; // [${shape.join(', ')}]`;
  });
  return `${bindings.join('\n')}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let i = id.x;
  if (i >= arrayLength(&${written})) { return; }
  ${written}[i] = 0;
}
`;
}
