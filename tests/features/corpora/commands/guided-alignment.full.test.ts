// Guided alignment by commands: align, train, then translations with the words that belong together, which are those of
// the alignments also where the usual attention is elsewhere.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { random } from '../../../../src/core/random.ts';
import { heddle, scratch } from '../../../support/cli.ts';
import { wordPairs } from '../../../support/word-pairs.ts';

/** Sentences of three words, whose translations have the words in reverse order. */
const pairs = Array.from({ length: 240 }, (_, i) => {
  const chosen = random(i)
    .shuffle([...wordPairs])
    .slice(0, 3);
  const reversed = chosen.toReversed();
  return `${chosen.map(([word]) => word).join(' ')}\t${reversed.map(([, word]) => word).join(' ')}`;
});

it('trains a head to align, by which translations and given pairs are aligned', async () => {
  const at = (name: string) => join(scratch(), `guided-${name}`);
  writeFileSync(at('pairs.tsv'), `${pairs.join('\n')}\n`);
  writeFileSync(at('gold'), `${pairs.map(() => '0-2 1-1 2-0').join('\n')}\n`);
  const run = async (...args: string[]) => {
    const { status, stdout, stderr } = await heddle(args);
    expect(status, stderr).toBe(0);
    return stdout;
  };
  const settings =
    '--set dModel=16 --set heads=2 --set encoderLayers=1 --set decoderLayers=1 --set feedForward=32 --set positions=learned';
  const length =
    '--steps 300 --batch-size 32 --learning-rate 0.01 --dropout 0 --eval-steps 0 --test-sentences 0';
  const errorOf = async (...guided: string[]) => {
    const out = at(`model${guided.length}`);
    const options = `${settings} ${length} --tokenizer word --buckets 1 --held-out 0`.split(' ');
    await run('train', at('pairs.tsv'), '--out', out, ...options, ...guided);
    const found = ['--out', at('found'), '--force', '--compare', at('gold'), '--json'];
    const { errorRate } = JSON.parse(await run('align', at('pairs.tsv'), '--model', out, ...found));
    return { out, errorRate };
  };
  const guided = await errorOf('--guided-alignment', at('gold'), '--guided-alignment-weight', '1');
  expect(guided.errorRate).toBeLessThan(0.05);
  expect(readFileSync(at('found'), 'utf8').split('\n')).toHaveLength(pairs.length + 1);
  expect(await run('translate', guided.out, '--alignments', 'hard', 'one two six')).toBe(
    'seis dos uno ||| 0-2 1-1 2-0\n',
  );
  expect(existsSync('hard')).toBe(false);
  expect((await errorOf()).errorRate).toBeGreaterThan(guided.errorRate);
});
