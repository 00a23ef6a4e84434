// Word alignments of a corpus: they are found by the texts of pairs, spread to tokens, and refused with the line.
import { describe, expect, it } from 'vitest';
import { cpuEngine } from '../../../../src/engine/cpu-engine.ts';
import { readAlignments } from '../../../../src/features/corpora/train/guided-corpus.ts';
import { writeText } from '../../../../src/files/files.ts';
import { memoryFiles } from '../../../../src/files/memory-files.ts';
import { encodePairs } from '../../../../src/text/batches/encoded-corpus.ts';
import { parseLog } from '../../../../src/train/report/training-log.ts';
import { runTraining } from '../../../../src/train/run/recovery.ts';
import { errorAbout } from '../../../support/expect-error.ts';
import { EngineSession } from '../../../support/session.ts';
import { trainBpe } from '../../../support/tokenizers.ts';
import { tinyCorpus, tinyTraining } from '../../../support/training.ts';

const pairs = [
  { source: 'the cat sat', target: 'el gato se sentó' },
  { source: 'down', target: 'abajo' },
  { source: 'the cat', target: 'el gato' },
  { source: 'down', target: 'abajo' },
];
const tokenizer = trainBpe(
  pairs.flatMap(({ source, target }) => [source, target]),
  { size: 30 },
);

/** The links of the rows of `pairs`, for a file of lines with these alignments. */
async function rowsOf(lines: readonly string[], alignments: string) {
  const files = memoryFiles();
  await writeText(files, 'pairs.tsv', `${lines.join('\n')}\n`);
  await writeText(files, 'align', alignments);
  const corpus = encodePairs(pairs, tokenizer, tokenizer, { maxSource: 20, maxTarget: 20 });
  const tokenizers = { source: tokenizer, target: tokenizer };
  const reading = { files, readers: [], message: () => undefined };
  const given = { corpus, pairs, tokenizers };
  const rows = await readAlignments('align', { files: ['pairs.tsv'] }, reading, given);
  const shape = { batch: 1, source: 20, target: 20 };
  return (row: number) => {
    const bits = new Uint32Array(20);
    rows.fill(bits, shape, Uint32Array.of(row));
    return [...bits];
  };
}

/** The bits of the tokens from `first` to before `end`. */
const range = (first: number, end: number) => 2 ** end - 2 ** first;
const lengths = (text: string) =>
  text.split(' ').map((_, i, words) => tokenizer.encode(words.slice(0, i + 1).join(' ')).length);

describe('word alignments', () => {
  // The lines have other pairs between, which are held out or bad, and other spaces.
  const lines = [
    'x\ty',
    'the  cat sat\tel gato se sentó ',
    'no tab',
    'the cat\tel gato',
    'down\tabajo',
    'down\tabajo',
  ];

  it('link the tokens of words that are linked, in all rows of a pair', async () => {
    const bitsOf = await rowsOf(lines, '0-0\n0-0 1-1 2-2 2-3\n\n1-0 0-1\n0-0\n0-0\n');
    const [the = 0, cat = 0, sat = 0] = lengths('the cat sat');
    const [el = 0, gato = 0, , all = 0] = lengths('el gato se sentó');
    const wanted = Array.from({ length: 20 }, (_, t) => {
      if (t >= all) return 0;
      return t < el ? range(0, the) : t < gato ? range(the, cat) : range(cat, sat);
    });
    expect(bitsOf(0)).toEqual(wanted);
    const crossed = bitsOf(2);
    expect(crossed[0]).toBe(range(the, cat));
    expect(crossed[el]).toBe(range(0, the));
    const [down = 0, abajo = 0] = [tokenizer.encode('down').length, tokenizer.encode('abajo').length];
    for (const row of [1, 3])
      expect(bitsOf(row)).toEqual(Array.from({ length: 20 }, (_, t) => (t < abajo ? range(0, down) : 0)));
  });

  it.each([
    ['0-0\n0-0\n\n0-0\n0-0\n', { area: 'align', values: [5, 'pairs.tsv'] }],
    ['0-0\n0-0\n\n0-0\n0-0\n0-0\n0-0\n', { area: 'align', values: ['pairs.tsv', 6] }],
    ['0-0\n0-0 3-0\n\n\n\n\n', { area: 'align', values: [2, '3-0', 3, 4] }],
    ['0-0\n0:0\n\n\n\n\n', { area: 'align: line 2', values: ['0:0'] }],
  ])('are refused if they do not fit the lines: %j', async (alignments, expected) => {
    await expect(rowsOf(lines, alignments)).rejects.toThrow(errorAbout(expected));
  });
});

describe('a run', () => {
  const run = async (
    fields: object,
    alignments = `${tinyCorpus
      .split('\n')
      .map(() => '0-0')
      .join('\n')}\n`,
    resumedTo = 0,
  ) => {
    const files = memoryFiles();
    await writeText(files, 'pairs.tsv', tinyCorpus);
    await writeText(files, 'align', alignments);
    const session = new EngineSession(files, async () => cpuEngine());
    const args = { guidedAlignment: 'align', out: 'm', steps: 2, ...fields };
    await runTraining(tinyTraining(args), session);
    if (resumedTo > 0) await runTraining(tinyTraining({ ...args, steps: resumedTo, resume: true }), session);
    const config = JSON.parse(new TextDecoder().decode(await files.read('m/config.json')));
    const log = parseLog(new TextDecoder().decode(await files.read('m/log.jsonl')));
    return { config, log, weights: await files.read('m/model.safetensors') };
  };

  it('resumes with the bits of an uninterrupted one', async () => {
    const [whole, parts] = [await run({ steps: 5 }), await run({}, undefined, 5)];
    const losses = ({ log }: typeof whole) =>
      log.flatMap((record) =>
        record.type === 'step' ? [[record.loss, record.lossParts?.alignmentLoss]] : [],
      );
    expect(losses(parts)).toEqual(losses(whole));
    expect(parts.weights).toEqual(whole.weights);
  });

  it('logs the loss of the alignments, which is proportional to its weight, and stores the head', async () => {
    const [usual, heavy] = [await run({}), await run({ guidedAlignmentWeight: 1 })];
    expect(usual.config.model.alignmentHead).toBe(0);
    const first = ({ log }: typeof usual) => log.find((record) => record.type === 'step');
    expect(first(usual)?.lossParts?.alignmentLoss).toBeGreaterThan(0.01);
    expect(first(heavy)?.lossParts?.alignmentLoss).toBeCloseTo(
      10 * (first(usual)?.lossParts?.alignmentLoss ?? 0),
      2,
    );
    expect(first(heavy)?.loss).toBe(first(usual)?.loss);
    expect(first(heavy)?.gradientNorm).not.toBe(first(usual)?.gradientNorm);
  });

  it.each([
    [
      { guidedAlignment: undefined, guidedAlignmentWeight: 1 },
      { area: 'train', options: ['guidedAlignmentWeight', 'guidedAlignment'], values: [1] },
    ],
    [
      { bpeDropout: 0.1, tokenizer: 'bpe' },
      { area: 'train', options: ['guidedAlignment', 'bpeDropout'], values: ['0.1'] },
    ],
    [
      { samplingAlpha: 0.2, tokenizer: 'unigram' },
      { area: 'train', options: ['guidedAlignment', 'samplingAlpha'], values: ['0.2'] },
    ],
    [{ augment: ['web'] }, { area: 'train', options: ['guidedAlignment', 'augment'], values: ['web'] }],
    [
      { lora: { rank: 2 }, init: 'm' },
      { area: 'train', options: ['guidedAlignment', 'lora'] },
    ],
    [
      { corpus: { kind: 'intl', source: 'en', target: 'es', pairs: 50, seed: 1 } },
      { area: 'train', options: ['guidedAlignment'] },
    ],
    [{ corpus: { kind: 'tsv', path: '-' } }, { area: 'train', options: ['guidedAlignment'] }],
  ])('refuses %j', async (fields, expected) => {
    await expect(run(fields)).rejects.toThrow(errorAbout(expected));
  });
});
