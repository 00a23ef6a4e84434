// One ONNX model under construction from nodes of a graph. Sizes of batches and lengths are not part of it, so
// graphs that differ only in them share a session. What it reads from the host are feeds, what it returns fetches.

import { type Shape, sizeOf, type TensorData } from '../../../core/tensor.ts';
import type { Value } from '../../../engine/ops/op.ts';
import { type HostRun, type HostStates, placeOf } from './host-values.ts';
import {
  type Name,
  type OnnxAttribute,
  type OnnxFiles,
  OnnxGraph,
  type OnnxOps,
  type OnnxType,
} from './onnx-graph.ts';

/** A tensor for an input of a model. */
export interface FeedTensor {
  readonly data: Float32Array | Int32Array;
  readonly dims: Shape;
}

/** An input of a model, which the host fills before each run. */
export interface Feed {
  readonly name: Name;
  read(run: HostRun): FeedTensor;
}

/** Outputs of a model, which the host takes after each run. */
export interface Fetch {
  readonly names: readonly Name[];
  take(run: HostRun, data: readonly Float32Array[]): void;
}

/** A constant made of weights: `key` names how. */
export interface Layout {
  readonly key: string;
  readonly type: OnnxType;
  readonly shape: Shape;
  /** The numbers of the constant from those of the weights. */
  from(...data: TensorData[]): ArrayBufferView;
}

type Step =
  | {
      readonly kind: 'op';
      readonly type: string;
      readonly inputs: readonly Name[];
      readonly count: number;
      readonly attributes: Readonly<Record<string, OnnxAttribute>>;
    }
  | { readonly kind: 'input'; readonly name: Name; readonly type: OnnxType; readonly rank: number }
  | { readonly kind: 'output'; readonly name: Name; readonly rank: number; readonly value: Name }
  | {
      readonly kind: 'constant';
      readonly name: Name;
      readonly of: readonly string[];
      readonly layout: Omit<Layout, 'from'>;
    };

/** Records the steps that make a model. */
export class SegmentBuilder implements OnnxOps {
  readonly feeds: Feed[] = [];
  readonly fetches: Fetch[] = [];
  readonly #states: HostStates;
  readonly #steps: Step[] = [];
  readonly #values = new Map<Value, Name>();
  readonly #known = new Map<string, Name>();
  readonly #constants = new Map<Name, () => Uint8Array>();
  /** The versions of the states of which there are constants. */
  readonly #versions = new Map<string, number>();
  readonly #small = new Map<string, readonly number[]>();
  #count = 0;

  constructor(states: HostStates) {
    this.#states = states;
  }

  op(type: string, inputs: readonly Name[], attributes?: Readonly<Record<string, OnnxAttribute>>): Name {
    return this.ops(type, inputs, 1, attributes)[0] as Name;
  }

  ops(
    type: string,
    inputs: readonly Name[],
    count: number,
    attributes: Readonly<Record<string, OnnxAttribute>> = {},
  ): Name[] {
    this.#steps.push({ kind: 'op', type, inputs, count, attributes });
    return Array.from({ length: count }, () => `${this.#count++}`);
  }

  integers(...values: number[]): Name {
    const name = `int_${values.join('_')}`;
    this.#small.set(name, values);
    return name;
  }

  scalar(value: number): Name {
    const name = `float_${value}`;
    this.#small.set(name, [value]);
    return name;
  }

  /** The name under `key`; `make` makes it at the first call. */
  once(key: string, make: () => Name): Name {
    const name = this.#known.get(key) ?? make();
    this.#known.set(key, name);
    return name;
  }

  /** Names the result of a node. */
  set(v: Value, name: Name): void {
    this.#values.set(v, name);
  }

  /** Whether the model computes a value. */
  has(v: Value): boolean {
    return this.#values.has(v);
  }

  /** The name of a value: computed by the model, a weight, or a feed. */
  of(v: Value): Name {
    const known = this.#values.get(v);
    if (known !== undefined) return known;
    const name = v.at && v.kind === 'state' ? this.weight(v) : this.#fed(v);
    this.#values.set(v, name);
    return name;
  }

  /** An input that `read` fills before each run. `key`: what it is; a model has one of each. */
  feed(key: string, type: 'float' | 'int32', rank: number, read: Feed['read']): Name {
    return this.once(`feed ${key}`, () => {
      const name = `in_${this.feeds.length}`;
      this.#steps.push({ kind: 'input', name, type, rank });
      this.feeds.push({ name, read });
      return name;
    });
  }

  /** Outputs that `take` takes after each run. */
  fetch(values: readonly Name[], rank: number, take: Fetch['take']): void {
    const names = values.map((value, i) => {
      const name = `out_${this.fetches.length}_${i}`;
      this.#steps.push({ kind: 'output', name, rank, value });
      return name;
    });
    this.fetches.push({ names, take });
  }

  /** What a weight is, as a key. */
  keyOf(v: Value): string {
    const { state, offset } = stateOf(v);
    return `${state}:${offset}:${v.shape.join('x')}`;
  }

  /** A weight as a constant of the model. */
  weight(v: Value): Name {
    const type = v.dtype === 'f32' ? 'float' : 'int32';
    return this.constant([v], { key: 'as it is', type, shape: v.shape, from: (data) => data as TensorData });
  }

  /** A constant made of weights. */
  constant(weights: readonly Value[], { from, ...layout }: Layout): Name {
    const of = weights.map((v) => {
      const { state, offset } = stateOf(v);
      const { version } = this.#states.get(state);
      this.#versions.set(state, version);
      return `${state}:${version}:${offset}:${v.shape.join('x')}`;
    });
    return this.once(`constant ${of.join()} ${layout.key}`, () => {
      const name = `w_${this.#constants.size}`;
      this.#steps.push({ kind: 'constant', name, of, layout });
      this.#constants.set(name, () => {
        const data = from(...weights.map((v) => this.#numbersOf(v)));
        return new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength);
      });
      return name;
    });
  }

  /** What the model is: models of the same signature are the same. */
  signature(): string {
    return JSON.stringify(this.#steps);
  }

  /** Whether its constants are those of the states now. */
  isCurrent(): boolean {
    return [...this.#versions].every(([state, version]) => this.#states.get(state).version === version);
  }

  /** The model: its file, and if that would be too large, files of its weights. */
  model(): OnnxFiles {
    const graph = new OnnxGraph('heddle');
    for (const [name, values] of this.#small)
      if (name.startsWith('int')) graph.integers(...values);
      else graph.scalar(values[0] as number);
    const axes = (name: Name, rank: number) => Array.from({ length: rank }, (_, i) => `${name}_${i}`);
    for (const step of this.#steps)
      if (step.kind === 'op') graph.ops(step.type, step.inputs, step.count, step.attributes);
      else if (step.kind === 'input') graph.input(step.name, step.type, axes(step.name, step.rank));
      else if (step.kind === 'output')
        graph.output(step.name, 'float', axes(step.name, step.rank), step.value);
      else {
        const bytes = this.#constants.get(step.name) as () => Uint8Array;
        graph.constant(step.name, step.layout.type, step.layout.shape, bytes());
      }
    return graph.files('weights');
  }

  #numbersOf(v: Value): TensorData {
    const { state, offset } = stateOf(v);
    return this.#states.get(state).data.subarray(offset, offset + sizeOf(v.shape));
  }

  #fed(v: Value): Name {
    const type = v.dtype === 'f32' ? 'float' : 'int32';
    return this.feed(`value ${v.id}`, type, v.shape.length, (run) => {
      const data = run.data(v);
      if (data instanceof Uint32Array)
        return { data: new Int32Array(data.buffer, data.byteOffset, data.length), dims: v.shape };
      return { data: data as Float32Array | Int32Array, dims: v.shape };
    });
  }
}

/** The state of a weight, and where it begins there. */
function stateOf(v: Value): { readonly state: string; readonly offset: number } {
  const place = placeOf(v);
  if (!place) throw new Error(`wasm: ${v.name} is no state`);
  return place;
}
