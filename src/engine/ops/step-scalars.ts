// Step scalars: a block of values that change from step to step. They are uploaded for every run, not part of
// a plan. The struct Step in shaders/shared/kernel.wgsl is the same block.

/** Number of 32-bit words of the block; the `step` input of a graph is u32 [stepWords]. */
export const stepWords = 8;

/** The scalars of one run. */
export interface StepScalars {
  /** Learning rate of this update. */
  learningRate: number;
  /** Weight of a token's loss: loss scale / number of target tokens of the whole (accumulated) batch. */
  tokenWeight: number;
  /** Seed of dropout, 32 bits. */
  seed: number;
  /** Number of the step, from 0. Dropout masks depend on it and on the seed. */
  step: number;
  /** Factor of the accumulated gradients: 0 for the first micro-batch, then 1. */
  keep: number;
  /** Decoding: the position of the token that the step reads, from 0. */
  position: number;
}

/** Returns a function that writes scalars into `out` [stepWords] without allocating. */
export function createStepWriter(out: Uint32Array): (s: StepScalars) => void {
  const floats = new Float32Array(out.buffer, out.byteOffset, stepWords);
  return (s) => {
    floats[0] = s.learningRate;
    floats[1] = s.tokenWeight;
    out[2] = s.seed;
    out[3] = s.step;
    floats[4] = s.keep;
    out[5] = s.position;
  };
}

/** All scalars 0, for runs that use none of them. */
export const zeroStep: Readonly<StepScalars> = /* @__PURE__ */ readStep(new Uint32Array(stepWords));

/** Writes the block into `out` [stepWords] once; missing scalars are 0. */
export function writeStep(out: Uint32Array, s: Partial<StepScalars> = {}): void {
  createStepWriter(out)({ ...zeroStep, ...s });
}

/** The block as new u32 words [stepWords]; missing scalars are 0. */
export function stepData(s: Partial<StepScalars> = {}): Uint32Array {
  const words = new Uint32Array(stepWords);
  writeStep(words, s);
  return words;
}

/** The scalars of a block, for references: `words` are the u32 words as numbers. */
export function readStep(words: ArrayLike<number>): StepScalars {
  const u = Uint32Array.from(words);
  const f = new Float32Array(u.buffer);
  return {
    learningRate: f[0] ?? 0,
    tokenWeight: f[1] ?? 0,
    seed: u[2] ?? 0,
    step: u[3] ?? 0,
    keep: f[4] ?? 0,
    position: u[5] ?? 0,
  };
}
