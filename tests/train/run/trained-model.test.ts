// heddle train of a subset of the weights, on the CPU references: written files, resumed runs that end bit
// for bit the same, and LoRA adapters in translate, eval and convert.

import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CommandJob } from '../../../src/commands/remote/command-job.ts';
import { runJob } from '../../../src/commands/remote/run-job.ts';
import type { Tensor } from '../../../src/core/tensor.ts';
import { readSafetensors } from '../../../src/files/safetensors.ts';
import { loraConfig } from '../../../src/model/lora.ts';
import type { JobEvent } from '../../../src/train/report/training-events.ts';
import type { TrainArguments } from '../../../src/train/settings/train-arguments.ts';
import { errorAbout } from '../../support/expect-error.ts';
import { jobs } from '../../support/jobs.ts';
import { relativeError } from '../../support/op.ts';
import { fineTuning, tinySizes } from '../../support/training.ts';

const folder = mkdtempSync(join(tmpdir(), 'heddle-tuning-'));
const at = (name: string) => join(folder, name);
const tensors = (path: string) => readSafetensors(new Uint8Array(readFileSync(at(path))));

/** Compares tensors up to rounding: the references compute in float64, and a checkpoint holds float32. */
function expectNear(path: string, other: string, names = /./): void {
  const [found, want] = [path, other].map((from) =>
    Object.fromEntries(Object.entries(tensors(from)).filter(([name]) => names.test(name))),
  ) as [Record<string, Tensor>, Record<string, Tensor>];
  expect(Object.keys(found)).toEqual(Object.keys(want));
  expect(Object.keys(found).length).toBeGreaterThan(8);
  // Adam divides by small roots, which amplifies 6e-8 a few times.
  for (const [name, { data }] of Object.entries(found))
    expect(relativeError(data, want[name]!.data), name).toBeLessThan(1e-4);
}

const words = ['one uno', 'two dos', 'six seis', 'ten diez', 'red rojo', 'sun sol'].map((p) => p.split(' '));
const pairs = Array.from({ length: 36 }, (_, i) => {
  const picked = [i % 6, Math.floor(i / 6)].slice(0, 1 + (i % 2)).map((k) => words[k] as string[]);
  return [picked.map((w) => w[0]).join(' '), picked.map((w) => w[1]).join(' ')].join('\t');
});

const common = fineTuning({
  corpus: { kind: 'tsv', path: at('pairs.tsv'), dev: at('dev.tsv') },
  heldOut: 0,
  steps: 4,
  weightDecay: 0.1,
  evalSteps: 2,
  devSentences: 3,
});
const sizes = { ...tinySizes, maxLength: 12 };

async function run<A, R>(job: CommandJob<A, R>, args: A) {
  const messages: string[] = [];
  const onEvent = (event: JobEvent) => void (event.type === 'message' && messages.push(event.text));
  return { result: await runJob(job, args, { host: 'cpu', onEvent }), messages };
}
const train = (fields: Partial<TrainArguments>) => run(jobs.train, { ...common, ...fields });

beforeAll(async () => {
  writeFileSync(at('pairs.tsv'), pairs.slice(6).join('\n'));
  writeFileSync(at('dev.tsv'), pairs.slice(0, 6).join('\n'));
  await train({ model: sizes, out: at('base') });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('a run with frozen parameters', () => {
  const freeze = ['encoder.*', '*.norm?.*'];
  it('writes them unchanged, and moments only of the others', async () => {
    const { messages } = await train({ init: at('base'), freeze, out: at('frozen') });
    expect(messages.join('\n')).toMatch(/^frozen: \d+ of \d+ tensors, [\d,]+ of [\d,]+ parameters$/m);
    const [before, after] = [tensors('base/model.safetensors'), tensors('frozen/model.safetensors')];
    const same = Object.keys(before).filter(
      (name) =>
        Buffer.compare(Buffer.from(before[name]!.data.buffer), Buffer.from(after[name]!.data.buffer)) === 0,
    );
    expect(same.filter((name) => !/encoder|\.norm\d|^src_/.test(name))).toEqual([]);
    expect(same).toContain('transformer.encoder.layers.0.linear1.weight');
    expect(same).toContain('transformer.decoder.layers.0.norm1.bias');
    const moments = Object.keys(tensors('frozen/optimizer.safetensors'));
    expect(moments).toContain('moment1.transformer.decoder.layers.0.linear1.weight');
    expect(moments).not.toContain('moment1.transformer.encoder.layers.0.linear1.weight');
  });

  it('ends with the same weights if it is resumed', async () => {
    await train({ init: at('base'), freeze, out: at('parts'), steps: 2 });
    await train({ out: at('parts'), resume: true });
    expectNear('parts/model.safetensors', 'frozen/model.safetensors');
  });

  it('names patterns without matches', async () => {
    await expect(train({ init: at('base'), freeze: ['encodr.*'] })).rejects.toThrow(
      errorAbout({ area: 'freeze', values: ['encodr.*'] }),
    );
  });
});

describe('a run with a LoRA adapter', () => {
  const lora = loraConfig({ rank: 2, alpha: 8, targetModules: ['*.q', '*.v', 'fc1'], dropout: 0.1 });
  const fields = { init: at('base'), lora, emaDecay: 0.5 };

  it("writes it in PEFT's layout, with the state to resume", async () => {
    const { result, messages } = await train({ ...fields, out: at('adapter') });
    expect(result).toMatchObject({ loraBase: at('base'), steps: 4 });
    expect(messages.join('\n')).toMatch(
      /^LoRA adapter: [\d,]+ parameters in 8 linear layers; the [\d,]+ of the model are frozen$/m,
    );
    expect(readdirSync(at('adapter')).sort()).toEqual(
      [
        'adapter_config.json',
        'adapter_model.safetensors',
        'heddle-manifest.json',
        'log.jsonl',
        'optimizer.safetensors',
        'report.html',
        'state.json',
        'tokens.cache',
      ].sort(),
    );
    const config = JSON.parse(readFileSync(at('adapter/adapter_config.json'), 'utf8'));
    expect(config).toMatchObject({
      base_model_name_or_path: at('base'),
      r: 2,
      lora_alpha: 8,
      lora_dropout: 0.1,
    });
    const found = tensors('adapter/adapter_model.safetensors');
    const b = found['base_model.model.model.encoder.layers.0.self_attn.q_proj.lora_B.weight'];
    expect(b?.shape).toEqual([8, 2]);
    expect(b?.data.some((x) => x !== 0)).toBe(true);
  });

  it('ends with the same weights if it is resumed, with and without evaluations', async () => {
    await train({ ...fields, out: at('halves'), steps: 2, evalSteps: 0 });
    await train({ out: at('halves'), resume: true, evalSteps: 0 });
    const whole = await train({ ...fields, out: at('silent'), evalSteps: 0 });
    expectNear('halves/adapter_model.safetensors', 'silent/adapter_model.safetensors');
    expect(whole.result.best).toBeUndefined();
    expectNear('adapter/optimizer.safetensors', 'silent/optimizer.safetensors', /^moment/);
  });

  it('evaluates and translates as the merged model', async () => {
    const adapter = at('adapter');
    const { dev, best } = (await train({ ...fields, out: at('again') })).result;
    const evaluate = (extra: object) =>
      run(jobs.evaluate, {
        folder: at('base'),
        pairs: { files: [at('dev.tsv')] },
        options: { batchSize: 4 },
        ...extra,
      });
    const merged = (await evaluate({ lora: adapter })).result;
    // Evaluation merges in float32; dev loss during training computes the adapter separately.
    expect(merged.loss).toBeCloseTo(dev.find(({ step }) => step === best?.step)?.loss ?? Number.NaN, 5);
    expect((await evaluate({})).result.loss).not.toBeCloseTo(merged.loss, 3);
    await run(jobs.convert, { folder: at('base'), out: at('merged'), to: 'heddle', lora: adapter });
    const texts = pairs.map((pair) => pair.split('\t')[0] as string);
    const translate = (from: string, extra: object) =>
      run(jobs.translate, { folder: at(from), texts, options: { batchSize: 8 }, ...extra });
    const scores = async (from: string, extra: object = {}) =>
      (await translate(from, extra)).result.map(([t]) => [t?.text, t?.score]);
    const beside = await scores('base', { lora: adapter });
    expect(await scores('merged')).toEqual(beside);
    expect(await scores('base')).not.toEqual(beside);
    const { messages, result } = await translate('base', { weights: 'f16' });
    expect(messages.join('\n')).toMatch(/^weights as f16: [\d.]+ MiB, [\d.]+ MiB as f32$/m);
    expect(result).toHaveLength(texts.length);
    const int8 = (await evaluate({ weights: 'int8' })).result;
    expect(int8.loss).toBeCloseTo((await evaluate({})).result.loss, 1);
    expect(int8.loss).not.toBe((await evaluate({})).result.loss);
  });

  it('trains on an int8 base as on f32, and ends with the same weights if it is resumed', async () => {
    const f32 = await train({ ...fields, out: at('f32'), steps: 8 });
    const int8 = await train({ ...fields, weights: 'int8', out: at('int8'), steps: 8 });
    for (const [i, loss] of int8.result.losses.entries())
      expect(loss / f32.result.losses[i]! - 1).toBeCloseTo(0, 2);
    expect(int8.result.losses).not.toEqual(f32.result.losses);
    await train({ ...fields, weights: 'int8', out: at('int8-parts'), steps: 4 });
    await train({ out: at('int8-parts'), resume: true, steps: 8 });
    expectNear('int8-parts/adapter_model.safetensors', 'int8/adapter_model.safetensors');
    await expect(train({ init: at('base'), weights: 'int8', out: at('none') })).rejects.toThrow(
      errorAbout({ area: 'train', options: ['weights', 'lora.rank'], values: ['int8'] }),
    );
  });

  it('is rejected without its base model', async () => {
    await expect(
      run(jobs.translate, { folder: at('adapter'), texts: ['one'], options: { batchSize: 1 } }),
    ).rejects.toThrow(
      errorAbout({ area: expect.stringMatching(/\badapter$/), values: [expect.stringMatching(/\bbase$/)] }),
    );
    await expect(train({ lora, model: sizes })).rejects.toThrow(
      errorAbout({ area: 'train', options: ['lora', 'init'] }),
    );
  });
});
