// Keys of shaders and hashes of texts, for caches of kernels. Pages load this file at once, and the code of
// shaders later.

import type { ShaderSource } from '../ops/op.ts';

/** Key of a shader: its name, and for a user's shader also a hash of its source. */
export const shaderKey = (shader: string | ShaderSource): string =>
  typeof shader === 'string' ? shader : `${shader.name}#${hash([shader.source])}`;

/** FNV-1a, 32 bits, in hexadecimal. */
export function hash(strings: readonly string[]): string {
  let h = 0x811c9dc5;
  for (const text of strings)
    for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193) >>> 0;
  return h.toString(16).padStart(8, '0');
}
