// Log of a training run, for tests of the log and the report.

import type {
  LogEnd,
  LogEval,
  LogRecord,
  LogSamples,
  LogStart,
  LogStep,
} from '../../../src/train/report/training-log.ts';

/** The start record; `fields` override its values. */
export const start = (fields: Partial<LogStart> = {}): LogStart => ({
  type: 'start',
  format: 'heddle-log',
  version: 1,
  heddle: '0.1.0',
  time: '2026-11-24T17:05:09.123Z',
  step: 0,
  steps: 1500,
  stepsPerEpoch: 600,
  backend: 'dawn mesa llvmpipe',
  seed: 1,
  parameters: 824_320,
  preset: 'tiny',
  config: {
    srcVocab: 3121,
    tgtVocab: 4000,
    dModel: 64,
    norm: 'post',
    dropout: { embedding: 0, attention: 0 },
    finalNorm: true,
  },
  recipe: {
    init: 'xavier',
    gradientAccumulationSteps: 1,
    optimizer: { kind: 'adamw', beta2: 0.98 },
    schedule: { kind: 'linear' },
  },
  corpus: {
    name: 'intl en-es',
    pairs: 38_400,
    skipped: 12,
    dev: 800,
    test: 790,
    tokenizer: 'words',
    sourceVocabulary: 3121,
    targetVocabulary: 4000,
    sourceLength: 9.81,
    targetLength: 12.4,
  },
  plan: {
    peakBytes: 123_456_789,
    lowerBound: 120_000_000,
    dispatches: 143,
    flops: 1.93e9,
    modelFlops: 1.9e9,
    shapes: ['64x12x16', '64x24x28'],
  },
  arguments: { corpus: { kind: 'intl', source: 'en', target: 'es' }, steps: 1500 },
  ...fields,
});

/** Step record of update `number`; the loss decreases. */
export const step = (number: number, fields: Partial<LogStep> = {}): LogStep => ({
  type: 'step',
  step: number,
  loss: 0.05 + 8 * Math.exp(-number / 150) * (1 + 0.1 * Math.sin(number * 1.7)),
  accuracy: 1 - Math.exp(-number / 300),
  learningRate: 3e-3 * Math.min(number / 50, (1500 - number) / 1450),
  gradientNorm: 0.4 + 3 * Math.exp(-number / 80) * (1 + 0.5 * Math.sin(number * 2.3)),
  tokens: 700 + (number % 7),
  tokensPerSecond: 9000 + 400 * Math.sin(number),
  mfu: 0.4 + 0.01 * Math.sin(number),
  seconds: 0.08 * number,
  ...fields,
});

/** Evaluation of the dev set after `number` updates. */
export const dev = (number: number, fields: Partial<LogEval> = {}): LogEval => ({
  type: 'eval',
  step: number,
  part: 'dev',
  pairs: 800,
  loss: 0.08 + 7 * Math.exp(-number / 160),
  perplexity: Math.exp(0.08 + 7 * Math.exp(-number / 160)),
  tokenAccuracy: 1 - Math.exp(-number / 280),
  sentences: 64,
  bleu: 98 * (1 - Math.exp(-number / 500)),
  chrf: 99 * (1 - Math.exp(-number / 400)),
  exactMatch: 0.97 * (1 - Math.exp(-number / 700)),
  seconds: 0.8,
  ...fields,
});

/** Translations, one in five of which differs. */
export const samples = (count: number, fields: Partial<LogSamples> = {}): LogSamples => ({
  type: 'samples',
  step: 1500,
  samples: Array.from({ length: count }, (_, i) => ({
    source: `Thursday, May ${i + 1}, 1998, at 8:5${i % 10} AM costs €${i}.50`,
    reference: `Jueves, ${i + 1} de mayo de 1998, a las 8:5${i % 10} cuesta ${i},50 €`,
    translation:
      i % 5 === 3
        ? `jueves, ${i + 1} de marzo de 1998 a las 8:51 cuesta ${i},50 €`
        : `jueves, ${i + 1} de mayo de 1998, a las 8:5${i % 10} cuesta ${i},50 €`,
    exact: i % 5 !== 3,
  })),
  ...fields,
});

/** The end. */
export const end = (fields: Partial<LogEnd> = {}): LogEnd => ({
  type: 'end',
  time: '2026-11-24T17:07:09.123Z',
  step: 1500,
  reason: 'done',
  skipped: 0,
  ...fields,
});

/** A whole log of `steps` updates with evaluations every 150. */
export function example(steps = 1500): LogRecord[] {
  const records: LogRecord[] = [start({ steps })];
  for (let n = 1; n <= steps; n++) {
    records.push(step(n));
    if (n % 150 === 0) records.push(dev(n));
  }
  const test = { ...dev(steps), part: 'test', sentences: 500, pairs: 790 } as const;
  return [...records, test, samples(60), end({ step: steps })];
}
