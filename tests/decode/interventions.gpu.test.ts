// Interventions on the GPU against a float64 forward pass that shares no code with src/ (float64-transformer.ts), with
// the same intervention: ablation, patching, hidden keys, the lens, and the greedy translation.
import { describe, expect, it } from 'vitest';
import type { Inspection, InspectOptions } from '../../src/decode/inspection.ts';
import { ModelInspector } from '../../src/decode/model-inspector.ts';
import { modelParts } from '../../src/decode/model-parts.ts';
import { gpuEngine } from '../../src/engine/engine.ts';
import { wrapDevice } from '../../src/engine/gpu/device.ts';
import type { SavedModel } from '../../src/formats/shared/saved-model.ts';
import { writeWeights } from '../../src/model/model-states.ts';
import { parameterList } from '../../src/model/parameters.ts';
import { expectError } from '../support/expect-error.ts';
import { forward, type Hooks } from '../support/float64-transformer.ts';
import { gpuDevice } from '../support/gpu.ts';
import { letterModel } from '../support/saved-model.ts';

type Rows = number[][];
type Level = Parameters<NonNullable<Hooks['at']>>[0];

const layers = { encoderLayers: 2, decoderLayers: 2, heads: 2 } as const;
const models: Record<string, SavedModel> = {
  'norms after the sublayers': letterModel(14, layers),
  'norms before the sublayers, own embeddings': letterModel(21, { ...layers, norm: 'pre', tie: 'none' }),
};

/** A model on the GPU with its reference. */
async function opened({ config, source, target, weights }: SavedModel) {
  const engine = gpuEngine(wrapDevice(await gpuDevice()));
  const parameters = parameterList(config);
  const inspector = new ModelInspector(engine, { config, source, target }, parameters);
  const encode = (text: string) => [...source.encode(text), source.special.end];
  let isWritten = false;
  const host = {
    encode: async (text: string) => encode(text),
    upload: async () => {
      if (!isWritten) writeWeights(engine, config, parameters, weights);
      isWritten = true;
    },
  };
  const ids = encode('bad cab');
  const read = target.encode('abc e');
  return {
    ids,
    read,
    encode,
    decode: (text: string) => target.encode(text),
    inspect: (options: InspectOptions, given: readonly number[] | undefined = read) =>
      inspector.inspect(ids, given, { likely: config.tgtVocab, ...options }, host),
    greedy: (options: InspectOptions) => inspector.inspect(ids, undefined, options, host),
    reference: (hooks: Hooks, pair: { source?: readonly number[]; target?: readonly number[] } = {}) =>
      forward(
        config,
        parameters,
        weights,
        { source: pair.source ?? ids, target: [config.startId, ...(pair.target ?? read)] },
        hooks,
      ),
  };
}

/** Logits [T, V] of likely tokens. */
const logitsOf = (next: Inspection['next']): Rows =>
  next.map((row) => [...row].sort((a, b) => a.id - b.id).map(({ logit }) => logit));

/** The largest logit of a token that is no padding and no start, whose logits are about -60. */
const scaleOf = (logits: Rows): number =>
  Math.max(
    ...logits
      .flat()
      .map(Math.abs)
      .filter((x) => x < 30),
  );

function expectClose(mine: Rows, reference: Rows): void {
  expect(mine.map((row) => row.length)).toEqual(reference.map((row) => row.length));
  const scale = scaleOf(reference);
  const wrong = Math.max(...mine.flatMap((row, t) => row.map((x, i) => Math.abs(x - reference[t]![i]!))));
  expect(wrong / scale).toBeLessThan(1e-4);
}

/** Hooks that change the activations of some places. */
const changed = (level: Level, places: readonly string[], change: (x: Rows, input: Rows) => Rows): Hooks => ({
  at: (at, place, x, input) => (at === level && places.includes(place) ? change(x, input) : x),
});
const zeros = (x: Rows): Rows => x.map((row) => row.map(() => 0));
const means = (x: Rows, over: Rows = x): Rows =>
  x.map((row) => row.map((_, i) => over.reduce((sum, other) => sum + other[i]!, 0) / over.length));
/** A change of one head only. */
const ofHead =
  (head: number, change: (x: Rows) => Rows) =>
  (x: Rows): Rows => {
    const [after, width] = [change(x), x[0]!.length / layers.heads];
    return x.map((row, t) => row.map((v, i) => (Math.floor(i / width) === head ? after[t]![i]! : v)));
  };
/** A change of some tokens only. */
const ofTokens =
  (tokens: readonly number[], change: (x: Rows) => Rows) =>
  (x: Rows): Rows => {
    const after = change(x);
    return x.map((row, t) => (tokens.includes(t) ? after[t]! : row));
  };

for (const [name, model] of Object.entries(models))
  describe(name, async () => {
    const { ids, read, encode, decode, inspect, greedy, reference } = await opened(model);
    /** The activation of a place for another pair. */
    const recorded = (level: Level, place: string, pair: Parameters<typeof reference>[1]): Rows => {
      const found: Rows = [];
      const keep = (x: Rows) => {
        found.push(...x);
        return x;
      };
      reference(changed(level, [place], keep), pair);
      return found;
    };
    const check = async (options: InspectOptions, hooks: Hooks) => {
      const { next, loss } = await inspect(options);
      const { logits } = reference(hooks);
      expectClose(logitsOf(next), logits);
      // The intervention does more than the tolerance: without it the comparison would fail.
      const before = reference({}).logits;
      const moved = logits.flatMap((row, t) => row.map((x, i) => Math.abs(x - before[t]![i]!)));
      expect(Math.max(...moved) / scaleOf(before)).toBeGreaterThan(2e-4);
      expect(loss).toHaveLength(read.length + 1);
    };

    it('gives the logits of the reference without an intervention', async () => {
      expectClose(logitsOf((await inspect({})).next), reference({}).logits);
    });

    it('switches off heads, sublayers, layers and embeddings', async () => {
      const first = (level: Level, place: string) => changed(level, [place], zeros);
      await check({ ablate: ['encoder.1.self.1'] }, changed('heads', ['encoder.1.self'], ofHead(1, zeros)));
      await check({ ablate: ['decoder.0.cross.0'] }, changed('heads', ['decoder.0.cross'], ofHead(0, zeros)));
      await check({ ablate: ['decoder.1.self'] }, first('sublayer', 'decoder.1.self'));
      await check({ ablate: ['encoder.0.feedForward'] }, first('sublayer', 'encoder.0.feedForward'));
      await check(
        { ablate: ['decoder.1'] },
        changed('layer', ['decoder.1'], (_, input) => input),
      );
      await check(
        { ablate: ['encoder.0'] },
        changed('layer', ['encoder.0'], (_, input) => input),
      );
      await check({ ablate: ['encoder.output'] }, first('output', 'encoder.output'));
      await check(
        { ablate: ['decoder.*.cross'] },
        changed('sublayer', ['decoder.0.cross', 'decoder.1.cross'], zeros),
      );
    });

    it('switches off at some tokens, and by the mean', async () => {
      await check(
        { ablate: [{ part: 'decoder.0.self.1', tokens: [1, 3] }] },
        changed('heads', ['decoder.0.self'], ofHead(1, ofTokens([1, 3], zeros))),
      );
      await check(
        { ablate: [{ part: 'decoder.1.self.0', by: 'mean' }] },
        changed('heads', ['decoder.1.self'], ofHead(0, means)),
      );
      await check(
        { ablate: [{ part: 'decoder.0', by: 'mean' }] },
        changed('layer', ['decoder.0'], (x) => means(x)),
      );
      // The mean over the tokens of two other texts, with their targets as the model translates them.
      const texts = ['ab', 'deed'];
      const all: Rows = [];
      for (const text of texts)
        all.push(...recorded('sublayer', 'encoder.1.feedForward', { source: encode(text) }));
      await check(
        { ablate: [{ part: 'encoder.1.feedForward', by: 'mean' }], meanOf: texts },
        changed('sublayer', ['encoder.1.feedForward'], (x) => means(x, all)),
      );
    });

    it('hides source tokens from cross-attention, and tokens from self-attention', async () => {
      await check(
        { ablate: [{ part: 'decoder.*.cross', keys: [2] }] },
        { hides: (place, _h, _i, key) => place.endsWith('cross') && key === 2 },
      );
      await check(
        { ablate: [{ part: 'decoder.1.cross.1', keys: [0, 1, 2, 3], tokens: [2] }] },
        { hides: (place, h, i, key) => place === 'decoder.1.cross' && h === 1 && i === 2 && key < 4 },
      );
      await check(
        { ablate: [{ part: 'encoder.0.self', keys: [1] }] },
        { hides: (place, _h, _i, key) => place === 'encoder.0.self' && key === 1 },
      );
      // The first target token sees only itself: if that is hidden, its heads are zero.
      await check(
        { ablate: [{ part: 'decoder.*.self', keys: [0] }] },
        { hides: (place, _h, _i, key) => place.startsWith('decoder') && place.endsWith('self') && key === 0 },
      );
      const { attention } = await inspect({ ablate: [{ part: 'decoder.0.cross', keys: [2] }] });
      const map = attention.find(({ kind, layer }) => kind === 'cross' && layer === 0)!;
      for (let row = 0; row < map.heads * map.queries; row++) {
        const p = map.weights.subarray(row * map.keys, (row + 1) * map.keys);
        expect(p[2]).toBe(0);
        expect(p.reduce((a, b) => a + b)).toBeCloseTo(1, 5);
      }
    });

    it('takes activations of another sentence', async () => {
      const [from, fromTarget] = ['dab bed', 'cab'];
      const other = { source: encode(from), target: decode(fromTarget) };
      const stream = recorded('layer', 'encoder.0', other);
      await check(
        { patch: [{ part: 'encoder.0', from, fromTarget, tokens: [1, 2], fromTokens: [3, 0] }] },
        changed('layer', ['encoder.0'], (x) =>
          x.map((row, t) => (t === 1 ? stream[3]! : t === 2 ? stream[0]! : row)),
        ),
      );
      const heads = recorded('heads', 'decoder.1.cross', other);
      await check(
        { patch: [{ part: 'decoder.1.cross.1', from, fromTarget }] },
        changed(
          'heads',
          ['decoder.1.cross'],
          ofHead(1, (x) => x.map((row, t) => heads[t] ?? row)),
        ),
      );
      // With itself, nothing changes; with an ablation before, the patch undoes it.
      const same = { part: 'encoder.1', from: 'bad cab', fromTarget: 'abc e' } as const;
      expectClose(logitsOf((await inspect({ patch: [same] })).next), reference({}).logits);
      const undone = await inspect({ ablate: [{ part: 'encoder.1', by: 'mean' }], patch: [same] });
      expectClose(logitsOf(undone.next), reference({}).logits);
    });

    it('reads the residual stream through the output layer, also under an intervention', async () => {
      for (const ablated of [false, true]) {
        const { lens, next } = await inspect({ lens: true, ablate: ablated ? ['decoder.0.cross'] : [] });
        const hooks = ablated ? changed('sublayer', ['decoder.0.cross'], zeros) : {};
        expect(lens!.map(({ part }) => part)).toEqual(['decoder.embedding', 'decoder.0', 'decoder.1']);
        for (const [n, layer] of reference(hooks).lens.entries())
          expectClose(logitsOf(lens![n]!.next), layer);
        expectClose(logitsOf(lens!.at(-1)!.next), logitsOf(next));
      }
    });

    it('translates greedily under an intervention', async () => {
      const { endId, startId, maxLength } = model.config;
      const greedyReference = (hooks: Hooks): number[] => {
        const found: number[] = [];
        while (found.length < maxLength - 1) {
          const row = reference(hooks, { target: found }).logits.at(-1)!;
          const id = row.indexOf(Math.max(...row));
          if (id === endId) break;
          found.push(id);
        }
        return found;
      };
      const translations = new Set<string>();
      for (const [options, hooks] of [
        [{ ablate: [{ part: 'decoder.0.cross.0', tokens: [] }] }, {}],
        [{ ablate: ['decoder.0.cross'] }, changed('sublayer', ['decoder.0.cross'], zeros)],
        [{ ablate: ['decoder.1'] }, changed('layer', ['decoder.1'], (_: Rows, input: Rows) => input)],
        [
          { ablate: ['decoder.*.feedForward'] },
          changed('sublayer', ['decoder.0.feedForward', 'decoder.1.feedForward'], zeros),
        ],
        [{ ablate: ['encoder.1'] }, changed('layer', ['encoder.1'], (_: Rows, input: Rows) => input)],
        [{ ablate: ['decoder.1.self.0'] }, changed('heads', ['decoder.1.self'], ofHead(0, zeros))],
      ] satisfies [InspectOptions, Hooks][]) {
        const found = await greedy(options);
        expect(found.target.map(({ id }) => id)).toEqual([startId, ...greedyReference(hooks)]);
        translations.add(found.targetText);
      }
      expect(translations.size).toBeGreaterThan(1);
    });

    it('names all parts, and rejects those that the model does not have', async () => {
      const parts = modelParts(model.config);
      expect(parts).toHaveLength(2 * 2 + 2 * (1 + 2 + 2) + 2 * (1 + 3 + 2 * 2));
      const rejects = (options: InspectOptions, expected: Parameters<typeof expectError>[1]) =>
        expectError(() => inspect(options), { area: 'inspect', ...expected });
      for (const part of ['decoder.2', 'encoder.0.cross', 'decoder.1.cross.2', 'memory', ''])
        await rejects({ ablate: [part as 'decoder.0'] }, { values: [part] });
      await rejects({ ablate: [{ part: 'decoder.0', keys: [0] }] }, { options: ['keys'] });
      await rejects({ ablate: [{ part: 'encoder.0', tokens: [ids.length] }] }, { options: ['tokens'] });
      const late = { part: 'encoder.0', from: 'a', tokens: [0], fromTokens: [9] } as const;
      await rejects({ patch: [late] }, { options: ['fromTokens'], values: [9, 2] });
      await rejects({ ablate: [{ part: 'encoder.0', by: 'mean' }], meanOf: [] }, { options: ['meanOf'] });
    });
  });
