// A graph as segments that run one after another: nodes that have ONNX operators as one model each, and between
// them nodes that run on the host by their references.

import { check, HeddleError, messageOf } from '../../../core/errors.ts';
import { msg } from '../../../core/message.ts';
import { allocate, sizeOf, type TensorData } from '../../../core/tensor.ts';
import { referenceOf } from '../../../engine/cpu/executor.ts';
import type { Graph } from '../../../engine/graph/graph.ts';
import { takeRowsOp } from '../../../engine/ops/elementwise/take-rows.ts';
import { named } from '../../../engine/ops/named-tensors.ts';
import type { Node, Value } from '../../../engine/ops/op.ts';
import { inputsOf, mutatedBy, outputsOf } from '../../../engine/ops/op-nodes.ts';
import { ReferenceTensor } from '../../../engine/ops/reference-tensor.ts';
import { HostRun, type HostStates, placeOf } from './host-values.ts';
import { onnxAttention } from './onnx-attention.ts';
import { onnxChoice } from './onnx-choice.ts';
import type { AnyOnnxOp } from './onnx-op.ts';
import { onnxOps } from './onnx-ops.ts';
import type { OnnxRuntime, OnnxSession, OnnxTensor } from './onnx-runtime.ts';
import { SegmentBuilder } from './segment-builder.ts';

const lowerings = new Map<object, AnyOnnxOp>([...onnxOps, ...onnxAttention, ...onnxChoice]);

/** The ONNX operators of a node; undefined if the host runs it. `isRead`: whether anything reads a result. */
function loweringOf(node: Node, isRead: (v: Value) => boolean): AnyOnnxOp | undefined {
  const lowering = lowerings.get(node.op);
  if (!lowering || lowering.fits?.(inputsOf(node), node.attrs) === false) return undefined;
  const isMissing = (name: string) => lowering.without?.includes(name);
  const lacks = node.outputs.some((v, i) => isMissing(node.outputNames[i] as string) && isRead(v));
  return lacks ? undefined : lowering;
}

/** The sessions of an engine by the signature of their models. */
export class OnnxSessions {
  readonly runtime: OnnxRuntime;
  readonly #sessions = new Map<string, Promise<OnnxSession>>();

  constructor(runtime: OnnxRuntime) {
    this.runtime = runtime;
  }

  /** The session of a model. */
  open(builder: SegmentBuilder): Promise<OnnxSession> {
    const signature = builder.signature();
    const known = this.#sessions.get(signature) ?? this.#create(builder);
    this.#sessions.set(signature, known);
    return known;
  }

  /** Frees all sessions. */
  async release(): Promise<void> {
    const all = [...this.#sessions.values()];
    this.#sessions.clear();
    for (const session of await Promise.allSettled(all))
      if (session.status === 'fulfilled') await session.value.release();
  }

  async #create(builder: SegmentBuilder): Promise<OnnxSession> {
    const { model, data } = builder.model();
    try {
      return await this.runtime.InferenceSession.create(model, {
        executionProviders: ['wasm'],
        graphOptimizationLevel: 'all',
        externalData: data.map((bytes, i) => ({ path: i === 0 ? 'weights' : `weights_${i}`, data: bytes })),
      });
    } catch (error) {
      throw new HeddleError(msg`onnxruntime-web cannot load the model: ${messageOf(error)}`, {
        kind: 'device',
        cause: error,
      });
    }
  }
}

/** A part of a graph that runs at once. */
interface Segment {
  run(run: HostRun): Promise<void> | void;
}

/** Nodes as one ONNX model, which is made at the first run and again when weights were written. */
class OnnxSegment implements Segment {
  readonly #nodes: readonly Node[];
  readonly #wanted: readonly Value[];
  readonly #sessions: OnnxSessions;
  #built: { readonly builder: SegmentBuilder; readonly session: OnnxSession } | undefined;

  /** `wanted`: the results that something else reads. */
  constructor(nodes: readonly Node[], wanted: readonly Value[], sessions: OnnxSessions) {
    this.#nodes = nodes;
    this.#wanted = wanted;
    this.#sessions = sessions;
  }

  async run(run: HostRun): Promise<void> {
    const { builder, session } = await this.#session(run.states);
    const { Tensor } = this.#sessions.runtime;
    const feeds: Record<string, OnnxTensor> = {};
    for (const { name, read } of builder.feeds) {
      const { data, dims } = read(run);
      feeds[name] = new Tensor(data instanceof Float32Array ? 'float32' : 'int32', data, dims);
    }
    const results = await session.run(feeds);
    for (const { names, take } of builder.fetches)
      take(
        run,
        names.map((name) => results[name]?.data as Float32Array),
      );
  }

  async #session(states: HostStates) {
    if (this.#built?.builder.isCurrent()) return this.#built;
    const builder = new SegmentBuilder(states);
    const taken = new Set<Value>();
    for (const node of this.#nodes) {
      const { lower, takes = [] } = lowerings.get(node.op) as AnyOnnxOp;
      const names = lower(builder, inputsOf(node), node.attrs, outputsOf(node));
      for (const [i, v] of node.outputs.entries())
        if (takes.includes(node.outputNames[i] as string)) taken.add(v);
      for (const [i, v] of node.outputs.entries()) {
        const name = names[node.outputNames[i] as string];
        if (name !== undefined) builder.set(v, name);
      }
    }
    for (const v of this.#wanted.filter((wanted) => !taken.has(wanted)))
      builder.fetch([builder.of(v)], v.shape.length, (run, [data = []]) => run.store(v, data));
    this.#built = { builder, session: await this.#sessions.open(builder) };
    return this.#built;
  }
}

/** A node on the host: its reference in float64. */
class HostSegment implements Segment {
  readonly #node: Node;
  readonly #mutated: readonly Value[];

  /** `mutated`: the inputs that it changes and that something reads afterwards. */
  constructor(node: Node, mutated: readonly Value[]) {
    this.#node = node;
    this.#mutated = mutated;
  }

  run(run: HostRun): void {
    const { op, attrs, inputs, inputNames, outputs, outputNames } = this.#node;
    const reference = referenceOf(op);
    check(reference, () => 'has neither ONNX operators nor a reference', { area: op.name });
    const ins = inputs.map((v) => new ReferenceTensor(v.shape, new Float64Array(run.data(v))));
    const outs = outputs.map((v) => new ReferenceTensor(v.shape));
    reference(named(op.inputs, inputNames, ins), named(op.outputs, outputNames, outs), attrs);
    for (const [i, v] of outputs.entries()) run.store(v, (outs[i] as ReferenceTensor).data);
    for (const v of this.#mutated) run.store(v, (ins[inputs.indexOf(v)] as ReferenceTensor).data);
  }
}

/** `take_rows` on the host, without conversions: it moves the keys of whole batches. */
class RowsSegment implements Segment {
  readonly #node: Node;

  constructor(node: Node) {
    this.#node = node;
  }

  run(run: HostRun): void {
    const { inputs, outputs } = this.#node;
    const [x, indices, y] = [inputs[0], inputs[1], outputs[0]] as [Value, Value, Value];
    const [from, order] = [run.data(x), run.data(indices)];
    const to = allocate(y.dtype, sizeOf(y.shape));
    const width = to.length / order.length; // numbers of a group of rows
    for (const [i, at] of order.entries()) to.set(from.subarray(at * width, (at + 1) * width), i * width);
    run.store(y, to);
  }
}

/** A graph as segments. */
export class SegmentedGraph {
  readonly #segments: readonly Segment[];
  readonly #graph: Graph;

  constructor(graph: Graph, sessions: OnnxSessions) {
    this.#graph = graph;
    const users = graph.users();
    const outputs = new Set(graph.outputs.values());
    /** Whether a node that is not among `nodes`, or the host, reads a result. */
    const isRead = (v: Value, nodes: readonly Node[] = []): boolean =>
      v.at !== undefined || outputs.has(v) || !!users.get(v)?.some((user) => !nodes.includes(user));
    const onHost = new Set(graph.nodes.filter((node) => !loweringOf(node, isRead)));
    const groups: Node[][] = [];
    for (const [i, node] of graph.nodes.entries()) {
      const before = graph.nodes[i - 1];
      if (before && !onHost.has(before) && !onHost.has(node)) groups.at(-1)?.push(node);
      else groups.push([node]);
    }
    this.#segments = groups.map((nodes) => {
      const [first] = nodes;
      if (first?.op === takeRowsOp) return new RowsSegment(first);
      if (first && onHost.has(first)) {
        const rest = graph.nodes.slice(graph.nodes.indexOf(first) + 1);
        const isKept = (v: Value) =>
          placeOf(v) !== undefined || rest.some(({ inputs }) => inputs.includes(v));
        return new HostSegment(first, mutatedBy(first).filter(isKept));
      }
      const wanted = nodes.flatMap((node) => node.outputs).filter((v) => isRead(v, nodes));
      return new OnnxSegment(nodes, wanted, sessions);
    });
  }

  /** Runs the graph; resolves to its outputs. `inputs` by name must not change while it runs. */
  async run(
    states: HostStates,
    inputs: Readonly<Record<string, TensorData>>,
  ): Promise<Record<string, TensorData>> {
    const run = new HostRun(states, inputs);
    for (const segment of this.#segments) await segment.run(run);
    return Object.fromEntries([...this.#graph.outputs].map(([name, v]) => [name, run.data(v).slice()]));
  }
}
