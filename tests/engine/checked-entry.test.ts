// `heddle/engine` refuses options that it does not have: each function with options is called with one misspelled name.
// A function that is missing from the table of calls, or from checked-entry.ts, is found by the compiler or here.

import { describe, expect, it } from 'vitest';
import * as entry from '../../src/engine/checked-entry.ts';
import type * as engine from '../../src/engine/index.ts';
import * as unchecked from '../../src/engine/index.ts';

/** Arguments that are no options. */
type Subject =
  | string
  | number
  | boolean
  | undefined
  | null
  | ((...args: never[]) => unknown)
  | ArrayLike<unknown>
  | ReadonlySet<unknown>
  | ReadonlyMap<unknown, unknown>
  | GPU
  | GPUDevice
  | engine.AnyOp
  | engine.Builder
  | engine.Device
  | engine.Plan
  | engine.Profile
  | engine.Runner
  | engine.Value;

/** Functions that have another object among their arguments. */
type WithOptions = {
  [Name in keyof typeof engine]: (typeof engine)[Name] extends (...args: infer Args) => unknown
    ? [Exclude<Args[number], Subject>] extends [never]
      ? never
      : Name
    : never;
}[keyof typeof engine];

/** Of these, functions whose objects are no options: an adapter, a type, anything. */
type Others = 'adapterName' | 'check' | 'dim' | 'expectType' | 'wrapDevice';

/** Any argument: names are checked before a function uses its arguments. */
const any = {} as never;

/** An option of each function, and a call with options. */
const calls: Record<
  Exclude<WithOptions, Others>,
  readonly [option: string, call: (options: never) => unknown]
> = {
  openDevice: ['powerPreference', (o) => entry.openDevice(any, o)],
  gpuEngine: ['memoryLimit', (o) => entry.gpuEngine(any, o)],
  cpuEngine: ['wideStates', (o) => entry.cpuEngine(o)],
  makePlan: ['traits', (o) => entry.makePlan(any, o)],
  tuneKernels: ['budgetMs', (o) => entry.tuneKernels(any, any, o)],
  measureRoofs: ['rounds', (o) => entry.measureRoofs(any, o)],
  printProfile: ['rows', (o) => entry.printProfile(any, o)],
  selfAttention: ['heads', (o) => entry.selfAttention(any, any, any, any, o)],
  crossAttention: ['heads', (o) => entry.crossAttention(any, any, any, any, any, o)],
  attentionWeights: ['scores', (o) => entry.attentionWeights(any, any, any, any, o)],
  maskedAttention: ['softcap', (o) => entry.maskedAttention(any, any, any, any, any, o)],
  attentionMask: ['groups', (o) => entry.attentionMask(o)],
  relativePositionBias: ['bidirectional', (o) => entry.relativePositionBias(any, any, o)],
  cachedSelfAttention: ['beams', (o) => entry.cachedSelfAttention(any, any, any, any, any, o)],
  cachedCrossAttention: ['headWidth', (o) => entry.cachedCrossAttention(any, any, any, any, o)],
  beamSelect: ['shrinks', (o) => entry.beamSelect(any, any, any, any, o)],
  cacheSlots: ['padId', (o) => entry.cacheSlots(any, any, any, any, any, any, o)],
  greedyToken: ['vocab', (o) => entry.greedyToken(any, any, any, any, any, o)],
  sampleToken: ['vocab', (o) => entry.sampleToken(any, any, any, any, any, any, o)],
  bestTokens: ['wanted', (o) => entry.bestTokens(any, any, any, any, any, o)],
  writeRules: ['banned', (o) => entry.writeRules(any, o)],
  writeSampling: ['temperature', (o) => entry.writeSampling(any, o)],
  addColumns: ['first', (o) => entry.addColumns(any, any, any, o)],
  takeColumns: ['count', (o) => entry.takeColumns(any, any, o)],
  dropout: ['rate', (o) => entry.dropout(any, any, any, o)],
  embedding: ['frozenId', (o) => entry.embedding(any, any, any, o)],
  packedEmbedding: ['width', (o) => entry.packedEmbedding(any, any, any, o)],
  packedLinear: ['scales', (o) => entry.packedLinear(any, any, o)],
  crossEntropy: ['smoothing', (o) => entry.crossEntropy(any, any, any, any, o)],
  tokenStats: ['ignore', (o) => entry.tokenStats(any, any, any, any, o)],
  matmul: ['transB', (o) => entry.matmul(any, any, any, o)],
  addLayerNorm: ['residual', (o) => entry.addLayerNorm(any, o, any)],
  softmax: ['causal', (o) => entry.softmax(any, any, o)],
  clipScale: ['maxNorm', (o) => entry.clipScale(any, any, any, o)],
  adam: ['beta1', (o) => entry.adam(any, any, o)],
  adamw: ['weightDecay', (o) => entry.adamw(any, any, o)],
  rmsprop: ['rho', (o) => entry.rmsprop(any, any, o)],
  sgd: ['momentum', (o) => entry.sgd(any, any, o)],
  writeStep: ['learningRate', (o) => entry.writeStep(any, o)],
  defineOp: ['variants', (o) => entry.defineOp(o)],
  checkOp: ['tolerance', (o) => entry.checkOp(any, any, o)],
  checkGradient: ['through', (o) => entry.checkGradient(any, o)],
};

/** `heads` becomes `heds`. */
const misspell = (name: string) => name.slice(0, 2) + name.slice(3);

const graph = new entry.Graph();
const x = graph.input('x', 'f32', [2, 3]);
const cpu = entry.cpuEngine();
const gpu = new entry.GpuEngine({ adapter: {}, gpu: {} } as never);

/** Calls of methods, second arguments, nested options, and attributes of graph.apply, with the message. */
const others: readonly (readonly [message: string, call: () => unknown])[] = [
  [
    'openDevice: submissions: there is no option maxms. Did you mean maxMs?',
    () => entry.openDevice(any, { submissions: { maxms: 1 } as never }),
  ],
  [
    'gpuEngine: there is no option kernel. Did you mean kernels?',
    () => new entry.GpuEngine(any, { kernel: 1 } as never),
  ],
  [
    'engine.prepare: there is no option inflight. Did you mean inFlight?',
    () => cpu.prepare([graph], { inflight: 1 } as never),
  ],
  [
    'engine.prepare: there is no option inflight. Did you mean inFlight?',
    () => gpu.prepare([graph], { inflight: 1 } as never),
  ],
  [
    'engine.preparePlans: there is no option inflight. Did you mean inFlight?',
    () => gpu.preparePlans([], { inflight: 1 } as never),
  ],
  [
    'addLayerNorm: there is no option epsilon. Did you mean eps?',
    () => entry.addLayerNorm(any, any, { epsilon: 1 } as never),
  ],
  [
    'adamw: there is no option weight. Did you mean weights?',
    () => entry.adamw(any, { weight: x } as never, any),
  ],
  [
    'embedding: index: there is no option rowstart. Did you mean rowStart?',
    () => entry.embedding(any, any, any, { index: { rowstart: x } as never }),
  ],
  [
    'checkOp: step: there is no option sed. Did you mean seed?',
    () => entry.checkOp(any, any, { inputs: {}, attrs: {}, step: { sed: 1 } as never }),
  ],
  [
    'checkGradient: there is no option tolerence. Did you mean tolerance?',
    () => entry.checkGradient(any, {} as never, { tolerence: 1 } as never),
  ],
  [
    'softmax: there is no option causl. Did you mean causal?',
    () => graph.apply(entry.softmaxOp, { x }, { causl: true } as never),
  ],
  [
    'softmax: there is no input len. Did you mean lens?',
    () => graph.apply(entry.softmaxOp, { x, len: x } as never, {}),
  ],
  [
    'graph.scope: there is no option stak. Did you mean stack?',
    () => graph.scope({ stak: 'encoder' } as never, () => {}),
  ],
  ['matmul: the options are true, they must be an object', () => entry.matmul(graph, x, x, true as never)],
  ['softmax: the options are null, they must be an object', () => entry.softmax(graph, x, null as never)],
];

const expectInput = async (call: () => unknown, message: string) => {
  const error = await Promise.resolve()
    .then(call)
    .then(
      () => undefined,
      (reason: unknown) => reason,
    );
  expect(error).toBeInstanceOf(entry.HeddleError);
  expect(error).toMatchObject({ message, kind: 'input' });
};

describe('options that heddle/engine does not have', () => {
  it.each(Object.entries(calls))('%s', async (name, [option, call]) => {
    const wrong = misspell(option);
    const message = `${name}: there is no option ${wrong}. Did you mean ${option}?`;
    await expectInput(() => call({ [wrong]: 1 } as never), message);
  });

  it.each(others)('%s', async (message, call) => expectInput(call, message));

  it('reject the promise of a function that returns one', async () => {
    for (const name of ['openDevice', 'tuneKernels', 'measureRoofs', 'checkOp'] as const)
      await expect(calls[name][1]({ wrong: 1 } as never)).rejects.toThrow(name);
    await expect(cpu.prepare([graph], { wrong: 1 } as never)).rejects.toThrow('engine.prepare');
  });

  it('are attributes of an op that a program defines', () => {
    const softmaxOp = entry.defineOp({
      name: 'softmax',
      inputs: ['x'],
      outputs: ['y'],
      attrs: entry.attrsOf<{ readonly axis: number }>(),
      shape: ({ x }) => ({ y: x }),
      launch: () => [],
    });
    expect(graph.apply(softmaxOp, { x }, { axis: 1 }).y.shape).toEqual([2, 3]);
  });
});

it('checks each op that heddle/engine exports', () => {
  const isOp = (value: unknown): value is entry.AnyOp =>
    typeof value === 'object' && value !== null && 'launch' in value;
  for (const op of Object.values<unknown>(unchecked).filter(isOp)) {
    const types = Object.fromEntries(op.inputs.map((name) => [name.replace('?', ''), x]));
    const takesNone = op === unchecked.addOp || op === unchecked.multiplyOp;
    const apply = () => graph.apply(op, types, { wrong: 1 });
    if (!takesNone) expect(apply, op.name).toThrow(`${op.name}: there is no option wrong`);
  }
});

it('exports the names of the library, and runs programs', async () => {
  expect(Object.keys(entry).sort()).toEqual(Object.keys(unchecked).sort());
  using engine = entry.cpuEngine({ wideStates: true });
  const g = new entry.Graph();
  g.output('y', entry.softmax(g, g.input('x', 'f32', [2, 2]), { causal: true }));
  const [program] = await engine.prepare([g], { inFlight: 1 });
  expect([...((await program?.run())?.y ?? [])]).toEqual([1, 0, 0.5, 0.5]);
});
