// Gradients of ops that are loaded on demand. Their family adds them when it is loaded, so that a page which trains
// without these ops has no code for them.

import type { OpGradient } from './op-gradient.ts';

/** The gradients by op. */
export const laterGradients = new Map<unknown, unknown>();

/** Adds the gradients of a family. */
export function addGradients(family: Readonly<Record<string, OpGradient>>): void {
  for (const [op, gradient] of Object.values(family)) laterGradients.set(op, gradient);
}
