// Decodes sentences whose translations must contain phrases. The GPU computes the best tokens of each row and
// the log-probabilities of the tokens of phrases; the host chooses among them (phrase-search.ts) and writes
// the next tokens, so steps are not pipelined. Only texts with phrases are decoded here.

import { dim } from '../../../core/tensor.ts';
import type { DecodeSettings } from '../../../decode/decode-options.ts';
import {
  type DecodeMode,
  type DecodeShape,
  encodeSources,
  rowStates,
  sourceGraph,
  stepGraph,
} from '../../../decode/decoding-graphs.ts';
import type { Hypothesis } from '../../../decode/hypotheses.ts';
import { plainRules } from '../../../decode/token-rules.ts';
import type { Engine, Program } from '../../../engine/engine.ts';
import { bestTokens } from '../../../engine/ops/decoding/best-tokens.ts';
import { dead } from '../../../engine/ops/decoding/next-token.ts';
import { takeNumbers } from '../../../engine/ops/elementwise/take-rows.ts';
import { createStepWriter } from '../../../engine/ops/step-scalars.ts';
import { grownTo } from '../../../model/grown-positions.ts';
import type { ModelConfig } from '../../../model/model-config.ts';
import type { ParameterList } from '../../../model/parameter-layout.ts';
import { tokens } from '../../../model/source-kind.ts';
import { PhraseSearch } from './phrase-search.ts';
import type { PlaceholderRules } from './placeholder-rules.ts';
import { type JoinsWord, TermPlace, type TermPlacement } from './term-place.ts';

/** Smallest number of beams: banks of hypotheses with few and with many phrase tokens share them. */
export const minPhraseBeams = 8;

/** What the translation of a sentence must have. */
export interface PhraseDemand {
  /** Token ids of its phrases. */
  readonly phrases: readonly (readonly number[])[];
  readonly rules?: PlaceholderRules;
  readonly joins?: JoinsWord;
  /** A term that has a place. */
  readonly place?: TermPlacement;
  /** Whether the last word of some tokens, which begins at `start`, is only in phrases. */
  avoids?(ids: readonly number[], start: number): boolean;
}

/** A decoder of one shape; its beams are those of the shape. */
export class PhraseDecoder {
  /** Peak memory of its largest plan in bytes; 0 on the CPU. */
  readonly peak: number;
  readonly #engine: Engine;
  readonly #config: ModelConfig;
  readonly #shape: DecodeShape & { readonly beams: number };
  readonly #encoder: Program;
  readonly #step: Program;
  /** Number of ids per row whose log-probabilities are read, the end first. */
  readonly #wanted: number;
  /** Numbers of a row of logits. */
  readonly #columns: number;

  private constructor(
    engine: Engine,
    config: ModelConfig,
    shape: DecodeShape & { readonly beams: number },
    { encoder, step, wanted, columns }: { encoder: Program; step: Program; wanted: number; columns: number },
  ) {
    this.#engine = engine;
    this.#config = config;
    this.#shape = shape;
    this.#encoder = encoder;
    this.#step = step;
    this.#wanted = wanted;
    this.#columns = columns;
    this.peak = Math.max(...[encoder, step].map(({ plan }) => plan?.bytes.peak ?? 0));
  }

  /** Creates a decoder. `phrases`: maximum number of phrases of a sentence. */
  static async open(
    engine: Engine,
    model: ModelConfig,
    parameters: ParameterList,
    shape: DecodeShape & { readonly beams: number },
    { phrases, ...mode }: DecodeMode & { readonly phrases: number },
  ): Promise<PhraseDecoder> {
    const grown = grownTo(model, parameters, Math.max(shape.source, shape.target));
    const { config: c, parameters: p } = grown;
    const wanted = 2 ** Math.ceil(Math.log2(phrases + 1));
    const R = shape.batch * shape.beams;
    let columns = 0;
    const graph = stepGraph(c, p, shape, mode, [], ({ graph: g, logits, history, rules, step, attrs }) => {
      columns = dim(logits, -1);
      // Before the best tokens, which overwrite the logits.
      g.output('wanted', takeNumbers(g, logits, g.input('ids', 'u32', [R * wanted])));
      const best = bestTokens(g, logits, history, rules, step, { ...attrs, wanted: shape.beams });
      for (const [name, value] of Object.entries(best)) g.output(name, value);
    });
    const [encoder, step] = await engine.prepare([sourceGraph(c, p, shape), graph]);
    grown.write(engine);
    return new PhraseDecoder(engine, c, shape, {
      encoder: encoder as Program,
      step: step as Program,
      wanted,
      columns,
    });
  }

  /**
   * Decodes a batch: hypotheses of each sentence, best first. Throws the signal's reason if it is aborted.
   */
  async decode(
    sources: readonly ArrayLike<number>[],
    demands: readonly PhraseDemand[],
    settings: DecodeSettings,
  ): Promise<Hypothesis[][]> {
    const { maxNewTokens, startId, seed, signal, rules } = settings;
    const { batch: B, beams: K, source } = this.#shape;
    const encoders = [{ length: source, program: this.#encoder }];
    const srcLens = encodeSources(
      this.#engine,
      this.#config,
      tokens,
      this.#shape,
      encoders,
      { sources },
      startId,
    );
    const { inputs } = this.#step;
    // The search ends hypotheses, so that the end always has its log-probability.
    const places = { sources: Array.from({ length: B }, (_, b) => sources[b]), rows: K }; // of the whole batch
    plainRules({ ...rules, minLength: 0, forceEndAt: -1 }, settings.prefixes).write(inputs, places);
    (inputs.srcLens as Uint32Array).set(srcLens);
    const writeStep = createStepWriter(inputs.step as Uint32Array);
    const searches = sources.map((_, b) => {
      const { phrases = [], joins = () => false, place, avoids, rules: codes } = demands[b] ?? {};
      return new PhraseSearch(phrases, {
        rows: K,
        numReturn: settings.numReturn,
        maxNewTokens,
        minNewTokens: rules.minLength,
        endId: this.#config.endId,
        bannedSequences: rules.bannedSequences,
        score: settings.score,
        joins,
        place: place && new TermPlace(place, joins),
        avoids,
        allows: (ids, token) => codes?.allows(ids, token) !== false,
      });
    });
    for (let t = 0; t < maxNewTokens && searches.some(({ done }) => !done); t++) {
      signal?.throwIfAborted();
      this.#writeIds(searches);
      writeStep({ learningRate: 0, tokenWeight: 0, seed, step: t, keep: 0, position: t });
      this.#take(searches, await this.#step.run());
    }
    return searches.map((search) => search.finish());
  }

  /** Places in the logits of the ids that the rows want, the end first. */
  #writeIds(searches: readonly PhraseSearch[]): void {
    const { batch: B, beams: K } = this.#shape;
    const ids = this.#step.inputs.ids as Uint32Array;
    for (let r = 0; r < B * K; r++) {
      const own = searches[Math.floor(r / K)]?.idsFor(r % K) ?? [];
      for (let i = 0; i < this.#wanted; i++) {
        const id = i === 0 ? this.#config.endId : (own[i - 1] ?? this.#config.endId);
        ids[r * this.#wanted + i] = r * this.#columns + id;
      }
    }
  }

  #take(searches: readonly PhraseSearch[], outputs: Readonly<Record<string, ArrayLike<number>>>): void {
    const { batch: B, beams: K } = this.#shape;
    const { tokens = [], logProbs = [], ends = [], wanted = [] } = outputs;
    const width = this.#wanted;
    const step = {
      tokens,
      logProbs,
      ends,
      /** From the logits: that of the end has a known log-probability. */
      wanted(row: number, i: number) {
        const end = ends[row] as number;
        if (i + 1 >= width || !(end > dead)) return undefined;
        return end + (wanted[row * width + i + 1] as number) - (wanted[row * width] as number);
      },
    };
    const [nextTokens, nextParents] = [new Int32Array(B * K), new Int32Array(B * K)];
    for (const [b, search] of searches.entries()) {
      const next = search.take(step, b * K);
      nextTokens.set(next.tokens, b * K);
      nextParents.set(next.parents, b * K);
    }
    const { token, parent } = rowStates(this.#shape);
    this.#engine.write(token.name, nextTokens);
    this.#engine.write(parent.name, nextParents);
  }
}
