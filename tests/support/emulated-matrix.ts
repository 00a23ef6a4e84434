// Ops whose kernels with subgroup matrices run on adapters without them: the functions of
// shaders/matmul/subgroup-matrix.wgsl are replaced by loops (emulated-matrix.wgsl).

import { referenceOf } from '../../src/engine/cpu/executor.ts';
import { shaderLibrary } from '../../src/engine/gpu/shaders.ts';
import { gradientOf } from '../../src/engine/graph/op-gradients.ts';
import type { Attrs, Launch, Op } from '../../src/engine/ops/op.ts';

const texts = import.meta.glob<string>('../../shaders/{matmul,shared}/*.wgsl', {
  query: '?raw',
  import: 'default',
  eager: true,
});
const [emulation = ''] = Object.values(
  import.meta.glob<string>('./emulated-matrix.wgsl', { query: '?raw', import: 'default', eager: true }),
);
const files = new Map(
  Object.entries(texts).map(([path, text]) => [path.replace('../../shaders/', ''), text]),
);
const library = shaderLibrary(files.set('matmul/subgroup-matrix.wgsl', emulation));

/** An op whose kernels with subgroup matrices are emulated, with a change of their WGSL. */
export const withEmulation = <I extends string, O extends string, A extends Attrs>(
  op: Op<I, O, A>,
  change = (source: string) => source,
): Op<I, O, A> => ({
  ...op,
  grad: gradientOf(op),
  reference: referenceOf(op), // these are registered for the original op
  launch: (...args) => op.launch(...args).map((launch) => emulated(launch, change)),
});

function emulated(launch: Launch, change: (source: string) => string): Launch {
  const name = String(launch.shader);
  if (!name.startsWith('matmul-matrix')) return launch;
  const source = library.sourceOf(name).replace(/^\/\/ include.*$/gm, '');
  return { ...launch, shader: { name: `${name}-emulated`, source: change(source) } };
}
