// A graph: an append-only list of nodes and the values between them. It knows shapes, not devices.

import { HeddleError } from '../core/errors.ts';
import { bytesPer, type DType, type Shape, sameShape, show, sizeOf } from '../core/tensor.ts';
import type { Attrs, Builder, Node, Op, Value } from '../ops/op.ts';

/** Builds and holds a graph. Nodes run in the order in which they were added. */
export class Graph implements Builder {
  readonly nodes: Node[] = [];
  readonly inputs = new Map<string, Value>();
  readonly states = new Map<string, Value>();
  /** Results to be read after a run, by name. */
  readonly outputs = new Map<string, Value>();
  #scope: string[] = [];
  #ids = 0;
  #nodeIds = 0;

  /** A tensor uploaded before every run. Asking for the same name again gives the same value. */
  input(name: string, dtype: DType, shape: Shape): Value {
    return this.#named(this.inputs, 'input', name, dtype, shape);
  }

  /** A tensor that lives across runs and is shared, by name, among the graphs of one session. */
  state(name: string, dtype: DType, shape: Shape): Value {
    return this.#named(this.states, 'state', name, dtype, shape);
  }

  /** A part of a state as a value of its own, without a copy: `offset` in elements, a multiple of 256 bytes. */
  part(bank: Value, name: string, offset: number, shape: Shape): Value {
    checkPart(bank, name, offset, shape);
    return { id: this.#ids++, name, kind: 'state', dtype: bank.dtype, shape, at: { bank, offset } };
  }

  /** Makes `value` lie in a part of `bank` from `offset` on: where a gradient goes for an optimizer over the whole bank. */
  place(value: Value, bank: Value, offset: number): void {
    checkPart(bank, value.name, offset, value.shape);
    if (value.kind !== 'result')
      throw new HeddleError(`graph: only results can be placed, ${value.name} is ${value.kind}`);
    value.at = { bank, offset };
  }

  /** Names a result that is read back after a run. */
  output(name: string, value: Value): Value {
    this.outputs.set(name, value);
    return value;
  }

  /** Whether a value is read back after a run. */
  isOutput(value: Value): boolean {
    for (const v of this.outputs.values()) if (v === value) return true;
    return false;
  }

  /** Applies an op; returns its outputs. */
  apply<A extends Attrs>(op: Op<A>, inputs: readonly Value[], attrs: A): Value[] {
    const types = op.shape(inputs, attrs);
    const scope = this.#scope.join('.');
    const outputs: Value[] = [];
    const node = { id: this.#nodeIds++, op, attrs, inputs, outputs, scope } as Node<A>;
    types.forEach((t, i) => {
      const name = `${scope ? `${scope}.` : ''}${op.name}${types.length > 1 ? `.${i}` : ''}`;
      outputs.push({
        id: this.#ids++,
        name,
        kind: 'result',
        dtype: t.dtype,
        shape: t.shape,
        node: node as unknown as Node,
      });
    });
    this.nodes.push(node as unknown as Node);
    return outputs;
  }

  /**
   * Puts one node in the place of the last of `old` and removes all of them: what a rewrite does. `outputs[i]` is the value that
   * lives on as the new node's output i; where it is left out, a new value is made. Returns the node's outputs.
   */
  replace<A extends Attrs>(
    old: readonly Node[],
    op: Op<A>,
    inputs: readonly Value[],
    attrs: A,
    outputs: readonly (Value | undefined)[],
  ): readonly Value[] {
    const scope = (old[0] as Node).scope;
    const at = Math.max(...old.map((n) => this.nodes.indexOf(n)));
    const made = this.scope(scope, () => this.apply(op, inputs, attrs));
    const node = this.nodes.pop() as Node & { outputs: Value[] };
    outputs.forEach((kept, i) => {
      if (!kept) return;
      const fresh = made[i] as Value;
      if (!sameShape(kept.shape, fresh.shape) || kept.dtype !== fresh.dtype)
        throw new Error(
          `graph: ${op.name} makes ${show(fresh.shape)}, it was to replace ${kept.name} ${show(kept.shape)}`,
        );
      (kept as { node?: Node }).node = node;
      node.outputs[i] = kept;
    });
    this.nodes[at] = node;
    for (const n of old) {
      const i = this.nodes.indexOf(n);
      if (i >= 0) this.nodes.splice(i, 1);
    }
    return node.outputs;
  }

  /** The nodes that read each value. */
  users(): Map<Value, Node[]> {
    const users = new Map<Value, Node[]>();
    for (const node of this.nodes)
      for (const v of new Set(node.inputs)) {
        const list = users.get(v);
        if (list) list.push(node);
        else users.set(v, [node]);
      }
    return users;
  }

  /** True: outside a gradient walk everything may be wanted. */
  needs(): boolean {
    return true;
  }

  /** Runs `build` with `name` added to the scope that labels nodes. */
  scope<T>(name: string, build: () => T): T {
    this.#scope.push(name);
    try {
      return build();
    } finally {
      this.#scope.pop();
    }
  }

  #named(map: Map<string, Value>, kind: 'input' | 'state', name: string, dtype: DType, shape: Shape): Value {
    const known = map.get(name);
    if (known) {
      if (known.dtype !== dtype || !sameShape(known.shape, shape))
        throw new HeddleError(
          `graph: ${kind} ${name} is ${known.dtype} ${show(known.shape)}, asked again as ${dtype} ${show(shape)}`,
        );
      return known;
    }
    const value: Value = { id: this.#ids++, name, kind, dtype, shape };
    map.set(name, value);
    return value;
  }
}

function checkPart(bank: Value, name: string, offset: number, shape: Shape): void {
  const aligned = (offset * bytesPer(bank.dtype)) % 256 === 0;
  if (!aligned || offset + sizeOf(shape) > sizeOf(bank.shape))
    throw new HeddleError(`graph: ${name} ${show(shape)} at ${offset} does not fit ${bank.name} ${show(bank.shape)}`);
}

/** A readable print: one line a node, `outputs = op(inputs) {attrs}`. */
export function printGraph(graph: Graph): string {
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
