// Translating and evaluating with a model folder: the order of lines, and errors for broken folders.
import type { ChildProcess } from 'node:child_process';
import { cpSync, existsSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { readSafetensors } from '../../src/files/safetensors.ts';
import { writeSafetensors } from '../../src/files/write-safetensors.ts';
import { heddle, heddleProcess, isOneLine, scratch, smallTraining } from '../support/cli.ts';
import { itInFull } from '../support/in-full.ts';

const model = () => join(scratch(), 'model');
const short = ['--no-tune', '--max-new-tokens', '8'];
/**
 * The float64 references, which need no kernels to be compiled: for tests of files, pipes, signals and
 * messages.
 */
const onCpu = ['--host', 'cpu', '--max-new-tokens', '8'];
const read = (path: string) => JSON.parse(readFileSync(path, 'utf8'));

/** A copy of the model with a fault. */
function copy(name: string, damage: (folder: string) => void): string {
  const folder = join(scratch(), name);
  cpSync(model(), folder, { recursive: true });
  rmSync(join(folder, 'heddle-manifest.json')); // which would only say that the file changed
  damage(folder);
  return folder;
}

const edit = (folder: string, name: string, change: (json: { version: number; model: object }) => void) => {
  const json = read(join(folder, name));
  change(json);
  writeFileSync(join(folder, name), JSON.stringify(json));
};

beforeAll(async () => {
  const ended = await heddle([
    'train',
    ...smallTraining,
    '--vocab-size',
    '2000',
    '--lr',
    '0.01',
    '--steps',
    '60',
    '--out',
    model(),
  ]);
  expect(ended.status, ended.stderr).toBe(0);
});

describe('translate', () => {
  it('says that translations ended before they had all phrases', async () => {
    const args = ['translate', model(), '--host', 'cpu', 'Tuesday', '5 hours', '--phrases', 'en 3 semanas'];
    const cut = await heddle([...args, '--max-new-tokens', '2']);
    expect([cut.status, cut.stderr]).toEqual([
      0,
      expect.stringContaining('2 translations lack a phrase of --phrases; raise --max-new-tokens'),
    ]);
    const whole = await heddle([...args, '--max-new-tokens', '30']);
    for (const line of whole.stdout.trim().split('\n')) expect(line).toContain('en 3 semanas');
    expect(whole.stderr).not.toContain('a phrase of --phrases');
  });

  it('says that the model has fewer positions than --max-new-tokens', async () => {
    const args = ['translate', model(), '--host', 'cpu', 'Tuesday', '--max-new-tokens', '1000'];
    const { status, stderr } = await heddle(args);
    expect([status, stderr]).toEqual([
      0,
      expect.stringContaining(
        '--max-new-tokens is 1000, but the model has 40 positions: a translation ends there',
      ),
    ]);
  });

  itInFull('has the same beams and scores without a GPU (--device wasm)', async () => {
    const args = ['translate', model(), ...short, '--beams', '3', '--num-return', '2'];
    const [wasm, gpu] = [
      await heddle([...args, '--device', 'wasm', 'vier']),
      await heddle([...args, 'vier']),
    ];
    const parts = (text: string) =>
      text
        .trim()
        .split('\n')
        .map((line) => line.split('\t'));
    expect(parts(wasm.stdout).map(([, , text]) => text)).toEqual(parts(gpu.stdout).map(([, , text]) => text));
    for (const [i, [, score]] of parts(wasm.stdout).entries())
      expect(Number(score)).toBeCloseTo(Number(parts(gpu.stdout)[i]?.[1]), 3);
  });

  it('keeps the order of lines of any length, empty ones included', async () => {
    const texts = ['Tuesday', 'We will travel to Peru in 3 weeks.', '', '5 hours', 'Peru and Chile'];
    const { stdout: together } = await heddle(['translate', model(), ...short, ...texts]);
    expect(together.split('\n')).toHaveLength(texts.length + 1);
    expect(together.split('\n')[2]).toBe('');
    const piped = (input: string, ...args: string[]) =>
      heddleProcess(['translate', model(), ...onCpu, ...args], { input }).then(({ stdout }) => stdout);
    expect(await piped(`${texts.join('\n')}\n`, '--batch-size', '1')).toBe(together);
    expect(await piped(texts.join('\r\n'), '--out', '-')).toBe(together);
    const single = await heddle(['translate', model(), ...short, '--batch-size', '1', ...texts]);
    expect(single.stdout).toBe(together);
  });

  it('counts the texts that have a NUL byte', async () => {
    const file = join(scratch(), 'nul.txt');
    writeFileSync(file, 'Peru\nTues\0day\n5\0 hours\n');
    const { status, stdout, stderr } = await heddle(['translate', model(), ...onCpu, '--input', file]);
    expect([status, stdout.split('\n').length]).toEqual([0, 4]);
    expect(stderr).toContain('NUL bytes in 2 of 3 texts, the first is text 2');
  });

  it('reads files, several of them and stdin among them', async () => {
    const [one, two] = [join(scratch(), 'one.txt'), join(scratch(), 'two.txt')];
    writeFileSync(one, 'Tuesday\n\n5 hours');
    writeFileSync(two, 'Peru\n');
    const fixed = ['translate', model(), ...onCpu];
    const texts = ['Tuesday', '', '5 hours', 'Chile', 'Peru'];
    const want = await heddle([...fixed, ...texts]);
    expect(await heddleProcess([...fixed, '--input', one, '-', two], { input: 'Chile' })).toEqual(want);
  });

  it('searches beams and draws samples, and lists them', async () => {
    const texts = ['Tuesday', '', 'Peru and Chile'];
    const list = async (...args: string[]) => {
      const run = await heddle(['translate', model(), ...onCpu, ...args, '--', ...texts]);
      expect(run.status, run.stderr).toBe(0);
      return run.stdout
        .slice(0, -1)
        .split('\n')
        .map((line) => line.split('\t'));
    };
    const greedy = (await list()).map(([text]) => text);
    expect((await list('--beams', '1', '--num-return', '1')).map(([, , text]) => text)).toEqual([
      greedy[0],
      greedy[2],
    ]); // none of the empty text
    const beams = await list('--beams', '3', '--num-return', '3', '--length-penalty', '0.6');
    expect(beams.map(([line]) => line)).toEqual(['1', '1', '1', '3', '3', '3']); // none of the empty text
    expect(Number(beams[0]![1])).toBeGreaterThanOrEqual(Number(beams[1]![1]));
    expect((await list('--beams', '3', '--length-penalty', '0.6')).map(([text]) => text)).toEqual([
      beams[0]![2],
      '',
      beams[3]![2],
    ]);
    const drawn = [
      '--method',
      'sample',
      '--num-return',
      '2',
      '--temperature',
      '0.9',
      '--top-k',
      '9',
      '--top-p',
      '0.95',
    ];
    const samples = await list(...drawn, '--seed', '3');
    expect(samples.length).toBe(4);
    expect(await list(...drawn, '--seed', '3', '--batch-size', '1')).toEqual(samples);
    expect(await list(...drawn, '--seed', '4')).not.toEqual(samples);
  });

  it('prints JSON for each text when it is translated, or writes it to a file', async () => {
    const texts = ['Tuesday', '', 'Peru and Chile'];
    const file = join(scratch(), 'translations.json');
    const run = (...args: string[]) =>
      heddle(['translate', model(), ...texts, ...short, '--batch-size', '1', ...args]);
    const [json, both] = [
      await run('--json'),
      await run('--json', file, '--beams', '2', '--num-return', '2'),
    ];
    expect([json.status, both.status], json.stderr + both.stderr).toEqual([0, 0]);
    const found = JSON.parse(json.stdout);
    expect(found.map(({ source }: { source: string }) => source)).toEqual(texts);
    expect(found[1].translations).toEqual([]);
    const plain = (await run()).stdout.split('\n');
    expect(found[2].translations).toEqual([
      {
        text: plain[2],
        ids: expect.any(Array),
        score: expect.any(Number),
        logProb: expect.any(Number),
        logProbs: expect.any(Array),
        ended: expect.any(Boolean),
      },
    ]);
    const scored = read(file).flatMap((one: { translations: { score: number; text: string }[] }) =>
      one.translations.map(({ score, text }) => `${score.toFixed(4)}\t${text}`),
    );
    const lines = both.stdout
      .slice(0, -1)
      .split('\n')
      .filter((line) => !line.startsWith('2\t'));
    expect(lines.map((line) => line.slice(2))).toEqual(scored);
    expect((await heddleProcess(['translate', model(), '--json'], { input: '' })).stdout).toBe('[]\n');
    expect((await heddle(['translate', join(scratch(), 'none'), 'x', '--json'])).stdout).toBe('');
  });

  it('streams tokens, with the same result and their attention', async () => {
    const texts = ['Tuesday', '', 'Peru and Chile'];
    const printed = async (...args: string[]) => {
      const run = await heddle(['translate', model(), ...short, ...args, '--', ...texts]);
      expect(run.status, run.stderr).toBe(0);
      return run.stdout;
    };
    const file = join(scratch(), 'attention.jsonl');
    const whole = await printed('--alignments', file);
    expect(await printed('--stream')).toBe(whole);
    const sampled = ['--method', 'sample', '--seed', '5'];
    expect(await printed('--stream', ...sampled)).toBe(await printed(...sampled));

    const lines = readFileSync(file, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines.map((l) => [l.text, l.translation])).toEqual(
      whole
        .split('\n')
        .slice(0, 3)
        .map((t, i) => [i + 1, t]),
    );
    expect(lines[1]).toEqual({ text: 2, translation: '' });
    const { source, target, weights } = lines[2] as {
      source: string[];
      target: string[];
      weights: number[][][][];
    };
    expect(source).toEqual([expect.any(String), 'and', expect.any(String), '[end]']);
    expect([weights.length, weights[0]?.length, weights[0]?.[0]?.length]).toEqual([1, 2, target.length]);
    for (const row of weights.flat(2)) expect(row.reduce((a, b) => a + b)).toBeCloseTo(1, 4);
    const pairs = join(scratch(), 'alignments.pharaoh');
    const words = (await printed('--alignments', pairs, '--alignment-format', 'pharaoh')).split('\n');
    for (const [i, line] of readFileSync(pairs, 'utf8').trimEnd().split('\n').entries()) {
      const numbers = line === '' ? [] : line.split(' ').map((pair) => pair.split('-').map(Number));
      const count = words[i]?.split(' ').filter((word) => word !== '').length;
      expect(numbers.map(([, target]) => target).sort()).toEqual(
        Array.from({ length: count ?? 0 }, (_, t) => t),
      );
    }
    // Marian's form: behind each translation.
    const firstLines = (text: string) => text.split('\n').slice(0, texts.length);
    const links = firstLines(readFileSync(pairs, 'utf8'));
    expect(firstLines(await printed('--alignments', 'hard'))).toEqual(
      links.map((line, i) => `${words[i]} ||| ${line}`),
    );
  });

  it.each([
    [['--stream', '--beams', '2'], '--stream and --beams exclude each other'],
    [['--phrases', 'a', '--method', 'sample'], '--phrases and --method sample exclude each other'],
    [['--phrases', 'a', '--stream'], '--stream and --phrases exclude each other'],
    [['--prefix', 'a', '--split-sentences'], '--split-sentences and --prefix exclude each other'],
    [['--alignment-format', 'pharaoh'], '--alignment-format needs --alignments FILE'],
    [['--alignments', 'hard', '--alignment-format', 'pharaoh'], '--alignment-format'],
    [
      ['--alignments', 'hard', '--num-return', '2', '--beams', '2'],
      '--alignments hard and --num-return exclude each other',
    ],
    [['--stream', '--ids'], '--stream and --ids exclude each other'],
    [['--method', 'sample', '--beams', '2'], '--method sample and --beams 2 exclude each other'],
    [['--top-k', '3'], '--top-k needs --method sample'],
    [['--num-return', '3', '--beams', '2'], '--num-return 3 needs --beams 3 or more'],
    [['--stream', '--json'], '--stream and --json exclude each other'],
    [['--max-length', '41'], '--max-length (41) is above the 40 positions of the model; lower it'],
    [['--beams', '99'], "argument '99' is invalid. It must be a whole number from 1 to 64"],
    [['--length-penalty', 'google'], "'--length-penalty <penalty>' argument 'google' is invalid"],
    [['--suppress-tokens', '5,x'], "'--suppress-tokens <ids>' argument '5,x' is invalid"],
    [['--input', 'x.txt'], 'exclude each other; use one of them'],
  ])('rejects %s', async (args, message) => {
    const { status, stdout, stderr } = await heddle(['translate', model(), 'text', ...args]);
    expect(stderr).toContain(message);
    expect([status, stdout]).toEqual([1, '']);
  });

  it('translates the other lines if one is too long: an error for each, skipped, or cut', async () => {
    const long = 'very long '.repeat(40);
    const run = (...args: string[]) => heddle(['translate', model(), ...onCpu, ...args]);
    const [one, two] = (await run('Tuesday', 'Peru')).stdout.split('\n');
    const failed = await run('Tuesday', long, 'Peru');
    expect([failed.status, failed.stdout]).toEqual([1, `${one}\n\n${two}\n`]);
    expect(failed.stderr).toMatch(
      /text 2 has \d+ tokens, its end included; the maximum length is 40; split it, or use --long-texts crop or skip; it is not translated\n/,
    );
    const skipped = await run('--long-texts', 'skip', 'Tuesday', long, 'Peru');
    expect([skipped.status, skipped.stdout]).toEqual([0, failed.stdout]);
    expect(skipped.stderr).toContain('text 2 has');
    const cropped = await run(
      '--long-texts',
      'crop',
      '--max-length',
      '3',
      'Tuesday',
      'Peru and Chile',
      'Peru',
    );
    expect([cropped.status, cropped.stderr]).toEqual([0, '']);
    expect(cropped.stdout.split('\n')[1]).toBe((await run('Peru and')).stdout.trimEnd());
  });

  it('translates a long line sentence by sentence', async () => {
    const run = (...args: string[]) =>
      heddle(['translate', model(), '--host', 'cpu', '--min-new-tokens', '2', ...args]);
    const [one, two] = (await run('Tuesday', 'Peru')).stdout.split('\n') as [string, string];
    expect(one.length * two.length).toBeGreaterThan(0);
    const document = await run('--split-sentences', 'Tuesday\nPeru\n'.repeat(20));
    expect([document.status, document.stderr]).toEqual([0, '']);
    expect(document.stdout).toBe(`${`${one} ${two} `.repeat(20).trimEnd()}\n`);
    const long = await run('--split-sentences', `Peru\n${'very long '.repeat(40)}`, 'Peru');
    expect([long.status, long.stdout]).toEqual([1, `${two} \n${two}\n`]);
    expect(long.stderr).toMatch(/text 1 has \d+ tokens/);
    const stream = await run('--split-sentences', '--stream', 'Peru.');
    expect(stream.stderr).toContain('--split-sentences and --stream exclude each other');
  });

  it('writes each translation as soon as its line arrives on an open pipe, and ends with the pipe', async () => {
    const lines: string[] = [];
    let child: ChildProcess | undefined;
    const ended = heddleProcess(['translate', model(), ...onCpu], {
      keepOpen: true,
      onStart(started) {
        child = started;
        const say = ['Tuesday', 'Peru', ''];
        started.stdin?.write(`${say.shift()}\n`);
        started.stdout?.on('data', (text: Buffer) => {
          lines.push(String(text));
          const next = say.shift();
          if (next === undefined) started.stdin?.end();
          else started.stdin?.write(`${next}\n`);
        });
      },
    });
    const { status, stderr } = await ended;
    expect([status, child?.signalCode], stderr).toEqual([0, null]);
    const together = await heddle(['translate', model(), ...onCpu, 'Tuesday', 'Peru', '']);
    expect(lines).toEqual(together.stdout.split(/(?<=\n)/));
  });

  it.each([
    ['SIGINT', 130, short],
    ['SIGTERM', 143, onCpu],
    ['SIGHUP', 129, onCpu],
  ] as const)('keeps finished translations at %s, and exits with %i', async (signal, status, flags) => {
    const file = join(scratch(), `${signal}.txt`);
    const ended = await heddleProcess(['translate', model(), ...flags, '--out', file], {
      keepOpen: true,
      onStart(child) {
        child.stdin?.write('Tuesday\nPeru\n');
        const watch = setInterval(() => {
          if (!existsSync(file) || readFileSync(file, 'utf8').split('\n').length < 3) return;
          clearInterval(watch);
          child.kill(signal);
        }, 50);
      },
    });
    expect(ended.status, ended.stderr).toBe(status);
    expect(readFileSync(file, 'utf8').split('\n')).toHaveLength(3);
  });

  it('keeps the old file of --out --force if no translation is done', async () => {
    const file = join(scratch(), 'old.txt');
    writeFileSync(file, 'old');
    const broken = join(scratch(), 'broken');
    cpSync(model(), broken, { recursive: true });
    writeFileSync(join(broken, 'config.json'), '{');
    const run = (from: string) => heddle(['translate', from, 'Tuesday', ...short, '--out', file, '--force']);
    expect([(await run(broken)).status, readFileSync(file, 'utf8')]).toEqual([1, 'old']);
    expect([(await run(model())).status, readFileSync(file, 'utf8')]).toEqual([
      0,
      expect.stringMatching(/^(?!old).*\n$/),
    ]);
  });

  it('times kernels once and stores the fastest', async () => {
    const env = { HEDDLE_CACHE: join(scratch(), 'kernels') };
    const args = ['translate', model(), 'Tuesday', '--max-new-tokens', '4'];
    const first = await heddle(args, { env });
    expect(first.stderr).toMatch(/^tune \d+\/\d+ /m);
    const second = await heddle(args, { env });
    expect(second.stderr).not.toContain('tune');
    expect(second.stdout).toBe(first.stdout);
  });

  it.runIf(process.env.HEDDLE_FULL && existsSync('/proc/self'))(
    'does not hang if the cache folder cannot be created (needs /proc)',
    async () => {
      const env = { HEDDLE_CACHE: '', XDG_CACHE_HOME: '/proc/nope' };
      const { status, stderr } = await heddleProcess(
        ['translate', model(), 'Tuesday', '--max-new-tokens', '4'],
        {
          env,
        },
      );
      expect(status, stderr).toBe(0);
      expect(stderr).toContain('so only this run uses them: /proc/nope/heddle/kernels.json: cannot write: ');
    },
  );

  it('prints no lines for empty input', async () => {
    expect(await heddleProcess(['translate', model()], { input: '' })).toEqual({
      status: 0,
      stdout: '',
      stderr: '',
    });
  });

  it('writes empty files for empty input', async () => {
    const [out, links] = [join(scratch(), 'none.txt'), join(scratch(), 'none.links')];
    writeFileSync(out, 'an older run\n');
    const args = ['translate', model(), '--out', out, '--alignments', links, '--force', '--host', 'cpu'];
    expect((await heddleProcess(args, { input: '' })).status).toBe(0);
    expect([readFileSync(out, 'utf8'), readFileSync(links, 'utf8')]).toEqual(['', '']);
  });

  it('does not translate the name of a document that is not there', async () => {
    const { status, stdout, stderr } = await heddle(['translate', model(), 'nope.po']);
    expect([status, stdout, stderr]).toEqual([1, '', 'heddle: nope.po: there is no such file\n']);
  });

  it.each([
    ['a folder that is not there', () => [join(scratch(), 'none')], /none: /],
    [
      'a folder that is no model',
      () => [scratch()],
      /config\.json is missing; a model folder has config\.json/,
    ],
    [
      'weights that are missing',
      () => [copy('bare', (f) => rmSync(join(f, 'model.safetensors')))],
      /bare: model\.safetensors is missing/,
    ],
    [
      'weights that are cut off',
      () => [copy('cut', (f) => truncateSync(join(f, 'model.safetensors'), 2000))],
      /cut\/model\.safetensors: /,
    ],
    [
      'a header with a wrong length',
      () => [
        copy('lying', (f) => {
          const path = join(f, 'model.safetensors');
          const bytes = readFileSync(path);
          bytes.writeBigUInt64LE(2n ** 60n);
          writeFileSync(path, bytes);
        }),
      ],
      /lying\/model\.safetensors: /,
    ],
    [
      'weights of another model',
      () => [
        copy('other', (f) =>
          edit(f, 'config.json', (c) => Object.assign(c.model, { dModel: 24, headWidth: 12 })),
        ),
      ],
      /other\/model\.safetensors: .*config\.json.* \[\d+,16\], .* \[\d+,24\]/,
    ],
    [
      'weights that are not numbers',
      () => [
        copy('nan', (f) => {
          const path = join(f, 'model.safetensors');
          const tensors = readSafetensors(readFileSync(path));
          (tensors['generator.weight']?.data as Float32Array)[3] = Number.NaN;
          writeFileSync(path, writeSafetensors(tensors));
        }),
      ],
      /nan\/model\.safetensors: generator\.weight has NaN at element 3/,
    ],
    [
      'a configuration that is cut off',
      () => [copy('half', (f) => truncateSync(join(f, 'config.json'), 40))],
      /half\/config\.json: not JSON/,
    ],
    [
      'a configuration of an unsupported model type',
      () => [copy('else', (f) => writeFileSync(join(f, 'config.json'), '{"model_type":"vit"}'))],
      /else\/config\.json: model_type is "vit", heddle reads bart, marian, mbart/,
    ],
    [
      'a configuration of a newer version',
      () => [copy('future', (f) => edit(f, 'config.json', (c) => Object.assign(c, { version: 9 })))],
      /future\/config\.json: version is 9, this version of heddle reads 1/,
    ],
    [
      'a field out of range',
      () => [copy('field', (f) => edit(f, 'config.json', (c) => Object.assign(c.model, { norm: 'mid' })))],
      /field\/config\.json: norm is "mid"/,
    ],
    [
      'a tokenizer that is missing',
      () => [copy('mute', (f) => rmSync(join(f, 'target-tokenizer.json')))],
      /mute: target-tokenizer\.json is missing/,
    ],
    [
      'a tokenizer of another size',
      () => [
        copy('sizes', (f) => cpSync(join(f, 'target-tokenizer.json'), join(f, 'source-tokenizer.json'))),
      ],
      /sizes\/source-tokenizer\.json does not match config\.json: tokens: \d+, srcVocab: \d+/,
    ],
    [
      'a tokenizer file without a tokenizer',
      () => [copy('odd', (f) => writeFileSync(join(f, 'source-tokenizer.json'), '{}'))],
      /odd\/source-tokenizer\.json: the field model is missing/,
    ],
  ])('names %s', async (_, args, message) => {
    const { status, stdout, stderr } = await heddle(['translate', ...args(), 'text']);
    expect(stderr).toMatch(message);
    expect([status, stdout, isOneLine(stderr)]).toEqual([1, '', true]);
  });

  it('names bytes on stdin that are not UTF-8', async () => {
    const { status, stderr } = await heddleProcess(['translate', model()], {
      input: Uint8Array.from([0x61, 0xff, 0x0a]),
    });
    expect(stderr).toMatch(/stdin: line 1 is not UTF-8/);
    expect([status, isOneLine(stderr)]).toEqual([1, true]);
  });
});

describe('eval', () => {
  const pairs = () => {
    const path = join(scratch(), 'pairs.tsv');
    writeFileSync(path, `Tuesday\tmartes\n5 hours\t5 horas\n${'long '.repeat(60)}\tlargo\n`);
    return path;
  };

  it('gives loss, token accuracy and exact match, the same on the GPU as on the CPU', async () => {
    const figures = async (host: string) => {
      const json = join(scratch(), `eval-${host}.json`);
      const ended = await heddle(['eval', model(), pairs(), '--no-tune', '--host', host, '--json', json]);
      expect(ended.status, ended.stderr).toBe(0);
      return { ...ended, figures: read(json) };
    };
    const { stdout, stderr, figures: gpu } = await figures('dawn');
    expect(stderr).toMatch(/pairs\.tsv: 1 of 3 pairs skipped: 1 longer than 40/);
    for (const line of ['loss', 'token accuracy', 'exact match'])
      expect(stdout).toMatch(new RegExp(`^${line} `, 'm'));
    const { figures: cpu } = await figures('cpu');
    expect(gpu.pairs).toBe(2);
    expect(gpu.loss).toBeCloseTo(cpu.loss, 4); // float32 against float64: the rounding of a few hundred sums
    expect(gpu.tokenAccuracy).toBe(cpu.tokenAccuracy);
    expect(gpu.exactMatch).toBe(cpu.exactMatch);
  });

  it('names a file of pairs that is wrong', async () => {
    const path = join(scratch(), 'bad.tsv');
    writeFileSync(path, 'no tab\n');
    const { status, stderr } = await heddle(['eval', model(), path]);
    expect(stderr).toMatch(/bad\.tsv: no line has a tab/);
    expect([status, isOneLine(stderr)]).toEqual([1, true]);
  });
});
