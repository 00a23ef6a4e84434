// Every other function of heddle/engine: a value of a wrong type in the place of each positional argument, and of each field
// of an object, is an error that names the function and the argument or field, not NaN; so is a field that there is not. graph/node-checks.test.ts has those that add nodes.
import { describe, expect, it } from 'vitest';
import * as engine from '../../src/engine/index.ts';
import { errorAbout } from '../support/expect-error.ts';

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
const choices = { 'linear [2,3]': 'naive' };
const roofOptions = { bytes: 1e6, span: 5, rounds: 2, skipAbove: 9, repeats: 3 };
const addition = {
  inputs: { a: engine.f32([2], [1, 2]), b: engine.f32([2], [1, 2]) },
  attrs: {},
  wrt: ['a'],
};
const caseOptions = {
  through: ['y'],
  step: { seed: 1 },
  tolerance: 1e-5,
  gradTolerance: 1e-5,
  variant: 'x',
  untuned: true,
  without: ['x'],
  f16: false,
  traits: { f16: false },
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
  adapterName: () => [{ vendor: 'a', architecture: 'b', device: 'c', description: '' }],
  attentionMask: () => [{ batch: 1, heads: 1, groups: 1, queries: 2, keys: 2, offset: 0, lens: [2] }],
  attrsOf: () => [{ eps: 'number' }],
  chromeTrace: () => [profile],
  checkGradient: () => [engine.addOp, addition, { h: 1e-5, tolerance: 1e-6 }],
  checkOp: () => [device, engine.addOp, { ...addition, ...caseOptions }],
  cpuEngine: () => [{ wideStates: false, others: [] }],
  createCpuExecutor: () => [smallGraph().graph, new Map(), []],
  defineOp: () => [double],
  dim: () => [{ shape: [2, 3] }, 0],
  f32: () => [[2], [1, 2]],
  fuseBackward: () => [smallGraph().graph, []],
  fuseForward: () => [smallGraph().graph, [], 1e6, new Set()],
  fusePlaced: () => [smallGraph().graph, []],
  gpuEngine: () => [device, { kernelChoices: choices, memoryLimit: 1e6 }],
  GpuEngine: () => [device, { kernelChoices: choices, memoryLimit: 1e6 }],
  gradients: () => {
    const { graph, x, loss } = smallGraph();
    return [graph, loss, [x], () => undefined, []];
  },
  gridOf: () => [10, 64],
  i32: () => [[2], [1, 2]],
  keyOf: () => ['x'],
  makePlan: () => [smallGraph().graph, { traits: engine.defaultTraits, kernelChoices: {} }],
  matrixOf: () => [[2, 3]],
  measureRoofs: () => [device, roofOptions],
  openDevice: () => [
    { requestAdapter: () => undefined },
    { require: { maxBufferSize: 1 }, powerPreference: 'low-power', submissions: { maxMs: 1, maxCost: 1 } },
  ],
  pack: () => ['int8', new Float32Array(16), 16, new Uint32Array(4), new Float32Array(1)],
  printGraph: () => [smallGraph().graph],
  printPlan: () => [engine.makePlan(smallGraph().graph)],
  printProfile: () => [profile, { rows: 3, each: true }],
  profilePasses: () => [device, { plan: {}, submit: () => undefined }, 5],
  random: () => [1, 2],
  randomTensor: () => [[2], 1, 1],
  ReferenceTensor: () => [[2], new Float64Array(2)],
  relativeError: () => [[1], [1], false],
  rulesSize: () => [3, 0],
  show: () => [[2]],
  sinusoids: () => [4, 8, 'halves'],
  sizeOf: () => [[2, 3]],
  tensorType: () => ['f32', [2]],
  tuneKernels: () => [
    device,
    [],
    {
      known: choices,
      guessed: choices,
      settled: choices,
      budgetMs: 9,
      measureAll: true,
      onGuessed: () => undefined,
    },
  ],
  wordsOf: () => ['f16', 8],
  wrapDevice: () => [
    { features: {}, limits: {} },
    { vendor: 'a', architecture: 'b', device: 'c', description: 'd' },
  ],
  writeRules: () => [
    new Int32Array(8),
    {
      minLength: 0,
      forceEndAt: -1,
      noRepeatNgram: 0,
      firstToken: -1,
      banned: [1],
      bannedFirst: [1],
      repetitionPenalty: 1,
      bannedSequences: [],
    },
  ],
  writeSampling: () => [new Float32Array(4), { temperature: 1, topP: 1, topK: 0 }],
  writeStep: () => [
    new Uint32Array(engine.stepWords),
    { learningRate: 1, tokenWeight: 1, seed: 1, step: 1, keep: 1, position: 1 },
  ],
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

  it('refuses other types in each field', async () => {
    const problems: string[] = [];
    const refuses = async (label: string, place: number, change: (object: Fields) => void) => {
      const args = valid();
      const object = { ...(args[place] as Fields) };
      change(object);
      const error: unknown = await call(name, args.with(place, object)).catch((reason: unknown) => reason);
      const isOurs = error instanceof HeddleError && error.area?.toLowerCase() === name.toLowerCase();
      if (!isOurs || !error.message.includes(label.split(' ')[0] as string))
        problems.push(`${label}: ${String(error)}`);
    };
    for (const [i, own] of valid().entries()) {
      if (kindOf(own) !== 'object' || !isPlain(own) || isMade(own as Fields)) continue;
      for (const [field, value] of Object.entries(own as Fields))
        for (const [kind, other] of Object.entries(wrong))
          if (kindOf(other) !== kindOf(value) || Number.isNaN(other))
            await refuses(`${field} as ${kind}`, i, (object) => {
              object[field] = other;
            });
      if (!open.has(name))
        await refuses('mistyped of an unknown field', i, (object) => {
          object.mistyped = 1;
        });
    }
    expect(problems).toEqual([]);
  });
});

type Fields = Record<string, unknown>;

/** Whether a value is an object without a class. */
const isPlain = (value: unknown): boolean => Object.getPrototypeOf(value) === Object.prototype;

/** Whether an object is an op, of WebGPU, or what a function returned: a device, a plan, a profile, a runner, a tensor. */
const isMade = (object: Fields): boolean =>
  ['launch', 'gpu', 'buffers', 'passes', 'submit', 'dtype', 'requestAdapter'].some((name) => name in object);

/** Functions whose objects may have further fields: objects of WebGPU, names of attributes, tensors. */
const open = new Set(['adapterName', 'attrsOf', 'dim', 'wrapDevice']);

describe('objects in objects', () => {
  const graph = smallGraph().graph;
  it.each<[string, string, () => unknown]>([
    [
      'writeRules',
      'bannedSequences',
      () =>
        engine.writeRules(new Int32Array(9), {
          minLength: 0,
          forceEndAt: -1,
          noRepeatNgram: 0,
          firstToken: -1,
          banned: [],
          bannedSequences: [[1, 'x' as never]],
        }),
    ],
    ['writeRules', 'minLength', () => engine.writeRules(new Int32Array(9), {} as never)],
    [
      'writeSampling',
      'topK',
      () => engine.writeSampling(new Float32Array(4), { temperature: 1, topP: 1, topK: 2.5 }),
    ],
    [
      'makePlan',
      'traits.f16',
      () => engine.makePlan(graph, { traits: { ...engine.defaultTraits, f16: 'yes' as never } }),
    ],
    ['makePlan', 'kernelChoices.add', () => engine.makePlan(graph, { kernelChoices: { add: 3 as never } })],
    ['makePlan', 'graph', () => engine.makePlan({} as never)],
    ['printGraph', 'graph', () => engine.printGraph({} as never)],
    ['gradients', 'loss', () => engine.gradients(graph, {} as never, [])],
    ['printPlan', 'plan.passes', () => engine.printPlan({} as never)],
    ['printProfile', 'profile.passes', () => engine.printProfile({ clock: 'host', runs: 1, ms: 1 } as never)],
    ['createCpuExecutor', 'states', () => engine.createCpuExecutor(graph, {} as never)],
    ['graph', 'mistyped', () => graph.scope({ mistyped: 1 } as never, () => 1)],
    [
      'add',
      'mistyped',
      () =>
        graph.apply(engine.addOp, {
          a: graph.input('x', 'f32', [4, 8]),
          b: graph.input('x', 'f32', [4, 8]),
          mistyped: 1,
        } as never),
    ],
  ])('%s refuses a wrong %s', (area, field, run) => {
    let error: unknown;
    try {
      run();
    } catch (reason) {
      error = reason;
    }
    expect(error).toBeInstanceOf(HeddleError);
    expect((error as engine.HeddleError).area).toBe(area);
    expect(String(error)).toContain(field);
  });

  it('of an engine are refused', async () => {
    const cpu = engine.cpuEngine();
    await expect(cpu.prepare([graph], { inflight: 2 } as never)).rejects.toThrow(
      errorAbout({ area: 'cpu', values: ['inflight', 'inFlight'] }),
    );
    await expect(cpu.prepare([{} as never])).rejects.toThrow(
      errorAbout({ area: 'cpu', values: ['an object'] }),
    );
    await cpu.prepare([graph]);
    expect(() => cpu.write('x', 'text' as never)).toThrow(errorAbout({ area: 'cpu', values: ['a text'] }));
  });
});

it('all functions that add no nodes are here', () => {
  const rest = [...exported]
    .filter(([name, value]) => typeof value === 'function' && !(name in calls) && !others.includes(name))
    .map(([, value]) => String(value))
    .filter((text) => !/^(builder|g), /.test(text.slice(text.indexOf('(') + 1).trim()));
  expect(rest).toEqual([]);
});
