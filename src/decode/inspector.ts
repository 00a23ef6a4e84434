// An inspector: a forward pass over one pair with teacher forcing that returns what the fused kernels never store:
// attention of all layers and heads, gates of SSRUs, logits, and on request every tensor between the layers.

import { check } from '../core/errors.ts';
import { msg } from '../core/message.ts';
import { dim, type Shape, sizeOf } from '../core/tensor.ts';
import type { Engine, Program } from '../engine/engine.ts';
import { writeStep } from '../engine/ops/step-scalars.ts';
import { grownTo } from '../model/grown-positions.ts';
import type { ModelConfig } from '../model/model-config.ts';
import type { ParameterList } from '../model/parameter-layout.ts';
import type { SourceKind } from '../model/source-kind.ts';
import {
  type AttentionPlace,
  hasLogits,
  type InspectorOptions,
  inspectionGraph,
  type TensorOutput,
} from './inspection-graph.ts';
import type { Activations, InspectionPoints, PlaceChange } from './inspection-points.ts';

/** Attention of one layer. */
export interface AttentionMap extends AttentionPlace {
  /** Numbers of queries Q and keys K: tokens of the pair, without padding. */
  readonly queries: number;
  readonly keys: number;
  /** Probabilities [heads, Q, K]; each row sums to 1. */
  readonly weights: Float32Array;
  /** Scaled scores [heads, Q, K] before mask and softmax; only with `tensors`. */
  readonly scores?: Float32Array;
}

/** What the SSRU of a decoder layer keeps, which it has in place of self-attention. */
export interface GateMap {
  readonly layer: number;
  /** Number of channels, D. */
  readonly channels: number;
  /**
   * Gates [T, D]: which part of its state a channel keeps at a target token, from 0 (the token replaces it) to 1
   * (nothing of the token enters).
   */
  readonly gates: Float32Array;
  /** States [T, D] after each target token, before ReLU. */
  readonly states: Float32Array;
}

/** A tensor between the layers, by its place in the model. */
export interface InspectedTensor {
  /** For example `encoder.layers.0.norm1.layer_norm`; a repeated name has a number. */
  readonly name: string;
  /** [tokens, columns], without the batch axis and padding. */
  readonly shape: Shape;
  readonly data: Float32Array;
}

/** Results of a forward pass over one pair. */
export interface RawInspection {
  readonly attention: readonly AttentionMap[];
  /** Gates of the decoder's layers, if they are SSRUs; else empty. */
  readonly gates: readonly GateMap[];
  /** Logits [T, V] for the token after each target token; empty with `crossOnly` and without `withLogits`. */
  readonly logits: Float32Array;
  readonly tensors: readonly InspectedTensor[];
  /** Learned position vectors of the encoder [max(S, T), D], with `tensors`, if the model has them. */
  readonly positions?: Float32Array;
  /** The activations at the recorded points. */
  readonly activations: readonly Activations[];
  /** Logits [T, V] of the residual stream of the decoder before the first layer and after each, with `lens`. */
  readonly lens: readonly { readonly place: string; readonly logits: Float32Array }[];
}

/** The gates and states of an SSRU over T tokens, from its products z and f [T, D] and the bias of f. */
function gatesOf(
  z: Float32Array,
  f: Float32Array,
  bias: Float32Array,
  tokens: number,
): Omit<GateMap, 'layer'> {
  const channels = bias.length;
  const gates = f
    .slice(0, tokens * channels)
    .map((x, i) => 1 / (1 + Math.exp(-x - (bias[i % channels] ?? 0))));
  const states = new Float32Array(gates.length);
  for (let i = 0; i < gates.length; i++) {
    const g = gates[i] ?? 0;
    states[i] = g * (states[i - channels] ?? 0) + (1 - g) * (z[i] ?? 0);
  }
  return { channels, gates, states };
}

/** Removes the padding from attention weights [heads, Q, K]. */
function withoutPadding(
  padded: Float32Array,
  [Q, K]: readonly [number, number],
  { heads, queries, keys }: Pick<AttentionMap, 'heads' | 'queries' | 'keys'>,
): Float32Array {
  const out = new Float32Array(heads * queries * keys);
  for (let h = 0; h < heads; h++)
    for (let i = 0; i < queries; i++) {
      const start = (h * Q + i) * K;
      out.set(padded.subarray(start, start + keys), (h * queries + i) * keys);
    }
  return out;
}

/** Inspects pairs of ids with the plan of one shape. */
export class Inspector {
  /** Peak memory of the plan in bytes; 0 on the CPU. */
  readonly peak: number;
  readonly #program: Program;
  readonly #config: ModelConfig;
  readonly #kind: SourceKind;
  readonly #options: InspectorOptions;
  readonly #places: readonly AttentionPlace[];
  readonly #tensors: readonly TensorOutput[];
  /** Number of SSRUs. */
  readonly #units: number;
  readonly #points: InspectionPoints | undefined;

  private constructor(
    program: Program,
    config: ModelConfig,
    kind: SourceKind,
    options: InspectorOptions,
    outputs: {
      attention: readonly AttentionPlace[];
      tensors: readonly TensorOutput[];
      units: number;
      points?: InspectionPoints;
    },
  ) {
    this.peak = program.plan?.bytes.peak ?? 0;
    this.#program = program;
    this.#config = config;
    this.#kind = kind;
    this.#options = options;
    this.#places = outputs.attention;
    this.#tensors = outputs.tensors;
    this.#units = outputs.units;
    this.#points = outputs.points;
    writeStep(program.inputs.step as Uint32Array);
  }

  /** Creates an inspector on an engine that has the weights, or receives them before the first call. */
  static async open(
    engine: Engine,
    model: ModelConfig,
    parameters: ParameterList,
    options: InspectorOptions,
  ): Promise<Inspector> {
    const grown = grownTo(model, parameters, Math.max(options.source, options.target));
    const { config: c, parameters: p } = grown;
    const { graph, ...outputs } = inspectionGraph(c, p, options);
    const [program] = (await engine.prepare([graph])) as [Program];
    grown.write(engine);
    return new Inspector(program, c, p.source, options, outputs);
  }

  /**
   * Inspects a pair. `source`: ids with the end token, or what another kind of source has; `target`: ids without start and end
   * token; `startId`: id that the decoder reads first, default: the start token of the model. Throws a HeddleError
   * for an invalid id or a side that is too long. `changes`: what this run replaces, at the points of the options.
   */
  async inspect(
    source: ArrayLike<number>,
    targetIds: readonly number[],
    startId = this.#config.startId,
    changes: readonly PlaceChange[] = [],
  ): Promise<RawInspection> {
    const { tgtVocab, dModel } = this.#config;
    const options = this.#options;
    const target = [startId, ...targetIds];
    const [c, kind] = [this.#config, this.#kind];
    this.#writeInputs(source, target);
    const lengths = { source: kind.positions(c, kind.lengthOf(c, source)), target: target.length };
    this.#points?.write(this.#program.inputs, changes, lengths);
    const outputs = await this.#program.run();
    const output = (name: string) => outputs[name] as Float32Array;
    const { source: S, target: T } = lengths;
    const padded = kind.positions(c, options.source);
    const positions = outputs.positions as Float32Array | undefined;
    return {
      attention: this.#places.map((place, n): AttentionMap => {
        const [queries, Q] = place.kind === 'encoder' ? [S, padded] : [T, options.target];
        const [keys, K] = place.kind === 'decoder' ? [T, options.target] : [S, padded];
        const sizes = { ...place, queries, keys };
        const read = (name: string) => withoutPadding(output(`${name}.${n}`), [Q, K], sizes);
        return { ...sizes, weights: read('weights'), scores: options.tensors ? read('scores') : undefined };
      }),
      gates: Array.from({ length: this.#units }, (_, layer) => {
        const read = (name: string) => output(`${name}.${layer}`);
        return { layer, ...gatesOf(read('cells'), read('gates'), read('gate bias'), T) };
      }),
      logits: hasLogits(options) ? output('logits').slice(0, T * tgtVocab) : new Float32Array(),
      tensors: this.#tensors.map(({ name, value, ofSource }): InspectedTensor => {
        const shape = [ofSource ? S : T, dim(value, 2)];
        return { name, shape, data: output(`tensor ${name}`).slice(0, sizeOf(shape)) };
      }),
      positions: positions?.slice(0, Math.max(S, T) * dModel),
      activations: this.#points?.read(outputs, lengths) ?? [],
      lens: (options.lens ? (this.#points?.stream ?? []) : []).map(({ place }) => ({
        place,
        logits: output(`lens ${place}`).slice(0, T * tgtVocab),
      })),
    };
  }

  #writeInputs(source: ArrayLike<number>, target: readonly number[]): void {
    const { inputs } = this.#program;
    const [c, kind, options] = [this.#config, this.#kind, this.#options];
    this.#checkLength('src', kind.lengthOf(c, source), options.source);
    this.#checkLength('tgt', target.length, options.target);
    kind.fill(c, inputs, [source]);
    // The decoder may start without a token.
    const wrong = target.find((id, i) => !(id >= 0 && id < c.tgtVocab) && !(i === 0 && id === c.startId));
    check(wrong === undefined, msg`the target has the id ${wrong}, the vocabulary has ${c.tgtVocab} tokens`, {
      area: this.#task,
    });
    (inputs.tgt as Int32Array).fill(c.padId).set(target);
    (inputs.tgtLens as Uint32Array)[0] = target.length;
    const rows = inputs.rows as Int32Array | undefined;
    rows?.set(rows.map((_, i) => Math.min(i, c.maxLength - 1) + c.positionOffset));
  }

  get #task(): string {
    return this.#options.crossOnly ? 'align' : 'inspect';
  }

  #checkLength(side: 'src' | 'tgt', length: number, size: number): void {
    check(length <= size, msg`${side} has ${length} tokens, the maximum is ${size}`, { area: this.#task });
  }
}
