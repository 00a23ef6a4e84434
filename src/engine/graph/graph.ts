// A graph: a list of nodes in the order in which they run, and the values between them. It knows shapes, not
// devices.

import { checkTypes, HeddleError, kindOf } from '../../core/errors.ts';
import { msg } from '../../core/message.ts';
import { present } from '../../core/present.ts';
import {
  bytesPer,
  type DType,
  type Shape,
  sameShape,
  show,
  sizeOf,
  type TensorType,
} from '../../core/tensor.ts';
import { type ByName, listed, named } from '../ops/named-tensors.ts';
import type { AnyOp, Attrs, AttrsArgument, Builder, Node, Op, Place, SomeByName, Value } from '../ops/op.ts';
import { aligned, f16StorageOf, outputsOf } from '../ops/op-nodes.ts';
import { expectOptions } from '../ops/type-checks.ts';
import { checkNode, checkTensor, checkTensorType } from './node-checks.ts';

/**
 * Builds and holds a graph. Nodes run in the order in which they were added.
 *
 * @example
 * const graph = new Graph();
 * const x = graph.input('x', 'f32', [4]);
 * graph.output('y', add(graph, x, x));
 */
export class Graph implements Builder {
  readonly nodes: Node[] = [];
  readonly inputs = new Map<string, Value>();
  readonly states = new Map<string, Value>();
  /** Results to be read after a run, by name. */
  readonly outputs = new Map<string, Value>();
  #place: Placed = { scope: '' };
  #ids = 0;
  #nodeIds = 0;

  /** A tensor that is uploaded before every run; one per name. Throws a HeddleError if its type differs. */
  input(name: string, dtype: DType, shape: Shape): Value {
    return this.#named(this.inputs, 'input', name, dtype, shape);
  }

  /**
   * A tensor that lives across runs and is shared, by name, among the graphs of one session. Throws as
   * `input`.
   */
  state(name: string, dtype: DType, shape: Shape): Value {
    return this.#named(this.states, 'state', name, dtype, shape);
  }

  /** A slice of a state as a value, without a copy: `offset` in elements, a multiple of 256 bytes. */
  slice(buffer: Value, name: string, offset: number, shape: Shape): Value {
    checkSlice(buffer, name, offset, shape);
    return { id: this.#ids++, name, kind: 'state', dtype: buffer.dtype, shape, at: { buffer, offset } };
  }

  /** Stores `value` in a slice of `buffer`, such as the buffer of all gradients; `offset` in elements. */
  place(value: Value, buffer: Value, offset: number): void {
    checkSlice(buffer, value.name, offset, value.shape);
    if (value.kind !== 'result')
      throw new HeddleError(msg`only results can be placed, ${value.name} is ${value.kind}`, {
        area: 'graph',
      });
    value.at = { buffer, offset };
  }

  /** Names a result that is read back after a run. */
  output(name: string, value: Value): Value {
    checkTensor('graph', `output ${name}`, value);
    this.outputs.set(name, value);
    return value;
  }

  /** Whether a value is read back after a run. */
  isOutput(value: Value): boolean {
    for (const v of this.outputs.values()) if (v === value) return true;
    return false;
  }

  /**
   * Applies an op; returns its outputs by name. Throws a HeddleError if the inputs do not fit.
   *
   * @example
   * const { y } = graph.apply(layerNormOp, { x, gamma, beta }, { eps: 1e-5 });
   */
  apply<I extends string, O extends string, A extends Attrs>(
    op: Op<I, O, A>,
    inputs: ByName<I, Value>,
    ...[attrs]: AttrsArgument<A>
  ): ByName<O, Value> {
    const { names, list } = listed<Value>(op.name, op.inputs, inputs);
    checkNode(op, inputs, { names, list }, attrs === undefined ? {} : attrs);
    return outputsOf(this.#add(op, names, list, attrs ?? {})) as ByName<O, Value>;
  }

  /**
   * Adds a node like `node`, with the same attributes and f16 storage, that reads `inputs` of the same dtypes.
   * Shape rules expect f32, since nodes are built before their storage is decided; so the rule gets the types
   * before storage.
   */
  copy(node: Node, inputs: readonly Value[]): Node {
    const stored = f16StorageOf(node);
    const types = inputs.map(({ dtype, shape }, i): TensorType => {
      const isStored = dtype === 'f16' && stored.includes(node.inputNames[i] ?? '');
      return { dtype: isStored ? 'f32' : dtype, shape };
    });
    const copy = this.#add(node.op, node.inputNames, inputs, node.attrs, types);
    for (const [i, v] of copy.outputs.entries()) v.dtype = node.outputs[i]?.dtype ?? v.dtype;
    return copy;
  }

  /** `inputTypes`: those that the shape rule gets. */
  #add(
    op: AnyOp,
    inputNames: readonly string[],
    inputs: readonly Value[],
    attrs: Attrs,
    inputTypes: readonly TensorType[] = inputs,
  ): Node {
    const types = listed(op.name, op.outputs, op.shape(named(op.inputs, inputNames, inputTypes), attrs));
    const { scope, stack, layer, sublayer, part, recomputed } = this.#place;
    const outputs: Value[] = [];
    const node: Node = {
      id: this.#nodeIds++,
      op,
      attrs,
      inputs,
      outputs,
      inputNames,
      outputNames: types.names,
      scope,
      stack,
      layer,
      sublayer,
      part,
      recomputed,
    };
    for (const [i, { dtype, shape }] of types.list.entries()) {
      const name = present([
        scope || undefined,
        op.name,
        types.list.length > 1 ? types.names[i] : undefined,
      ]).join('.');
      outputs.push({ id: this.#ids++, name, kind: 'result', dtype, shape, node });
    }
    this.nodes.push(node);
    return node;
  }

  /**
   * Puts one node in the place of the last of `old` and removes all of them: what a rewrite does. `outputs`
   * are values that become outputs of the new node under their names; the others are new. Returns the node's
   * outputs by name.
   */
  replace<I extends string, O extends string, A extends Attrs>(
    old: readonly Node[],
    op: Op<I, O, A>,
    inputs: ByName<I, Value>,
    attrs: A,
    outputs: SomeByName<O>,
  ): ByName<O, Value> {
    const at = Math.max(...old.map((n) => this.nodes.indexOf(n)));
    const { names, list } = listed<Value>(op.name, op.inputs, inputs);
    const node = this.#within(old[0] ?? { scope: '' }, () => this.#add(op, names, list, attrs));
    this.nodes.pop();
    const given = aligned(node.outputNames, outputs);
    node.outputs = node.outputs.map((fresh, i) => {
      const value = given[i];
      if (!value) return fresh;
      if (!sameShape(value.shape, fresh.shape) || value.dtype !== fresh.dtype)
        throw new Error(
          `graph: ${op.name} has the output ${show(fresh.shape)}, but must replace ${value.name} ${show(value.shape)}`,
        );
      value.node = node;
      return value;
    });
    this.nodes[at] = node;
    for (const n of old) {
      const i = this.nodes.indexOf(n);
      if (i >= 0) this.nodes.splice(i, 1);
    }
    return outputsOf(node) as ByName<O, Value>;
  }

  /** The nodes that read each value. */
  users(): Map<Value, Node[]> {
    const users = new Map<Value, Node[]>();
    for (const node of this.nodes)
      for (const v of node.inputs) {
        const list = users.get(v);
        if (!list) users.set(v, [node]);
        else if (list.at(-1) !== node) list.push(node); // once, even if it reads the value twice
      }
    return users;
  }

  /** Returns true: outside of the backward pass every gradient may be needed. */
  needs(): boolean {
    return true;
  }

  /**
   * Runs `build`, whose nodes are at `place` inside the place so far. A string is a `part`. The label of the
   * nodes has the names of all places around them.
   *
   * @example
   * const feedForward = () => linear(graph, x, w);
   * graph.scope({ stack: 'encoder', layer: 0 }, () => graph.scope({ sublayer: 'ff' }, feedForward));
   */
  scope<T>(place: string | Place, build: () => T): T {
    const within = typeof place === 'string' ? { part: place } : place;
    expectOptions('graph', within, ['stack', 'layer', 'sublayer', 'part']);
    checkTypes('graph', 'a function', { build });
    return this.#within(inside(this.#place, within), build);
  }

  /**
   * Runs `build`, whose nodes are at the place of `node`, as its gradient is; `recomputed` if they compute it
   * again.
   */
  at<T>(node: Node, build: () => T, recomputed = false): T {
    return this.#within(recomputed ? { ...node, scope: `${node.scope}.again`, recomputed } : node, build);
  }

  #within<T>(place: Placed, build: () => T): T {
    const around = this.#place;
    this.#place = place;
    try {
      return build();
    } finally {
      this.#place = around;
    }
  }

  #named(map: Map<string, Value>, kind: 'input' | 'state', name: string, dtype: DType, shape: Shape): Value {
    checkTensorType(kind, name, dtype, shape);
    const known = map.get(name);
    if (known) {
      if (known.dtype !== dtype || !sameShape(known.shape, shape))
        throw new HeddleError(
          msg`${kind} ${name} is ${known.dtype} ${show(known.shape)}, requested again as ${dtype} ${show(shape)}`,
          { area: 'graph' },
        );
      return known;
    }
    const value: Value = { id: this.#ids++, name, kind, dtype, shape };
    map.set(name, value);
    return value;
  }
}

/** Where the next node is, and its label. */
type Placed = Pick<Node, keyof Place | 'scope' | 'recomputed'>;

/** A place inside another one. A stack, layer or sublayer ends what was inside the one before. */
function inside(around: Placed, { stack, layer, sublayer, part }: Place): Placed {
  const names = [around.scope, stack, layer === undefined ? undefined : `layers.${layer}`, sublayer, part];
  const scope = names.filter(Boolean).join('.');
  if (stack !== undefined) return { scope, stack, layer, sublayer, part };
  if (layer !== undefined) return { scope, stack: around.stack, layer, sublayer, part };
  const { stack: s, layer: l } = around;
  return { scope, stack: s, layer: l, sublayer: sublayer ?? around.sublayer, part };
}

function checkSlice(buffer: Value, name: string, offset: number, shape: Shape): void {
  checkTensor('graph', 'the buffer', buffer);
  const fits =
    Number.isSafeInteger(offset) &&
    offset >= 0 &&
    (offset * bytesPer(buffer.dtype)) % 256 === 0 &&
    offset + sizeOf(shape) <= sizeOf(buffer.shape);
  if (!fits)
    throw new HeddleError(
      msg`${name} ${show(shape)} at ${offset} does not fit ${buffer.name} ${show(buffer.shape)}, or does not start at a multiple of 256 bytes`,
      { area: 'graph' },
    );
}

/** Throws a HeddleError unless `graph` is a graph. */
export function checkGraph(area: string, graph: Graph): void {
  if (!Array.isArray(graph?.nodes) || !(graph.inputs instanceof Map))
    throw new HeddleError(msg`the graph is ${kindOf(graph)}, it must be a graph`, { area });
}

/** Throws a HeddleError unless `graphs` is a list of graphs. */
export function checkGraphs(area: string, graphs: readonly Graph[]): void {
  checkTypes(area, 'a list', { graphs });
  for (const graph of graphs) checkGraph(area, graph);
}

/**
 * Formats a graph for reading: one line per node, `outputs = op(inputs) {attrs}`.
 *
 * @example
 * console.log(printGraph(new Graph()));
 */
export function printGraph(graph: Graph): string {
  checkGraph('printGraph', graph);
  const ref = (v: Value) => `%${v.id}`;
  const lines = [...graph.inputs.values(), ...graph.states.values()].map(
    (v) => `${ref(v)}: ${v.kind} ${v.name} ${v.dtype} ${show(v.shape)}`,
  );
  for (const n of graph.nodes) {
    const attrs = Object.entries(n.attrs).filter(([, x]) => x !== undefined);
    const settings = attrs.length ? ` {${attrs.map(([k, x]) => `${k}: ${x}`).join(', ')}}` : '';
    const results = n.outputs.map((v) => `${ref(v)} ${v.dtype} ${show(v.shape)}`).join(', ');
    const args = n.inputs.map((v) => (v.at && v.kind === 'state' ? v.name : ref(v))).join(', ');
    lines.push(`${results || '()'} = ${n.op.name}(${args})${settings}${n.scope ? `  // ${n.scope}` : ''}`);
  }
  return `${lines.join('\n')}\n`;
}
