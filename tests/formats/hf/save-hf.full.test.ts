// Folders for transformers of models that heddle trained: `heddle train`, `heddle convert --to` a family, the ONNX
// files of that folder beside its own configuration and tokenizer, and transformers.js gives the texts and ids of
// `heddle translate` for 200 sentences, in float32 and in int8. With ONNXRUNTIME_NODE (the folder of that package)
// also in onnxruntime-node, the default of transformers.js in Node.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { here, installTransformers } from '../../../bench/decode/install-transformers.mjs';
import { intlCorpus } from '../../../src/text/intl/intl-corpus.ts';
import { heddleProcess } from '../../support/cli.ts';
import { ortNode } from '../../support/onnx.ts';

const scratch = mkdtempSync(join(tmpdir(), 'heddle-hf-'));
afterAll(() => rmSync(scratch, { recursive: true }));
const at = (name: string) => join(scratch, name);

const pairs = intlCorpus({ source: 'en', target: 'es', pairs: 3190, seed: 3 });
/**
 * Texts with characters and spaces that the training did not have. transformers reads the names of special tokens in a
 * text as these tokens, heddle as text, so they are left out.
 */
const strange = [
  'two  spaces   and more',
  ' before and after ',
  'WEDNESDAY IN MAY',
  'snow ☃ and 😀 and 日本',
  'don’t «do» that – no…',
  'ﬁve ① ﹪ Å',
  '-5 ° , 3.5 %',
  'x',
  'naïve café',
  'β-carotene: 50 µg',
];
const texts = [...pairs.slice(3000).map(({ source }) => source), ...strange];

/** Runs a command; its standard output. */
async function run(...args: string[]): Promise<string> {
  const { status, stdout, stderr } = await heddleProcess(args, { timeout: 500_000 });
  expect(status, stderr).toBe(0);
  return stdout;
}

interface Generated {
  readonly ids: readonly number[];
  readonly text: string;
}

/** What transformers.js generates for the texts in a runtime. */
function generated(folder: string, dtype: string, runtime: string): Generated[] {
  const { stdout, stderr, status } = spawnSync(process.execPath, [join(here, 'transformers-node.mjs')], {
    input: JSON.stringify([{ folder, texts, dtype, runtime }]),
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
  });
  expect(status, stderr).toBe(0);
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '')[0];
}

/** Texts and ids of the translations of `heddle translate`. */
async function translated(model: string, weights: string) {
  const [texts, ids] = await Promise.all(
    [[], ['--ids']].map((more) =>
      run('translate', model, '--input', at('texts.txt'), '--weights', weights, ...more),
    ),
  );
  const lines = (text = '') => text.replace(/\n$/, '').split('\n');
  return lines(texts).map((text, i) => ({ text, ids: lines(ids)[i] ?? '' }));
}

describe.runIf(installTransformers() === undefined)('in transformers.js (needs npm packages)', () => {
  it.each([
    ['bart', 'tiny', 'unigram'],
    ['bart', 'tiny', 'bpe'],
    ['t5', 't5-tiny', 'unigram'],
    ['marian', 'tiny', 'unigram'],
  ] as const)('%s of preset %s with a tokenizer of kind %s', async (type, preset, tokenizer) => {
    const name = [type, preset, tokenizer].join('-');
    const lines = pairs.slice(0, 3000).map(({ source, target }) => `${source}\t${target}\n`);
    writeFileSync(at('pairs.tsv'), lines.join(''));
    writeFileSync(at('texts.txt'), texts.map((text) => `${text}\n`).join(''));
    const training = [
      '--steps',
      '300',
      '--learning-rate',
      '5e-3',
      '--warmup-steps',
      '50',
      '--eval-steps',
      '0',
    ];
    const sizes = [
      'dModel=48',
      'heads=4',
      'feedForward=96',
      'encoderLayers=1',
      'decoderLayers=1',
      'maxLength=64',
    ];
    const data = ['--tokenizer', tokenizer, '--vocab-size', '900', '--batch-size', '16', '--buckets', '1'];
    const settings = ['--no-tune', '--dropout', '0', ...sizes.flatMap((size) => ['--set', size])];
    const to = ['--preset', preset, '--export-to', type, ...data, ...training, ...settings];
    await run('train', at('pairs.tsv'), ...to, '--out', at(name));
    await run('convert', at(name), at(`${name}-hf`), '--to', type);
    for (const [dtype, weights] of [
      ['fp32', 'f32'],
      ['q8', 'int8'],
    ] as const) {
      await run('convert', at(`${name}-hf`), at(`${name}-${dtype}`), '--to', 'onnx', '--dtype', dtype);
      cpSync(at(`${name}-${dtype}/onnx`), at(`${name}-hf/onnx`), { recursive: true });
      const expected = await translated(at(name), weights);
      expect(new Set(expected.map(({ text }) => text)).size).toBeGreaterThan(50);
      for (const runtime of ['wasm', ...(ortNode ? ['node'] : [])])
        for (const folder of [`${name}-hf`, `${name}-${dtype}`]) {
          const found = generated(at(folder), dtype, runtime);
          expect(found.length).toBe(texts.length);
          const differ = expected.flatMap(({ text }, i) =>
            found[i]?.text.trim() === text.trim()
              ? []
              : [{ source: texts[i], heddle: text, found: found[i] }],
          );
          console.log(
            `| ${name} | ${folder} | ${runtime} ${dtype} | ${texts.length - differ.length} of ${texts.length} |`,
          );
          expect(differ, `${folder}, ${runtime}, ${dtype}`).toEqual([]);
        }
    }
  });
});
