// BART and MarianMT folders through the float64 references: tokens and scores are those that an independent
// reading of the two architectures (tests/fixtures/hf/make.py) finds.

import { describe, expect, it } from 'vitest';
import { verify } from '../../../../src/commands/golden-kinds.ts';
import { cpuEngine } from '../../../../src/engine/cpu-engine.ts';
import { editJson, type HfFixture, hfFolder, hfNames } from '../../../support/hf.ts';
import { EngineSession } from '../../../support/session.ts';

// The references are slow on a busy machine.

const quantities = ['source tokens', 'tokens', 'texts', 'first logits'];

async function compared(name: HfFixture, change: Record<string, unknown> = {}) {
  const files = await hfFolder(name);
  await editJson(files, `${name}/config.json`, change);
  const [result] = await verify({ folders: [name] }, new EngineSession(files, async () => cpuEngine()));
  return result?.compared ?? [];
}

describe('a Hugging Face folder', () => {
  it.each(hfNames)('%s decodes as its reference', async (name) => {
    const found = await compared(name);
    expect(found.map((q) => q.quantity)).toEqual(quantities);
    // Logits of size 10 are written with 7 places, and table and weights are float32 on both sides.
    expect(found.filter((q) => !(q.error <= (q.quantity === 'first logits' ? 1e-6 : 0)))).toEqual([]);
  });

  it.each<[HfFixture, Record<string, unknown>, string[]]>([
    ['bart', { activation_function: 'relu' }, ['first logits']],
    ['bart', { scale_embedding: true }, ['first logits']],
    ['bart', { normalize_before: true }, ['first logits']],
    ['bart', { encoder_attention_heads: 3, decoder_attention_heads: 3 }, ['first logits']],
    ['bart', { decoder_start_token_id: 5 }, ['tokens', 'first logits']],
    ['bart', { forced_bos_token_id: null }, ['tokens', 'texts']],
    ['bart', { no_repeat_ngram_size: 0 }, ['tokens', 'texts']],
    ['bart', { forced_eos_token_id: null }, ['tokens']],
    ['bart-pre-norm', { extra_pos_embeddings: 2, max_position_embeddings: 15 }, ['first logits']],
    ['marian', { bad_words_ids: [[30], [22]] }, ['tokens', 'texts']],
    ['marian', { scale_embedding: false }, ['first logits']],
  ])('%s with %o fails its check', async (name, change, wanted) => {
    const failed = (await compared(name, change)).filter((q) => !q.passed).map((q) => q.quantity);
    expect(failed).toEqual(expect.arrayContaining(wanted));
  });
});
