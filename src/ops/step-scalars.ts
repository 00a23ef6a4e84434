// The block of scalars uploaded for every run: what changes from step to step and so must never be baked into a plan.
// The same struct in WGSL is shaders/shared/step-scalars.wgsl.

/** Number of 32-bit words of the block; the `step` input of a graph is u32 [stepWords]. */
export const stepWords = 8;

/** The scalars of one run. */
export interface StepScalars {
  /** Learning rate of this update. */
  learningRate: number;
  /** What a token's loss counts in the gradient: 1 / target tokens of the whole (accumulated) batch, times the loss scale. */
  tokenWeight: number;
  /** Seed of dropout, 32 bits. */
  seed: number;
  /** Number of the step, from 0; with the seed it decides every dropout mask. */
  step: number;
  /** What gradients accumulated so far count: 0 for the first micro-batch of an update, else 1. */
  keep: number;
  /** Decoding: the position of the token that is being read, from 0. */
  position: number;
}

/** A function that writes scalars into `out` [stepWords] again and again without allocating. */
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

/** The block of a run to which none of it matters. */
export const zeroStep: Readonly<StepScalars> = {
  learningRate: 0,
  tokenWeight: 0,
  seed: 0,
  step: 0,
  keep: 0,
  position: 0,
};

/** Writes the block into `out` [stepWords] once; what is left out is zero. */
export const writeStep = (out: Uint32Array, s: Partial<StepScalars> = {}): void =>
  createStepWriter(out)({ ...zeroStep, ...s });

/** Reads the block back, for references: `words` holds the u32 words as numbers. */
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
