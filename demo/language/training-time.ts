// How long the trainings of a language take, from their floating-point operations and the kind of the adapter. The steps
// between them (cleaning, the vocabulary, the translations of the teacher) are not counted.

import { presets } from '../../src/entries/heddle.ts';
import type { LanguagePlan } from '../../src/features/language/language-flow.ts';

/** Tokens of a sentence, on average. */
const tokens = 16;

/** FLOP a second of a training: of a software adapter on two cores, and of a GPU of a laptop. */
const rates = { software: 4e9, gpu: 4e11 } as const;

type Sizes = {
  readonly dModel: number;
  readonly feedForward: number;
  readonly encoderLayers: number;
  readonly decoderLayers: number;
};

/** FLOP of a training: 6 for each weight of a matrix and each token that goes through it (forward 2, backward 4). */
function trainingFlops(preset: string, vocabulary: number, steps: number, batchSize: number): number {
  const { dModel, feedForward, encoderLayers, decoderLayers } = (presets as unknown as Record<string, Sizes>)[
    preset
  ] as Sizes;
  const feed = 2 * dModel * feedForward;
  const attention = 4 * dModel * dModel;
  const source = encoderLayers * (attention + feed);
  const target = decoderLayers * (2 * attention + feed) + vocabulary * dModel;
  return 6 * (source + target) * tokens * batchSize * steps;
}

/** Seconds of the three trainings of a plan. */
export function trainingSeconds(plan: LanguagePlan, kind: keyof typeof rates): number {
  const { teacher, student, quantize, vocabSize } = plan;
  const flops = [teacher, student, { ...quantize, preset: student.preset }].map(
    ({ preset, steps, batchSize }) =>
      trainingFlops(String(preset), vocabSize, Number(steps), Number(batchSize)),
  );
  return flops.reduce((a, b) => a + b) / rates[kind];
}

/** The kind of the adapter of this browser. */
export async function adapterKind(): Promise<keyof typeof rates> {
  const info = (await navigator.gpu?.requestAdapter().catch(() => null))?.info;
  const isSoftware =
    info?.isFallbackAdapter ||
    /swiftshader|llvmpipe|software/i.test(`${info?.architecture} ${info?.device} ${info?.description}`);
  return isSoftware ? 'software' : 'gpu';
}
