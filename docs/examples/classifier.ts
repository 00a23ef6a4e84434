// A custom model: a two-layer classifier built from ops and trained with AdamW on points of two noisy rings.

import {
  activation,
  adamw,
  clipScale,
  counterLength,
  crossEntropy,
  type Engine,
  Graph,
  gradients,
  keyOf,
  linear,
  random,
  sizeOf,
  stepWords,
  type Value,
  writeStep,
} from 'heddle/engine';

// B batch, I input width, H hidden width, C classes.
const [B, I, H, C] = [64, 2, 32, 2];

/**
 * The parameters; each starts at a multiple of 64 elements of one buffer, so that clipping and the optimizer
 * are a few passes.
 */
const shapes = { w1: [H, I], b1: [H], w2: [C, H], b2: [C] };
let size = 0;
const offsets = Object.entries(shapes).map(([name, shape]) => {
  const offset = size;
  size += Math.ceil(sizeOf(shape) / 64) * 64;
  return { name, shape, offset };
});

/** The model: x [B, I] -> logits [B, C], and its parameters as slices of the state `weights`. */
function model(graph: Graph, x: Value): { logits: Value; parameters: Value[] } {
  const weights = graph.state('weights', 'f32', [size]);
  const parameters = offsets.map(({ name, shape, offset }) => graph.slice(weights, name, offset, shape));
  const [w1, b1, w2, b2] = parameters as [Value, Value, Value, Value];
  const hidden = activation(graph, linear(graph, x, w1, b1), 'relu'); // [B, H]
  return { logits: linear(graph, hidden, w2, b2), parameters }; // [B, C]
}

/** One update as a graph: forward, backward, clipping and AdamW. */
export function trainingGraph(): Graph {
  const graph = new Graph();
  const x = graph.input('x', 'f32', [B, I]);
  const classes = graph.input('classes', 'i32', [B]);
  const step = graph.input('step', 'u32', [stepWords]); // learning rate, step number, weight of each row in the loss
  const { logits, parameters } = model(graph, x);
  const { nll, hit } = crossEntropy(graph, logits, classes, step); // [B]
  graph.output('nll', nll);
  graph.output('hit', hit);

  // The gradients of all parameters go to one buffer with the layout of the weights.
  const state = (name: string) => graph.state(name, 'f32', [size]);
  for (const [i, d] of gradients(graph, nll, parameters).entries())
    if (d) graph.place(d, state('gradients'), offsets[i]?.offset ?? 0);
  const counters = graph.state('counters', 'f32', [counterLength]);
  const betas = { beta1: 0.9, beta2: 0.999 };
  const clip = clipScale(graph, state('gradients'), counters, { maxNorm: 1, ...betas });
  adamw(
    graph,
    {
      weights: state('weights'),
      gradients: state('gradients'),
      m: state('m'),
      v: state('v'),
      clip,
      counters,
      step,
    },
    { ...betas, eps: 1e-8, weightDecay: 0.01, decayEnd: size },
  );
  return graph;
}

/** Points of two noisy rings, and the ring of each. */
function drawBatch(seed: number, x: { [i: number]: number }, classes: { [i: number]: number }): void {
  const r = random(seed, keyOf('rings'));
  for (let i = 0; i < B; i++) {
    const ring = r.int(C);
    const [angle, radius] = [2 * Math.PI * r.uniform(), 1 + ring + 0.1 * r.normal()];
    x[I * i] = radius * Math.cos(angle);
    x[I * i + 1] = radius * Math.sin(angle);
    classes[i] = ring;
  }
}

/**
 * Trains for `steps` updates on any engine; returns the mean loss of each batch and the accuracy on the last.
 */
export async function trainClassifier(
  engine: Engine,
  steps = 200,
): Promise<{ losses: number[]; accuracy: number }> {
  const [program] = await engine.prepare([trainingGraph()]);
  if (!program) throw new Error('no program');
  const { x, classes, step } = program.inputs as Record<'x' | 'classes' | 'step', Uint32Array>;

  const weights = new Float32Array(size);
  for (const { name, shape, offset } of offsets) {
    const r = random(7, keyOf(name));
    const bound = Math.sqrt(1 / (shape[1] ?? H)); // as PyTorch initializes nn.Linear
    for (let i = 0; i < sizeOf(shape); i++) weights[offset + i] = (2 * r.uniform() - 1) * bound;
  }
  engine.write('weights', weights);

  const losses: number[] = [];
  let accuracy = 0;
  for (let n = 0; n < steps; n++) {
    drawBatch(n, x, classes);
    writeStep(step, { step: n, learningRate: 0.01, tokenWeight: 1 / B });
    const { nll = [], hit = [] } = await program.run();
    losses.push(mean(nll));
    accuracy = mean(hit);
  }
  return { losses, accuracy };
}

const mean = (values: ArrayLike<number>): number =>
  Array.from(values).reduce((a, b) => a + b, 0) / values.length;
