// A fake training worker without an engine, injected into the page before its scripts run, for tests of the
// page's user interface. Its results follow simple formulas, so that tests know what the page must show.
import type { StoredModel } from '../../demo/storage/model-store.ts';
import type { CallError, RunHistory, SessionEvent } from '../../demo/train/protocol.ts';
import type { RunSummary } from '../../src/api/run-summaries.ts';
import type { ModelLanguages } from '../../src/entries/heddle.ts';

/** The fake worker as tests access it: `window.fake` in the page. */
export interface Fake {
  /** Calls of the page, in order. */
  readonly calls: { readonly name: string; readonly args: readonly unknown[] }[];
  /** Empties `calls`. */
  forgetCalls(): void;
  /** Sends an event. */
  send(event: SessionEvent): void;
  /** Makes the next call of this name fail. */
  fail(name: string, error: CallError): void;
  /** Models that `storage` returns. */
  models: StoredModel[];
  /** Whether plans fit. */
  fits: boolean;
  /** Training and dev pairs of plans. */
  trainPairs: number;
  devPairs: number;
  /** What `runs` returns. */
  runs: RunSummary[];
  /** What `languages` returns. */
  languages: ModelLanguages | undefined;
  /** What `history` returns. */
  history: RunHistory;
  /** Delays results of `describe` until it is called with false. */
  delayDescribe(on: boolean): void;
  /** Sends `count` updates, and an evaluation every `evalEvery` updates. */
  train(count: number, evalEvery: number): void;
}

declare global {
  interface Window {
    fake: Fake;
  }
}

/**
 * Replaces the page's worker. Runs in the page before any other script, so it uses nothing outside itself.
 */
export function fakeWorker(): void {
  let post: (data: unknown) => void = () => {};
  let step = 0;
  const steps = 800;
  /** Result of a call that is never answered, until it is cancelled. */
  const endless = Symbol('endless');
  const failures = new Map<string, CallError>();
  let partial: string[] = [];
  let delaying = false;
  const delayed: (() => void)[] = [];
  const sentences: [string, string, string][] = [
    ['Tuesday, 4 March 2025', 'martes, 4 de marzo de 2025', 'martes, 4 de marzo de 2024'],
    ['three hours, 20 minutes', '3 horas y 20 minutos', '3 horas y 20 minutos'],
    ['12.50 euros', '12,50 euros', '12,50 euros'],
    ['Portugal, Norway, and Japan', 'Portugal, Noruega y Japón', 'Portugal, Noruega y Japón'],
    ['in 3 weeks', 'dentro de 3 semanas', 'dentro de 3 meses'],
    ['7 kilograms', '7 kilogramos', '7 kilogramos'],
  ];
  const words = 'martes , 4 de marzo de 2025 [end]'.split(' ');
  const sources = 'Tuesday , 4 March 2025 [end]'.split(' ');
  const send = (event: SessionEvent) => post({ type: 'event', event });
  const state = (name: string, text = '') =>
    send({ type: 'state', state: name, model: 'intl-en-es', step, steps, text } as SessionEvent);
  const model = (name: string, given: Partial<StoredModel>): StoredModel => ({
    name,
    step: 0,
    steps,
    unfinished: false,
    time: Date.UTC(2026, 0, 5, 12),
    bytes: 9_646_899,
    parameters: 781_144,
    corpus: 'English to French, from Unicode CLDR',
    lock: 'free',
    ...given,
  });
  const fake: Fake = {
    calls: [],
    forgetCalls: () => void fake.calls.splice(0),
    models: [
      model('intl-en-fr', { step: 420, unfinished: true }),
      model('tatoeba', { step: 800, corpus: 'tatoeba-en-es.tsv', lock: 'other-tab' }),
    ],
    fits: true,
    trainPairs: 38_412,
    devPairs: 802,
    runs: [],
    languages: undefined,
    history: {
      corpus: undefined,
      settings: {},
      steps: [],
      evals: [],
      samples: [],
      probes: [],
      changes: [],
      step: 0,
    },
    delayDescribe(on) {
      delaying = on;
      if (!on) for (const answer of delayed.splice(0)) answer();
    },
    send,
    fail: (name, error) => void failures.set(name, error),
    train(count, evalEvery) {
      const batch = [];
      for (let i = 0; i < count; i++) {
        step++;
        const loss =
          0.05 + 8 * Math.exp(-step / 120) + 0.2 * Math.abs(Math.sin(step * 12.9898)) * Math.exp(-step / 300);
        const accuracy = 1 - Math.exp(-step / 200);
        batch.push({
          type: 'step',
          step,
          loss,
          accuracy,
          learningRate: 3e-3 * Math.min(1, step / 80) * (1 - step / 900),
          gradientNorm: 0.4 + 3 * Math.exp(-step / 150),
          updateRatio: step % 10 === 0 ? 0.004 * Math.exp(-step / 400) : undefined,
          tokens: 900,
          tokensPerSecond: 41_000 + 900 * Math.sin(step / 17),
          mfu: 0.42,
          seconds: step * 0.02,
          stepMs: 21.5 + Math.sin(step / 11),
        });
        if (step % evalEvery > 0) continue;
        send({ type: 'steps', steps: batch.splice(0) } as SessionEvent);
        send({
          type: 'evaluation',
          eval: {
            type: 'eval',
            step,
            part: 'dev',
            pairs: 400,
            loss: loss * 1.1,
            perplexity: Math.exp(loss),
            tokenAccuracy: accuracy,
            sentences: 24,
            bleu: 92 * accuracy,
            chrf: 96 * accuracy,
            exactMatch: accuracy * accuracy * 0.9,
            seconds: 0.4,
          },
        });
        send({
          type: 'samples',
          step,
          samples: sentences.map(([source, reference, translation]) => ({
            source,
            reference,
            translation,
            exact: translation === reference,
          })),
        });
      }
      if (batch.length) send({ type: 'steps', steps: batch } as SessionEvent);
    },
  };
  const side = (mean: number) => ({
    mean,
    longest: 27,
    histogram: Array.from({ length: 28 }, (_, i) => Math.round(6000 * Math.exp(-(((i - mean) / 4) ** 2)))),
  });
  const facts = (settings: { corpus: { kind: string; name?: string } }) => ({
    corpus: {
      sampled: 0,
      name: settings.corpus.name ?? 'English to Spanish, from Unicode CLDR',
      pairs: 40_000,
      train: fake.trainPairs,
      dev: fake.devPairs,
      test: 786,
      skipped: 12,
      badLines:
        settings.corpus.kind === 'text' ? '2 lines are no pair: line 3 (no tab), line 9 (empty target)' : '',
      sourceLength: side(9.4),
      targetLength: side(11.2),
      sourceVocabulary: 3120,
      targetVocabulary: 3544,
      examples: sentences.slice(0, 4).map(([source, target]) => ({ source, target })),
    },
    config: { encoderLayers: 2, decoderLayers: 2, dModel: 64, heads: 4 },
    parameters: 781_144,
    shapes: ['64x16x20', '64x32x32'],
    steps,
    stepsPerEpoch: 601,
    planned: {
      peak: 48_300_000,
      states: 12_498_304,
      slots: 34_800_000,
      inputs: 1_001_696,
      staging: 4_300_000,
      javascript: 4_200_000,
    },
    flops: 9.4e9,
    dispatches: 212,
    fits: fake.fits,
    reason: fake.fits
      ? ''
      : 'A buffer of 3.1 GiB is needed for the logits, this GPU allows 2.0 GiB: take a smaller batch.',
    offer: fake.fits
      ? undefined
      : { settings: { batchSize: 8, gradientCheckpointing: true }, bytes: 40 * 2 ** 20 },
    adapter: 'chrome fake-gpu',
    software: false,
  });
  const weights = (T: number) => {
    const S = sources.length;
    const out = new Float32Array(2 * 4 * T * S);
    for (let lh = 0; lh < 8; lh++)
      for (let t = 0; t < T; t++) {
        const row = Array.from({ length: S }, (_, s) =>
          Math.exp(-Math.abs((t * S) / T - s) * (0.6 + lh / 8)),
        );
        const sum = row.reduce((a, b) => a + b);
        for (let s = 0; s < S; s++) out[(lh * T + t) * S + s] = (row[s] ?? 0) / sum;
      }
    return out;
  };
  const answers: Record<string, (id: number, ...args: never[]) => unknown> = {
    describe: (_, settings: never) => facts(settings),
    start(_, settings: { name: string }) {
      step = 0;
      state('preparing');
      send({
        type: 'started',
        info: {
          model: settings.name,
          parameters: 781_144,
          backend: 'chrome fake-gpu',
          plannedBytes: 48_300_000,
          gpuBytes: 50_331_648,
          live: { learningRate: 0.003, dropout: 0.1, evalSteps: 200 },
          schedule: 'linear',
        },
      });
      state('training');
    },
    resume: () => state('training'),
    pause: () => state('paused'),
    singleStep: () => fake.train(1, 50),
    continue: () => state('training'),
    change: (_, settings: never) =>
      send({ type: 'change', change: { type: 'change', step, ...(settings as object) } }),
    stop: () => state('stopped'),
    storage: () => ({
      models: fake.models,
      used: 9_400_000,
      quota: 2_000_000_000,
      persistent: false,
      partial,
    }),
    load: () => undefined,
    // Sentences with "doubt" have tokens of 10 %.
    score: (_, pairs: never) =>
      (pairs as readonly { source: string }[]).map(({ source }) => ({
        tokens: Array(8).fill({ logProb: source.includes('doubt') ? -2.3 : -0.01 }),
      })),
    inspect: () => ({
      source: [],
      target: [],
      targetText: '',
      attention: [],
      gates: [],
      next: [],
      loss: Array(8).fill(0.01),
      tensors: [],
      lens: [],
    }),
    runs: () => fake.runs,
    evaluate(_, names: never) {
      const score = (score: number, p?: number) => ({ score, mean: score, interval: 0.5, p });
      const systems = (names as readonly string[]).map((name, i) => {
        const p = i > 0 ? 0.048 : undefined;
        const [bleu, chrf, chrfPlus] = [score(36.1 - i, p), score(57.2 - i, p), score(55.1 - i, p)];
        return { name, bleu, chrf, chrfPlus, ter: score(48.3 + i, p) };
      });
      const group = { group: '1-9 words', sentences: 2, bleu: 36.1, chrf: 57.2 };
      const worst = {
        number: 2,
        chrf: 1,
        source: 'a tree',
        translation: 'un gato',
        references: ['un árbol'],
      };
      const analysis = { byLength: [group], byRareWords: [group], worst: [worst] };
      return {
        report: { pairs: 2, skipped: 1, systems, analysis, signatures: ['BLEU|nrefs:1'] },
        html: '<p>scores',
      };
    },
    languages: () => fake.languages,
    corpusOf: () => new TextEncoder().encode('one\tuno\n'),
    history: () => fake.history,
    save: () => undefined,
    rename(_, name: never, as: never) {
      fake.models = fake.models.map((m) => (m.name === name ? { ...m, name: as } : m));
    },
    remove(_, name: never) {
      fake.models = fake.models.filter((m) => m.name !== name);
    },
    importArchive: (_, __, name: never) => name,
    removePartial: () => {
      partial = [];
    },
    pull(id, name: string) {
      post({ type: 'download', id, progress: { file: 'model.safetensors', loaded: 50e6, total: 200e6 } });
      if (name !== 'me/endless') {
        const got = name.split('/')[1] ?? '';
        fake.models = [...fake.models, model(got, { steps: 0, corpus: '' })];
        return got;
      }
      partial = ['endless'];
      return endless;
    },
    translate(id, text: string, { attention, beams = 1 }: { attention?: boolean; beams?: number }) {
      if (text === 'endless') {
        post({ type: 'piece', id, piece: { id: 1, text: 'the first piece' } });
        return endless;
      }
      // A sum is learned after 100 steps.
      if (text === '48+17') {
        const sum = step < 100 ? '6' : '65';
        return {
          text: sum,
          candidates: [],
          ms: 84,
          tokens: 3,
          sentences: [{ source: text, target: sum }],
          unknown: [],
          model: 'task-addition',
          step,
        };
      }
      words.slice(0, -1).forEach((word, i) => {
        post({ type: 'piece', id, piece: { id: i, text: i ? ` ${word}` : word } });
      });
      const best = words.slice(0, -1).join(' ');
      // The second translation is shorter, and its attention too.
      const candidates = [best, 'martes 4 de marzo'].slice(0, beams > 1 ? 2 : 1).map((t, i) => {
        const target = [...t.split(' '), '[end]'];
        const maps = { target, source: sources, layers: 2, heads: 4, weights: weights(target.length) };
        return { text: t, score: -0.1 * (i + 1), ids: [1], attention: attention ? [maps] : undefined };
      });
      // Words with an x are not in the vocabulary.
      const unknown = [...text.matchAll(/\w*x\w*/g)].map(({ 0: word, index }) => ({
        start: index,
        end: index + word.length,
      }));
      return {
        text: best,
        candidates,
        ms: 84,
        tokens: 8,
        sentences: [{ source: text, target: best }],
        unknown,
        model: 'intl-en-es',
        step,
      };
    },
  };
  window.fake = fake;
  window.Worker = class {
    onmessage: ((event: { data: unknown }) => void) | null = null;
    constructor() {
      post = (data) => setTimeout(() => this.onmessage?.({ data: structuredClone(data) }));
    }
    postMessage(request: { type: string; id: number; name: string; args: never[] }) {
      const { id, name, args } = request;
      if (request.type === 'cancel')
        return post({ type: 'error', id, error: { kind: 'aborted', message: 'cancelled' } });
      fake.calls.push({ name, args });
      const error = failures.get(name);
      failures.delete(name);
      if (error) return post({ type: 'error', id, error });
      const value = answers[name]?.(id, ...args);
      if (value === endless) return;
      const answer = () => post({ type: 'result', id, value });
      if (delaying && name === 'describe') delayed.push(answer);
      else answer();
    }
    terminate() {}
  } as unknown as typeof Worker;
}
