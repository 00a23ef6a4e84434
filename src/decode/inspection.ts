// Inspection of a model: the results of an inspector (inspector.ts) with labels of the tokens, likely next tokens
// and losses.

import { check } from '../core/errors.ts';
import { checkNames } from '../core/fields.ts';
import { Memo } from '../core/memo.ts';
import { msg } from '../core/message.ts';
import type { Engine } from '../engine/engine.ts';
import type { ModelConfig } from '../model/model-config.ts';
import type { ParameterList } from '../model/parameter-layout.ts';
import { growsPositions } from '../model/positions.ts';
import { type Tokenizer, tokenLabel } from '../text/tokenizers/tokenizer.ts';
import {
  type AttentionMap,
  type GateMap,
  type InspectedTensor,
  Inspector,
  type InspectorOptions,
} from './inspector.ts';

/**
 * The `count` most likely tokens after each of the target tokens, from logits [T, V] divided by the
 * temperature; softmax in float64.
 */
export const likelyTokens = (
  logits: Float32Array,
  vocabulary: number,
  count = 5,
  temperature = 1,
): { id: number; probability: number; logit: number }[][] =>
  Array.from({ length: logits.length / vocabulary }, (_, t) => {
    const row = logits.subarray(t * vocabulary, (t + 1) * vocabulary);
    const max = row.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
    const total = row.reduce((sum, x) => sum + Math.exp((x - max) / temperature), 0);
    const best: number[] = [];
    for (let id = 0; id < vocabulary; id++) {
      const at = best.findIndex((other) => (row[id] as number) > (row[other] as number));
      if (at >= 0) best.splice(at, 0, id);
      else if (best.length < count) best.push(id);
      if (best.length > count) best.pop();
    }
    return best.map((id) => ({
      id,
      probability: Math.exp(((row[id] as number) - max) / temperature) / total,
      logit: row[id] as number,
    }));
  });

/** Settings of `Model.inspect`. */
export interface InspectOptions {
  /**
   * Text, or ids without start and end token, that the decoder reads (teacher forcing). [the greedy
   * translation]
   */
  readonly target?: string | readonly number[];
  /** Whether to return scores and the tensors between the layers. [false] */
  readonly tensors?: boolean;
  /** Number of likely next tokens. [5] */
  readonly likely?: number;
  /**
   * Temperature of the probabilities of likely next tokens: logits are divided by it before the softmax. [1]
   */
  readonly temperature?: number;
}

/** A token and its label. */
export interface InspectedToken {
  readonly id: number;
  readonly label: string;
  /** Whether its text begins with a space: it begins a word. */
  readonly spaced: boolean;
}

/** A likely next token. */
export interface LikelyToken extends InspectedToken {
  readonly probability: number;
  /** Its score before the temperature and the softmax. */
  readonly logit: number;
}

/** Results of a forward pass over one pair, with labels of the tokens. */
export interface Inspection {
  /** S source tokens, with the end token. */
  readonly source: readonly InspectedToken[];
  /** T tokens that the decoder reads: the start token and the target. */
  readonly target: readonly InspectedToken[];
  /** Text of the target. */
  readonly targetText: string;
  /** Self-attention of the encoder and of the decoder and cross-attention, each of all layers. */
  readonly attention: readonly AttentionMap[];
  /** Gates of the decoder's layers, if they are SSRUs, which have no self-attention; else empty. */
  readonly gates: readonly GateMap[];
  /** The most likely tokens after each of the target tokens, best first. */
  readonly next: readonly (readonly LikelyToken[])[];
  /**
   * Negative log-likelihood of the token that follows each target token, the end token after the last: T
   * values.
   */
  readonly loss: readonly number[];
  /** Tensors between the layers in the order in which they are computed, with `tensors`. */
  readonly tensors: readonly InspectedTensor[];
  /**
   * Position vectors [max(S, T), D] that the embedding of the encoder adds, with `tensors`: sines, or rows of
   * a learned table. Absent if the model has other positions.
   */
  readonly positions?: Float32Array;
  /** Whether `positions` are learned. */
  readonly learnedPositions?: boolean;
}

/** The parts of a model that its inspection uses. */
interface InspectedModel {
  readonly config: ModelConfig;
  readonly source: Tokenizer;
  readonly target: Tokenizer;
}

const padded = (n: number, max: number): number => Math.min(max, 8 * Math.ceil(n / 8));

/** Inspects pairs of ids with a model on an engine; its plans are made at the first use of each shape. */
export class ModelInspector {
  readonly #engine: Engine;
  readonly #model: InspectedModel;
  readonly #parameters: ParameterList;
  readonly #inspectors = new Memo<InspectorOptions, Inspector>();

  constructor(engine: Engine, model: InspectedModel, parameters: ParameterList) {
    this.#engine = engine;
    this.#model = model;
    this.#parameters = parameters;
  }

  /**
   * Inspects a pair. `upload` puts the weights on the engine when the plan is made; `peak`: its bytes. Throws a
   * HeddleError for an invalid option or id.
   */
  async inspect(
    sourceIds: readonly number[],
    targetIds: readonly number[],
    { tensors = false, likely = 5, temperature = 1, target: _, ...others }: InspectOptions = {},
    upload?: (peak: number) => Promise<void>,
  ): Promise<Inspection> {
    checkNames({ area: 'inspect' }, ['target', 'tensors', 'likely', 'temperature'], Object.keys(others));
    check(temperature > 0, msg`temperature is ${temperature}; it must be above 0`, { area: 'inspect' });
    const { config, source, target } = this.#model;
    const maxLength = growsPositions(config) ? Number.POSITIVE_INFINITY : config.maxLength;
    const shape = {
      source: padded(sourceIds.length, maxLength),
      target: padded(targetIds.length + 1, maxLength),
      tensors,
    };
    const inspector = await this.#inspectors.get(shape, () =>
      Inspector.open(this.#engine, config, this.#parameters, shape),
    );
    await upload?.(inspector.peak);
    const raw = await inspector.inspect(sourceIds, targetIds);
    const label = (tokenizer: Tokenizer) => (id: number) =>
      id < 0
        ? { id, label: '(start)', spaced: false }
        : {
            id,
            label: tokenLabel(tokenizer, id),
            spaced: /^[▁Ġ ]./su.test(tokenizer.token(id)), // marks of SentencePiece and of byte-level BPE
          };
    const next = likelyTokens(raw.logits, config.tgtVocab, likely, temperature);
    const followers = [...targetIds, config.endId];
    const rows = Math.max(sourceIds.length, targetIds.length + 1);
    const sines = tensors && config.positions === 'sinusoidal' ? await this.#sines(rows) : undefined;
    return {
      source: sourceIds.map(label(source)),
      target: [config.startId, ...targetIds].map(label(target)),
      targetText: target.decode(targetIds),
      attention: raw.attention,
      gates: raw.gates,
      next: next.map((list) => list.map(({ id, ...scores }) => ({ ...label(target)(id), ...scores }))),
      loss: followers.map((id, t) =>
        lossOf(raw.logits.subarray(t * config.tgtVocab, (t + 1) * config.tgtVocab), id),
      ),
      tensors: raw.tensors,
      positions: raw.positions ?? sines,
      learnedPositions: raw.positions ? true : undefined,
    };
  }

  /** The first `rows` rows of the sinusoidal positions. */
  async #sines(rows: number): Promise<Float32Array> {
    const { positionOffset, dModel } = this.#model.config;
    const { data } = await this.#engine.read('positions');
    return (data as Float32Array).slice(positionOffset * dModel, (positionOffset + rows) * dModel);
  }
}

/** Cross-entropy of one row of logits [V] with the target `id`, in nats. */
function lossOf(row: Float32Array, id: number): number {
  const max = row.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  return max + Math.log(row.reduce((sum, x) => sum + Math.exp(x - max), 0)) - (row[id] as number);
}
