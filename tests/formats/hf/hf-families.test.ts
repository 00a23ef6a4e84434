// Every family of Hugging Face's models in every command that takes a model, as folders with a SentencePiece
// model and random weights.

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { runJob } from '../../../src/commands/remote/run-job.ts';
import { random } from '../../../src/core/random.ts';
import { readSafetensors } from '../../../src/files/safetensors.ts';
import { hfFiles } from '../../../src/formats/hf/save-hf.ts';
import { loadModelFolder } from '../../../src/formats/model-folder.ts';
import type { HfType } from '../../../src/formats/shared/hf-types.ts';
import { nodeFiles } from '../../../src/host/node-files.ts';
import { loraTargets } from '../../../src/model/lora.ts';
import { errorAbout } from '../../support/expect-error.ts';
import { jobs } from '../../support/jobs.ts';
import { fairseqPieces, sentencePieceFile, t5Pieces } from '../../support/sentencepiece.ts';
import { fineTuning } from '../../support/training.ts';

const root = mkdtempSync(join(tmpdir(), 'heddle-families-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

interface Case {
  readonly type: HfType;
  readonly fields: Record<string, unknown>;
  readonly file?: 'spiece.model' | 'sentencepiece.bpe.model';
  readonly languages?: { sourceLang: string; targetLang: string };
  readonly lora: number;
}

const n = t5Pieces.length;
const t5 = {
  d_model: 6,
  d_kv: 5,
  d_ff: 9,
  num_layers: 2,
  num_decoder_layers: 1,
  num_heads: 2,
  vocab_size: n + 101,
};
const bart = {
  d_model: 6,
  encoder_layers: 1,
  decoder_layers: 2,
  encoder_ffn_dim: 7,
  decoder_ffn_dim: 9,
  encoder_attention_heads: 2,
  decoder_attention_heads: 3,
  max_position_embeddings: 24,
};
const buckets = { relative_attention_num_buckets: 8, relative_attention_max_distance: 12 };
const gated = { feed_forward_proj: 'gated-gelu', tie_word_embeddings: false };
/** `lora`: linear layers that `*.q` and `*.v` mean: two in an encoder layer, four in a decoder layer. */
const families: Record<string, Case> = {
  't5-v1.0': { type: 't5', fields: { ...t5, ...buckets }, file: 'spiece.model', lora: 8 },
  't5-v1.1': { type: 't5', fields: { ...t5, ...buckets, ...gated }, file: 'spiece.model', lora: 8 },
  mt5: { type: 'mt5', fields: t5, file: 'spiece.model', lora: 8 },
  pegasus: { type: 'pegasus', fields: { ...bart, vocab_size: n + 103 }, file: 'spiece.model', lora: 10 },
  nllb: {
    type: 'm2m_100',
    fields: { ...bart, vocab_size: n + 206 },
    file: 'sentencepiece.bpe.model',
    lora: 10,
    languages: { sourceLang: 'eng_Latn', targetLang: 'fra_Latn' },
  },
  mbart50: {
    type: 'mbart',
    fields: { ...bart, vocab_size: n + 54, decoder_start_token_id: 2 },
    lora: 10,
    file: 'sentencepiece.bpe.model',
    languages: { sourceLang: 'en_XX', targetLang: 'fr_XX' },
  },
  bart: { type: 'bart', fields: { ...bart, vocab_size: 21 }, lora: 10 },
};

/** Makes the folder of a family with weights that are neither flat nor sharp. */
async function makeFolder(name: string, { type, fields, file }: Case): Promise<string> {
  const folder = join(root, name);
  mkdirSync(folder);
  writeFileSync(join(folder, 'config.json'), JSON.stringify({ model_type: type, ...fields }));
  const pieces = file === 'spiece.model' ? t5Pieces : fairseqPieces;
  if (file) writeFileSync(join(folder, file), sentencePieceFile(pieces));
  const model = await loadModelFolder(nodeFiles(), folder);
  const r = random(5);
  const files = hfFiles({ ...model, weights: model.weights.map((x) => x + 0.3 * r.normal()) }, type);
  writeFileSync(join(folder, 'model.safetensors'), files['model.safetensors'] as Uint8Array);
  return folder;
}

describe.each(Object.entries(families))('%s', (name, family) => {
  const { type, languages, lora, file } = family;
  const host = { host: 'cpu' } as const;
  const texts = file ? ['the cat', 'a b c the'] : ['5 6 7', '8 9'];
  const pairs = join(root, `${name}.tsv`);
  writeFileSync(pairs, texts.map((text) => `${text}\t${text}\n`).join(''));
  let folder: string;

  it('translates in any format of weights', async () => {
    folder = await makeFolder(name, family);
    const args = { folder, texts, options: { batchSize: 2, maxNewTokens: 6 }, ...languages };
    const found = await runJob(jobs.translate, args, host);
    const model = await loadModelFolder(nodeFiles(), folder);
    if (languages) {
      const id = model.languages?.ids.get(languages.targetLang);
      for (const [best] of found) expect(best?.ids[0]).toBe(id);
    }
    for (const weights of ['f16', 'int8'] as const)
      expect(await runJob(jobs.translate, { ...args, weights }, host)).toHaveLength(2);
    expect(
      await runJob(jobs.translate, { ...args, options: { ...args.options, beams: 3 } }, host),
    ).toHaveLength(2);
  });

  it('gives the same with and without the cache', async () => {
    // Texts are ids here, so that a translation can be scored as it is.
    const { file: _, ...plain } = family;
    const bare = await makeFolder(`${name}-ids`, plain);
    const ids = ['5 6 7', '8', '9 10 11 12 4'];
    const args = { folder: bare, texts: ids, options: { batchSize: 3, maxNewTokens: 12, forceEos: false } };
    const rows = (await runJob(jobs.translate, args, host)).map(([best]) => best);
    const file = `${pairs}.again`;
    writeFileSync(file, rows.map((row, i) => `${ids[i]}\t${row?.ids.join(' ')}\n`).join(''));
    const scores = await runJob(jobs.score, { folder: bare, pairs: { files: [file] }, batchSize: 3 }, host);
    for (const [i, { tokens = [] }] of scores.entries()) {
      const counted = tokens.slice(0, rows[i]?.ended ? undefined : -1);
      expect(counted.length).toBeGreaterThan(0);
      expect(counted.reduce((sum, { logProb }) => sum + logProb, 0)).toBeCloseTo(rows[i]?.logProb ?? 0, 4);
    }
  });

  it('is evaluated and verified', async () => {
    const evaluation = await runJob(
      jobs.evaluate,
      { folder, pairs: { files: [pairs] }, options: { batchSize: 2 }, ...languages },
      host,
    );
    expect(evaluation.pairs).toBe(2);
    expect(Number.isFinite(evaluation.loss)).toBe(true);
    const [result] = await runJob(jobs.verify, { folders: [folder] }, host);
    expect(result?.compared.every(({ passed }) => passed)).toBe(true);
  });

  it('is trained, frozen in part, and converted there and back', async () => {
    const out = join(root, `${name}-trained`);
    const settings = {
      init: folder,
      out,
      steps: 2,
      freeze: ['encoder.*'],
      heldOut: 0,
      optimizer: 'adamw' as const,
    };
    const corpus = { kind: 'tsv', path: pairs } as const;
    const { losses } = await runJob(jobs.train, { ...fineTuning(settings), corpus, ...languages }, host);
    expect(losses.every(Number.isFinite)).toBe(true);
    for (const [from, to, format] of [
      [out, `${out}-hf`, type],
      [folder, `${out}-own`, 'heddle'],
      [`${out}-own`, `${out}-back`, type],
    ] as const)
      await runJob(jobs.convert, { folder: from, out: to, to: format }, host);
    const tensors = (at: string) =>
      readSafetensors(new Uint8Array(readFileSync(join(at, 'model.safetensors'))));
    const [before, after, back] = [folder, `${out}-hf`, `${out}-back`].map(tensors) as [
      ReturnType<typeof tensors>,
      ReturnType<typeof tensors>,
      ReturnType<typeof tensors>,
    ];
    expect(back).toEqual(before);
    expect(readFileSync(join(`${out}-back`, 'config.json'))).toEqual(
      readFileSync(join(folder, 'config.json')),
    );
    for (const [tensor, { data }] of Object.entries(after)) {
      const frozen = /(^|\.)encoder\./.test(tensor) && !/embed/.test(tensor);
      if (frozen) expect(data, tensor).toEqual(before[tensor]?.data);
    }
    expect(
      Object.keys(after).some(
        (tensor) => !after[tensor]?.data.every((x, i) => x === before[tensor]?.data[i]),
      ),
    ).toBe(true);
    if (!languages) return;
    // A trained model keeps its languages.
    const trained = await loadModelFolder(nodeFiles(), `${out}-hf`);
    expect([trained.languages?.source, trained.languages?.target]).toEqual(Object.values(languages));
  });

  it('has the layers that LoRA adapts by default', async () => {
    const { config } = await loadModelFolder(nodeFiles(), folder);
    expect(loraTargets(config, ['*.q', '*.v'])).toHaveLength(lora);
  });
});

it('names an unknown language, and a model without languages', async () => {
  const translate = (name: string, targetLang: string) =>
    runJob(
      jobs.translate,
      { folder: join(root, name), texts: ['a'], options: { batchSize: 1, maxNewTokens: 2 }, targetLang },
      { host: 'cpu' },
    );
  await expect(translate('nllb', 'fr')).rejects.toThrow(
    errorAbout({ options: ['targetLang'], values: ['fr'] }),
  );
  await expect(translate('mt5', 'fr')).rejects.toThrow(errorAbout({ options: ['targetLang'] }));
});
