// The WGSL of a kernel as it is compiled. It is loaded with the shaders, by import() in what pages load first.

import type { Pass } from '../plan/plan.ts';
import { storeAsF16 } from './f16-bindings.ts';
import type { Shader } from './shaders.ts';
import { unroll } from './unroll.ts';
import { replaceConsts } from './wgsl.ts';

/**
 * The WGSL of a kernel as it is compiled: constants set, marked loops unrolled, the bindings named in `f16` stored as
 * f16.
 */
export const compiledSource = (shader: Shader, { constants, f16 }: Pick<Pass, 'constants' | 'f16'>): string =>
  codeOf(shader, constantsOf(shader, constants).consts, f16);

/** The WGSL of a shader with these constants, and these bindings stored as f16. */
export const codeOf = (
  { source }: Shader,
  consts: Readonly<Record<string, number>>,
  f16: readonly string[] = [],
): string => storeAsF16(unroll(replaceConsts(source, consts)), f16);

/** Constants by the kind of their declaration. Throws if the shader declares one of them as neither. */
export function constantsOf(shader: Shader, constants: Readonly<Record<string, number>>) {
  const overrides: Record<string, number> = {};
  const consts: Record<string, number> = {};
  for (const [key, value] of Object.entries(constants)) {
    if (shader.overrides.has(key)) overrides[key] = value;
    else if (shader.consts.has(key)) consts[key] = value;
    else throw new Error(`shader ${shader.name}: there is no override or const ${key}`);
  }
  return { overrides, consts };
}
