// Every other function of heddle/engine: a value of a wrong type in the place of each positional argument is an error
// that names the function and the argument, not NaN. graph/node-checks.test.ts has those that add nodes.
import { describe, expect, it } from 'vitest';
import * as engine from '../../src/engine/index.ts';

const { Graph, HeddleError } = engine;

/** A graph with an output, and its tensors. */
function smallGraph() {
  const graph = new Graph();
  const x = graph.input('x', 'f32', [4, 8]);
  const targets = graph.input('targets', 'i32', [4]);
  const step = graph.input('step', 'u32', [engine.stepWords]);
  const { nll: loss } = engine.crossEntropy(graph, engine.add(graph, x, x), targets, step);
  graph.output('loss', loss);
  return { graph, x, loss };
}

/** Stands for a device in calls whose other argument is wrong. */
const device = { traits: engine.defaultTraits, adapter: {}, gpu: {} };
const profile = { passes: [], ms: 1, runs: 1, clock: 'host' };
const addition = {
  inputs: { a: engine.f32([2], [1, 2]), b: engine.f32([2], [1, 2]) },
  attrs: {},
  wrt: ['a'],
};
const double = {
  name: 'double',
  inputs: ['x'],
  outputs: ['y'],
  shape: ({ x }: { x: engine.TensorType }) => ({ y: x }),
  launch: () => [],
};

/** Arguments of a valid call of each function. */
const calls: Readonly<Record<string, () => unknown[]>> = {
  adapterName: () => [{ vendor: 'a' }],
  attentionMask: () => [{ batch: 1, queries: 2, keys: 2 }],
  attrsOf: () => [{}],
  chromeTrace: () => [profile],
  checkGradient: () => [engine.addOp, addition, {}],
  checkOp: () => [device, engine.addOp, addition],
  cpuEngine: () => [{}],
  createCpuExecutor: () => [smallGraph().graph, new Map(), []],
  defineOp: () => [double],
  dim: () => [{ shape: [2, 3] }, 0],
  f32: () => [[2], [1, 2]],
  fuseBackward: () => [smallGraph().graph, []],
  fuseForward: () => [smallGraph().graph, [], 1e6, new Set()],
  fusePlaced: () => [smallGraph().graph, []],
  gpuEngine: () => [device, {}],
  GpuEngine: () => [device, {}],
  gradients: () => {
    const { graph, x, loss } = smallGraph();
    return [graph, loss, [x], () => undefined, []];
  },
  gridOf: () => [10, 64],
  i32: () => [[2], [1, 2]],
  keyOf: () => ['x'],
  makePlan: () => [smallGraph().graph, {}],
  matrixOf: () => [[2, 3]],
  measureRoofs: () => [device, {}],
  openDevice: () => [{}, {}],
  pack: () => ['int8', new Float32Array(16), 16, new Uint32Array(4), new Float32Array(1)],
  printGraph: () => [smallGraph().graph],
  printPlan: () => [engine.makePlan(smallGraph().graph)],
  printProfile: () => [profile, {}],
  profilePasses: () => [device, {}, 5],
  random: () => [1, 2],
  randomTensor: () => [[2], 1, 1],
  ReferenceTensor: () => [[2], new Float64Array(2)],
  relativeError: () => [[1], [1], false],
  rulesSize: () => [3, 0],
  show: () => [[2]],
  sinusoids: () => [4, 8, 'halves'],
  sizeOf: () => [[2, 3]],
  tensorType: () => ['f32', [2]],
  tuneKernels: () => [device, [], {}],
  wordsOf: () => ['f16', 8],
  wrapDevice: () => [device, {}],
  writeRules: () => [
    new Int32Array(8),
    { minLength: 0, forceEndAt: -1, noRepeatNgram: 0, firstToken: -1, banned: [] },
  ],
  writeSampling: () => [new Float32Array(4), { temperature: 1, topP: 1, topK: 0 }],
  writeStep: () => [new Uint32Array(engine.stepWords), {}],
};

/** Functions whose valid call needs a device. */
const needsDevice = [
  'checkOp',
  'gpuEngine',
  'GpuEngine',
  'measureRoofs',
  'openDevice',
  'profilePasses',
  'tuneKernels',
  'wrapDevice',
];

/** Functions that make errors of any value, and the checks of an op that are given types. */
const others = ['HeddleError', 'check', 'expectType', 'Graph'];

const wrong: Readonly<Record<string, unknown>> = {
  text: 'x',
  number: 3.5,
  NaN: Number.NaN,
  object: { eps: 1e-5 },
  list: ['x'],
  null: null,
  true: true,
  function: () => 1,
};

const kindOf = (value: unknown): string => {
  if (value === null) return 'null';
  return Array.isArray(value) || ArrayBuffer.isView(value) ? 'list' : typeof value;
};

const exported = new Map<string, unknown>(Object.entries(engine));

/** Calls a function, or makes an instance of a class. */
async function call(name: string, args: readonly unknown[]): Promise<unknown> {
  const made = exported.get(name) as { new (...all: unknown[]): unknown; (...all: unknown[]): unknown };
  return String(made).startsWith('class') ? new made(...args) : made(...args);
}

describe.each(Object.keys(calls))('%s', (name) => {
  const valid = calls[name] as () => unknown[];

  if (!needsDevice.includes(name))
    it('works', async () => {
      await call(name, valid());
    });

  it('refuses other types in each place', async () => {
    const problems: string[] = [];
    for (const [i, own] of valid().entries())
      for (const [kind, value] of Object.entries(wrong)) {
        if (kindOf(value) === kindOf(own) && !Number.isNaN(value)) continue;
        if (name === 'openDevice' && i === 0 && !value) continue; // WebGPU is not available
        const args = valid().with(i, value);
        const error: unknown = await call(name, args).then(
          () => 'accepted',
          (reason: unknown) => reason,
        );
        const names = error instanceof HeddleError && error.area?.replace('gpuEngine', 'GpuEngine');
        if (names !== name.replace('gpuEngine', 'GpuEngine'))
          problems.push(`argument ${i + 1} as ${kind}: ${String(error)}`);
      }
    expect(problems).toEqual([]);
  });
});

it('all functions that add no nodes are here', () => {
  const rest = [...exported]
    .filter(([name, value]) => typeof value === 'function' && !(name in calls) && !others.includes(name))
    .map(([, value]) => String(value))
    .filter((text) => !/^(builder|g), /.test(text.slice(text.indexOf('(') + 1).trim()));
  expect(rest).toEqual([]);
});
