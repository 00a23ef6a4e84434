// The tensors of an engine on onnxruntime that are in host memory: states, and the inputs and results of a run.

import { allocate, sizeOf, type TensorData, type TensorType } from '../../../core/tensor.ts';
import type { Value } from '../../../engine/ops/op.ts';

/** A state and the number of times that it was written, so that copies of it can be kept. */
interface HostState {
  readonly type: TensorType;
  data: TensorData;
  version: number;
  /** Copies in other layouts by key, with the version of which they were made. */
  readonly derived: Map<string, { readonly version: number; readonly data: TensorData }>;
}

/** The states of an engine by name. */
export class HostStates {
  readonly #states = new Map<string, HostState>();

  /** Adds a state of zeros, or keeps the one of this name. */
  add(name: string, type: TensorType): void {
    if (this.#states.has(name)) return;
    const data = allocate(type.dtype, sizeOf(type.shape));
    this.#states.set(name, { type, data, version: 0, derived: new Map() });
  }

  /** A state by name. Throws if there is none. */
  get(name: string): HostState {
    const state = this.#states.get(name);
    if (!state) throw new Error(`wasm: there is no state ${name}`);
    return state;
  }

  /** Writes numbers into a state, from element `offset` on. */
  write(name: string, data: ArrayLike<number>, offset = 0): void {
    const state = this.get(name);
    state.data.set(data, offset);
    state.version++;
  }

  /** A copy of a state in another layout, made again if the state was written since. */
  derived(name: string, key: string, make: (data: TensorData) => TensorData): TensorData {
    const state = this.get(name);
    const known = state.derived.get(key);
    if (known?.version === state.version) return known.data;
    const data = make(state.data);
    state.derived.set(key, { version: state.version, data });
    return data;
  }

  /** Frees all states. */
  clear(): void {
    this.#states.clear();
  }
}

/** The state that holds a value, and where; undefined if it is an input or a result that is not placed. */
export function placeOf(v: Value): { readonly state: string; readonly offset: number } | undefined {
  if (v.at) return { state: v.at.buffer.name, offset: v.at.offset };
  return v.kind === 'state' ? { state: v.name, offset: 0 } : undefined;
}

/** The tensors of one run. */
export class HostRun {
  readonly states: HostStates;
  readonly #inputs: Readonly<Record<string, TensorData>>;
  readonly #results = new Map<Value, TensorData>();

  constructor(states: HostStates, inputs: Readonly<Record<string, TensorData>>) {
    this.states = states;
    this.#inputs = inputs;
  }

  /** The numbers of a value that is an input, a state, or a result so far. */
  data(v: Value): TensorData {
    const place = placeOf(v);
    if (place)
      return this.states.get(place.state).data.subarray(place.offset, place.offset + sizeOf(v.shape));
    const data = v.kind === 'input' ? this.#inputs[v.name] : this.#results.get(v);
    if (!data) throw new Error(`wasm: ${v.name} is not computed yet`);
    return data;
  }

  /** Stores a result, in the state in which it is placed if it is. */
  store(v: Value, data: ArrayLike<number>): void {
    const place = placeOf(v);
    if (place) this.states.write(place.state, data, place.offset);
    else if (v.kind === 'input') throw new Error(`wasm: ${v.name} is an input`);
    else {
      const own = allocate(v.dtype, data.length);
      own.set(data);
      this.#results.set(v, own);
    }
  }
}
