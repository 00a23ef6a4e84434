// The parts that only models of frames need, such as the stem. They are loaded for such a model only, so that a
// page that translates text has no code for frames.

import type { ModelConfig } from '../../model/model-config.ts';

/** Parts of a transformer for frames. */
type FrameParts = typeof import('./frame-stems.ts').frameParts;

let loaded: FrameParts | undefined;

/**
 * Loads the parts if a model needs them; its parameters can be listed and its graphs built afterwards. Throws a
 * HeddleError that names a field of the configuration which does not fit a source of frames.
 */
export async function loadFrameParts(c: ModelConfig): Promise<void> {
  if (c.source === 'tokens' && c.keyBias) return;
  loaded ??= (await import('./frame-stems.ts')).frameParts;
  if (c.source === 'frames') loaded.checkFrames(c);
}

/** The parts, which `loadFrameParts` has loaded. */
export const frameParts = (): FrameParts => loaded as FrameParts;
