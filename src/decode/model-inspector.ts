// Inspection with labels (Model.inspect and the probe of a training run): attention, next tokens and tensors of a model for one pair, with the labels of its tokens.

import { check } from '../core/errors.ts';
import type { Engine } from '../engine/engine.ts';
import type { ModelConfig } from '../model/model-config.ts';
import type { ParameterList } from '../model/parameter-layout.ts';
import { type Tokenizer, tokenLabel } from '../text/tokenizers/tokenizer.ts';
import {
  type AttentionMap,
  createInspector,
  type InspectedTensor,
  type Inspector,
  likelyTokens,
} from './inspection.ts';

/** Settings of `Model.inspect`. */
export interface InspectOptions {
  /** Text, or ids without start and end token, that the decoder reads (teacher forcing). [the greedy translation] */
  readonly target?: string | readonly number[];
  /** Whether to return scores and the tensors between the layers. [false] */
  readonly tensors?: boolean;
  /** Number of likely next tokens. [5] */
  readonly likely?: number;
  /** Temperature of the probabilities of likely next tokens: logits are divided by it before the softmax. [1] */
  readonly temperature?: number;
}

/** A token and its label. */
export interface InspectedToken {
  readonly id: number;
  readonly label: string;
}

/** A likely next token. */
export interface LikelyToken extends InspectedToken {
  readonly probability: number;
}

/** What a model computes for one pair. */
export interface Inspection {
  /** S source tokens, with the end token. */
  readonly source: readonly InspectedToken[];
  /** T tokens that the decoder reads: the start token and the target. */
  readonly target: readonly InspectedToken[];
  /** Self-attention of the encoder and of the decoder and cross-attention, each of all layers. */
  readonly attention: readonly AttentionMap[];
  /** The most likely tokens after each of the target tokens, best first. */
  readonly next: readonly (readonly LikelyToken[])[];
  /** Negative log-likelihood of the token that follows each target token, the end token after the last: T values. */
  readonly loss: readonly number[];
  /** Tensors between the layers in the order in which they are computed, with `tensors`. */
  readonly tensors: readonly InspectedTensor[];
  /**
   * Position vectors [max(S, T), D] that the embedding of the encoder adds, with `tensors`: sines, or rows of a learned
   * table. Absent if the model has other positions.
   */
  readonly positions?: Float32Array;
  /** Whether `positions` are learned. */
  readonly learnedPositions?: boolean;
}

/** Model parts that an inspection needs. */
export interface InspectedModel {
  readonly config: ModelConfig;
  readonly source: Tokenizer;
  readonly target: Tokenizer;
}

const padded = (n: number, max: number): number => Math.min(max, 8 * Math.ceil(n / 8));

/** Creates a function that inspects pairs of ids on an engine; its plans are made at the first use of each shape. */
export function createModelInspector(engine: Engine, { config, source, target }: InspectedModel, p: ParameterList) {
  const inspectors = new Map<string, Promise<Inspector>>();
  return async (
    sourceIds: readonly number[],
    targetIds: readonly number[],
    { tensors = false, likely = 5, temperature = 1 }: Omit<InspectOptions, 'target'> = {},
  ): Promise<Inspection> => {
    check(temperature > 0, `inspect: temperature is ${temperature}; it must be above 0`);
    const { maxLength } = config;
    const shape = {
      source: padded(sourceIds.length, maxLength),
      target: padded(targetIds.length + 1, maxLength),
      tensors,
    };
    const key = JSON.stringify(shape);
    let made = inspectors.get(key);
    if (!made) {
      made = createInspector(engine, config, p, shape);
      inspectors.set(key, made);
      made.catch(() => inspectors.delete(key));
    }
    const raw = await (await made).inspect(sourceIds, targetIds);
    const label = (tokenizer: Tokenizer) => (id: number) => ({ id, label: tokenLabel(tokenizer, id) });
    const next = likelyTokens(raw.logits, config.tgtVocab, likely, temperature);
    const followers = [...targetIds, config.endId];
    const rows = Math.max(sourceIds.length, targetIds.length + 1);
    return {
      source: raw.source.map(label(source)),
      target: raw.target.map(label(target)),
      attention: raw.attention,
      next: next.map((list) => list.map(({ id, probability }) => ({ ...label(target)(id), probability }))),
      loss: followers.map((id, t) => lossOf(raw.logits.subarray(t * config.tgtVocab, (t + 1) * config.tgtVocab), id)),
      tensors: raw.tensors,
      ...(tensors &&
        config.positions === 'sinusoidal' && {
          positions: ((await engine.read('positions')).data as Float32Array).slice(
            config.positionOffset * config.dModel,
            (config.positionOffset + rows) * config.dModel,
          ),
        }),
      ...(raw.positions && { positions: raw.positions, learnedPositions: true }),
    };
  };
}

/** Cross-entropy of one row of logits. */
function lossOf(row: Float32Array, id: number): number {
  const max = row.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  return max + Math.log(row.reduce((sum, x) => sum + Math.exp(x - max), 0)) - (row[id] as number);
}
