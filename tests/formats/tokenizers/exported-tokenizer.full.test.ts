// Exported tokenizers of SentencePiece models with the rules of nfkc, nmt_nfkc_cf and others, which
// SentencePiece trains here: the ids of heddle for some thousand texts. Without python3-sentencepiece nothing
// of it is covered.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SentencePieceTokenizer } from '../../../src/text/sentencepiece/sentencepiece-tokenizer.ts';
import { hostileTexts } from '../../support/hostile-texts.ts';
import { compareTokenizers } from '../../support/onnx-tokenizers.ts';
import { withFlags } from '../../support/sentencepiece.ts';
import { phrases } from '../../support/text.ts';

const python = '/usr/bin/python3';
const hasReference = spawnSync(python, ['-c', 'import sentencepiece']).status === 0;

/** Trains a model with the rules that an argument names. */
const script = `
import sys, sentencepiece as spm
corpus, prefix, rules, kind = sys.argv[1:]
spm.SentencePieceTrainer.train(input=corpus, model_prefix=prefix, model_type=kind, normalization_rule_name=rules,
                               vocab_size=300, hard_vocab_limit=False, minloglevel=2, num_threads=1)
`;

describe.skipIf(!hasReference)(
  'SentencePiece models (needs python3-sentencepiece)',
  { timeout: 600_000 },
  () => {
    const folder = join(tmpdir(), `heddle-spm-${process.pid}`);
    afterAll(() => rmSync(folder, { recursive: true }));
    beforeAll(() => {
      mkdirSync(folder);
      writeFileSync(join(folder, 'corpus'), phrases.join('\n'));
    });

    it.each([
      ['nmt_nfkc', 'unigram'],
      ['nfkc', 'unigram'],
      ['nmt_nfkc_cf', 'unigram'],
      ['nfkc_cf', 'bpe'],
      ['identity', 'unigram'],
    ])('with the rules %s: %s', (rules, kind) => {
      const prefix = join(folder, `${rules}-${kind}`);
      const { status, stderr } = spawnSync(
        python,
        ['-c', script, join(folder, 'corpus'), prefix, rules, kind],
        {
          encoding: 'utf8',
        },
      );
      expect(status, stderr).toBe(0);
      for (const suffix of [false, true]) {
        const file = withFlags(new Uint8Array(readFileSync(`${prefix}.model`)), { suffix });
        const tokenizer = new SentencePieceTokenizer({ file, name: rules, special: { pad: 0, start: 0 } });
        const { start, end, pad } = tokenizer.special;
        const ids = { startId: start, endId: end, padId: pad };
        expect(
          compareTokenizers(tokenizer, tokenizer, ids, hostileTexts(3000, 3)),
          `suffix ${suffix}`,
        ).toEqual([]);
      }
    });
  },
);
