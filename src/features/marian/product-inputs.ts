// The largest inputs of a model's matrix products on pairs of ids, from which int8 products get the multipliers of
// their inputs: a forward pass with teacher forcing whose outputs are these inputs.

import { dim } from '../../core/tensor.ts';
import type { Engine, Program } from '../../engine/engine.ts';
import { Graph } from '../../engine/graph/graph.ts';
import { linearOp } from '../../engine/ops/matmul/linear.ts';
import { applicationOf } from '../../engine/ops/op-nodes.ts';
import { writeStep } from '../../engine/ops/step-scalars.ts';
import type { ModelConfig } from '../../model/model-config.ts';
import { openTransformer } from '../../model/open-transformer.ts';
import type { ParameterList } from '../../model/parameter-layout.ts';
import { tokenInput } from '../../model/source-kind.ts';
import { decode, encode, project } from '../../model/transformer.ts';

/** A pair of ids: a source with its end token, and a target without start and end token. */
export interface IdPair {
  readonly source: readonly number[];
  readonly target: readonly number[];
}

/** The largest absolute inputs of the product with a matrix, by the name of the matrix: one for each call. */
export type InputMaxima = Map<string, number[]>;

/** Pairs of a batch, and the multiple of tokens to which its sides are padded. */
const [batchSize, unit] = [16, 16];

/** An input of a product with the matrix `name`, with a row for each source token or each target token. */
interface ProductInput {
  readonly name: string;
  readonly output: string;
  readonly width: number;
  readonly ofSource: boolean;
}

/** A forward pass of a shape whose outputs are the inputs of products. */
interface MeasuringGraph {
  readonly graph: Graph;
  readonly inputs: readonly ProductInput[];
}

function measuringGraph(c: ModelConfig, p: ParameterList, S: number, T: number): MeasuringGraph {
  const graph = new Graph();
  const m = openTransformer(graph, c, p, false);
  const source = p.source.input(graph, c, batchSize, S);
  const target = tokenInput(graph, 'tgt', 'tgt', batchSize, T);
  const memory = encode(m, p.source, source);
  graph.output('logits', project(m, decode(m, target, memory, source.lengths)));
  const names = new Map([...m.weights].map(([name, value]) => [value, name]));
  const outputs = new Map([[memory, 'memory']]);
  graph.output('memory', memory);
  const inputs: ProductInput[] = [];
  for (const node of [...graph.nodes]) {
    const { x, w } = applicationOf(node, linearOp)?.inputs ?? {};
    const name = w && names.get(w);
    if (!x || name === undefined) continue;
    const output = outputs.get(x) ?? `input ${outputs.size}`;
    if (!outputs.has(x)) graph.output(output, x);
    outputs.set(x, output);
    inputs.push({ name, output, width: dim(x, -1), ofSource: node.stack === 'encoder' || x === memory });
  }
  return { graph, inputs };
}

/** The largest absolute number of a row. */
function maxOf(data: Float32Array, from: number, width: number): number {
  let max = 0;
  for (let i = from; i < from + width; i++) max = Math.max(max, Math.abs(data[i] as number));
  return max;
}

/**
 * Measures pairs in batches of similar lengths. As Marian's engine computes them, a batch has one call of each
 * product of source tokens, and one call of the others for each target position. `write` puts the weights on the
 * engine after a plan is made; `peak`: its bytes.
 */
export async function measureInputs(
  engine: Engine,
  c: ModelConfig,
  p: ParameterList,
  pairs: readonly IdPair[],
  write: (peak: number) => Promise<void>,
): Promise<InputMaxima> {
  const maxima: InputMaxima = new Map();
  const programs = new Map<string, { program: Program; inputs: readonly ProductInput[] }>();
  const sorted = [...pairs].sort(
    (a, b) => a.source.length - b.source.length || a.target.length - b.target.length,
  );
  const padded = (n: number): number => Math.min(c.maxLength, unit * Math.ceil(n / unit));
  for (let first = 0; first < sorted.length; first += batchSize) {
    const batch = sorted.slice(first, first + batchSize);
    const S = padded(Math.max(...batch.map(({ source }) => source.length)));
    const T = padded(Math.max(...batch.map(({ target }) => target.length + 1)));
    let open = programs.get(`${S} ${T}`);
    if (!open) {
      const { graph, inputs } = measuringGraph(c, p, S, T);
      const [program] = (await engine.prepare([graph])) as [Program];
      writeStep(program.inputs.step as Uint32Array);
      open = { program, inputs };
      programs.set(`${S} ${T}`, open);
    }
    await write(open.program.plan?.bytes.peak ?? 0);
    writeBatch(open.program, c, batch, [S, T]);
    const outputs = await open.program.run();
    for (const { name, output, width, ofSource } of open.inputs) {
      const data = outputs[output] as Float32Array;
      const own = maxima.get(name) ?? [];
      const calls = new Float64Array(ofSource ? 1 : T);
      for (const [b, { source, target }] of batch.entries())
        for (let t = 0; t < (ofSource ? source.length : target.length + 1); t++) {
          const call = ofSource ? 0 : t;
          const max = maxOf(data, (b * (ofSource ? S : T) + t) * width, width);
          calls[call] = Math.max(calls[call] as number, max);
        }
      own.push(...calls.filter((max) => max > 0));
      maxima.set(name, own);
    }
  }
  return maxima;
}

/** Writes the ids of a batch; rows without a pair repeat the first one. */
function writeBatch(
  { inputs }: Program,
  c: ModelConfig,
  batch: readonly IdPair[],
  [S, T]: readonly [number, number],
): void {
  const fill = (side: string, width: number, idsOf: (pair: IdPair) => readonly number[]) => {
    const rows = (inputs[side] as Int32Array).fill(c.padId);
    const lengths = inputs[`${side}Lens`] as Uint32Array;
    for (let b = 0; b < batchSize; b++) {
      const ids = idsOf(batch[b] ?? (batch[0] as IdPair));
      rows.set(ids, b * width);
      lengths[b] = ids.length;
    }
  };
  fill('src', S, ({ source }) => source);
  fill('tgt', T, ({ target }) => [c.startId, ...target]);
}
