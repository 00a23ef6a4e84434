// npm run test:runtimes: trains small models, converts them, and compares what heddle and other programs make of them:
// heddle on Dawn, in Chrome, Firefox and Deno, and on wasm; onnxruntime in Python; transformers.js in Node and in Chrome; Marian's engine
// (bergamot); SentencePiece; Hugging Face's tokenizers; PyTorch. What is not installed is named at the end. The table is
// written into docs/models.md, between the lines <!-- runtimes --> and <!-- /runtimes -->. Exit status 1 if a reader has
// another result.
//
//   --only TEXT   only readers whose name contains TEXT; docs/models.md is not written then
//   --keep DIR    the folder of models, references and results, which are not made again
import { execFileSync, spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, delimiter, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import {
  here as decodeBench,
  installTransformers,
  writeDecodePage,
} from '../bench/decode/install-transformers.mjs';
import { findDeno, root } from './install.mjs';
import { heddle, runtimeTexts, trainModel } from './runtimes/runtime-models.mjs';

const { values: options } = parseArgs({ options: { only: { type: 'string' }, keep: { type: 'string' } } });
const python = process.env.HEDDLE_PYTHON ?? pythonWithTorch();
const work = resolve(options.keep ?? mkdtempSync(join(tmpdir(), 'heddle-runtimes-')));
mkdirSync(work, { recursive: true });
if (!options.keep) process.on('exit', () => rmSync(work, { recursive: true, force: true }));
process.chdir(root);
if (!existsSync('dist/cli.js')) {
  console.error('dist is missing: run npm run build first');
  process.exit(1);
}
const { findChrome, findFirefox, launchChrome, runInPage, serveFolder } = await import(
  join(root, 'dist/headless.js')
);

const texts = runtimeTexts();
const textFile = join(work, 'texts.txt');
writeFileSync(textFile, `${texts.join('\n')}\n`);

/**
 * What a reader has found: its name, the format that it reads, equal results of those compared. They are kept in the
 * folder of the models, and a reader whose results are there does not run again.
 */
const rowFile = join(work, 'rows.json');
const rows = existsSync(rowFile) ? JSON.parse(readFileSync(rowFile, 'utf8')) : [];
/** Readers that could not run, with the reason. */
const missing = [];

const families = ['marian', 'bart', 't5'];
/** Texts in Chrome, which takes seconds for each on a software adapter. */
const inChrome = 12;

/** A folder that is made once. */
function converted(name, suffix, ...args) {
  const [from, to] = [trainModel(name, work), join(work, `${name}-${suffix}`)];
  if (!existsSync(to)) heddle('convert', from, to, ...args);
  return to;
}

/** Translations of the texts by heddle: ids and text of each. */
function translated(folder, ...args) {
  const file = join(work, 'translations.json');
  heddle('translate', folder, '--input', textFile, `--json=${file}`, '--force', ...args);
  return JSON.parse(readFileSync(file, 'utf8')).map(({ translations: [best] }) => ({
    ids: best?.ids ?? [],
    text: best?.text ?? '',
    ended: best?.ended ?? true,
  }));
}

/** Those of the float64 reference, which are kept in the folder of the models. */
function reference(folder, ...args) {
  const file = join(work, `${[basename(folder), ...args].join('')}.reference.json`);
  if (!existsSync(file)) writeFileSync(file, JSON.stringify(translated(folder, '--host', 'cpu', ...args)));
  return JSON.parse(readFileSync(file, 'utf8'));
}

/** Adds results of a reader to its row. `same`: for each result, whether it is that of heddle. */
function add(reader, format, what, same) {
  const row = rows.find((other) => other.reader === reader && other.format === format && other.what === what);
  const equal = same.filter(Boolean).length;
  if (row) Object.assign(row, { equal: row.equal + equal, of: row.of + same.length });
  else rows.push({ reader, format, what, equal, of: same.length });
  console.log(`${reader}, ${format}: ${equal} of ${same.length} ${what} equal`);
}

const equalIds = (found, wanted) => wanted.map(({ ids }, i) => String(ids) === String(found[i]?.ids));
const equalTexts = (found, wanted) => wanted.map(({ text }, i) => text.trim() === found[i]?.text?.trim());

/** Runs a reader, unless it is not asked for or not there; an error of it is a row without equal results. */
async function reader(name, needs, work) {
  if (options.only && !name.includes(options.only)) return;
  if (rows.some((row) => row.reader.startsWith(name))) return;
  const problem = typeof needs === 'function' ? needs() : needs;
  if (problem) {
    missing.push(`${name}: ${problem}`);
    return;
  }
  try {
    await work(name);
    writeFileSync(rowFile, JSON.stringify(rows.filter(({ what }) => what !== 'run')));
  } catch (error) {
    console.error(`${name}: ${error.message}`);
    rows.push({ reader: name, format: '-', what: 'run', equal: 0, of: 1 });
  }
}

const importsPython = (...modules) =>
  spawnSync(python, ['-c', `import ${modules.join(', ')}`]).status === 0
    ? undefined
    : `Python's ${modules.join(', ')} (${python}) are not installed`;
const onPath = (program) =>
  spawnSync(program, ['--version']).error ? `${program} is not installed` : undefined;

// heddle itself, on each host.
for (const [name, args, problem] of [
  ['heddle on Dawn', ['--host', 'dawn'], undefined],
  ['heddle in Chrome', ['--host', 'chrome'], findChrome?.() ? undefined : 'no Chrome found'],
  ['heddle in Firefox', ['--host', 'firefox'], findFirefox?.() ? undefined : 'no Firefox found'],
  ['heddle in Deno', ['--host', 'deno'], findDeno() ? undefined : 'Deno is not installed'],
  ['heddle on wasm (onnxruntime-web)', ['--device', 'wasm'], undefined],
])
  await reader(name, problem, (own) => {
    if (args[1] === 'deno') process.env.DENO_PATH = findDeno();
    for (const model of families) {
      const folder = trainModel(model, work);
      add(own, 'heddle', 'translations', equalIds(translated(folder, ...args), reference(folder)));
    }
  });

// The family folders, read back.
await reader('heddle, from folders of transformers', undefined, (own) => {
  for (const model of families)
    add(
      own,
      'bart, marian, t5',
      'translations',
      equalTexts(
        translated(converted(model, 'hf', '--to', model), '--host', 'cpu'),
        reference(trainModel(model, work)),
      ),
    );
});

// ONNX.
const onnxFolder = (model, dtype) => converted(model, dtype, '--to', 'onnx', '--dtype', dtype);
const dtypes = [
  ['fp32', '', []],
  ['q8', '_quantized', ['--weights', 'int8']],
];
await reader(
  'onnxruntime (Python)',
  () => importsPython('onnx', 'onnxruntime'),
  async (own) => {
    for (const [dtype, suffix, weights] of dtypes)
      for (const model of families) {
        const folder = trainModel(model, work);
        const found = await argmax(
          'onnx',
          onnxFolder(model, dtype),
          suffix,
          folder,
          reference(folder, ...weights),
        );
        add(own, `onnx ${dtype}`, 'translations', found);
      }
  },
);

const noTransformers =
  options.only && !'transformers.js bergamot'.includes(options.only)
    ? 'not asked for'
    : installTransformers();
await reader('transformers.js (Node, wasm)', noTransformers, (own) => {
  const runs = dtypes.flatMap(([dtype, , weights]) =>
    families.map((model) => ({
      folder: onnxFolder(model, dtype),
      texts,
      dtype,
      model,
      weights,
      format: `onnx ${dtype}`,
    })),
  );
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(decodeBench, 'transformers-node.mjs')],
    {
      input: JSON.stringify(runs),
      encoding: 'utf8',
      maxBuffer: 2 ** 28,
    },
  );
  if (status !== 0) throw new Error(stderr.slice(-2000));
  for (const [i, found] of JSON.parse(stdout).entries())
    add(
      own,
      runs[i].format,
      'translations',
      equalTexts(found, reference(trainModel(runs[i].model, work), ...runs[i].weights)),
    );
});
await reader('transformers.js (Chrome)', noTransformers, async (own) => {
  const site = mkdtempSync(join(tmpdir(), 'heddle-runtimes-site-'));
  mkdirSync(join(site, 'models'));
  await writeDecodePage(site);
  const runs = ['wasm', 'webgpu'].flatMap((device) =>
    families.map((model) => {
      const name = `${model}-fp32`;
      if (!existsSync(join(site, 'models', name)))
        symlinkSync(onnxFolder(model, 'fp32'), join(site, 'models', name));
      return {
        model: name,
        family: model,
        task: 'translation',
        device,
        dtype: 'fp32',
        texts: texts.slice(0, inChrome),
        batchSize: 10,
      };
    }),
  );
  const [chrome, server] = await Promise.all([launchChrome({ gpu: 'auto' }), serveFolder(site)]);
  try {
    const found = await runInPage(chrome, server.url, {
      call: 'runPipelines',
      args: [runs],
      silence: 200_000,
    });
    for (const [i, one] of found.entries())
      add(
        `${own}, ${runs[i].device}`,
        'onnx fp32',
        'translations',
        equalTexts(one, reference(trainModel(runs[i].family, work)).slice(0, inChrome)),
      );
  } finally {
    await Promise.all([chrome.close(), server.close()]);
    rmSync(site, { recursive: true, force: true });
  }
});

// Marian's engine.
await reader('bergamot', noTransformers, (own) => {
  const folder = converted('firefox', 'bin', '--to', 'marian-bin');
  const lines = bergamot(folder, 'model.bin', 'float32');
  add(own, 'marian-bin', 'translations', equalTexts(lines, reference(folder)));
  const int8 = converted(
    'firefox',
    'int8',
    '--to',
    'firefox',
    '--calibration',
    textFile,
    '--language-pair',
    'enes',
  );
  const dynamic = bergamot(folder, 'model.bin', 'int8shiftAll');
  const name = 'model.enes.intgemm.alphas.bin';
  add(
    `${own}, int8 with heddle's alphas`,
    'firefox',
    'translations equal to its own dynamic int8',
    equalTexts(bergamot(int8, name, 'int8shiftAlphaAll', 'vocab.enes.spm'), dynamic),
  );
});

// Tokenizers.
await reader(
  'spm_encode',
  () => onPath('spm_encode'),
  async (own) => {
    for (const model of ['marian', 't5']) {
      const file = join(trainModel(model, work), 'tokenizer.model');
      const stdout = execFileSync('spm_encode', [`--model=${file}`, '--output_format=id', textFile], {
        encoding: 'utf8',
      });
      const found = stdout
        .trim()
        .split('\n')
        .map((line) => line.trim());
      const wanted = await sourceIds(trainModel(model, work));
      add(
        own,
        'tokenizer.model',
        'texts',
        wanted.map((ids, i) => ids.join(' ') === found[i]),
      );
    }
  },
);
await reader('tokenizers (npm)', undefined, async (own) => {
  const { Tokenizer } = createRequire(join(root, 'package.json'))('tokenizers');
  for (const model of families) {
    const folder = converted(model, 'hf', '--to', model);
    const tokenizer = await Tokenizer.fromFile(join(folder, 'tokenizer.json'));
    const wanted = await sourceIds(folder);
    const same = [];
    for (const [i, text] of texts.entries()) {
      const tokens = (await tokenizer.encode(text, null, { addSpecialTokens: false })).getIds();
      same.push(String([...tokens]) === String(wanted[i]));
    }
    add(own, 'tokenizer.json', 'texts', same);
  }
});

// PyTorch.
await reader(
  'PyTorch (nn.Transformer)',
  () => importsPython('torch', 'safetensors'),
  async (own) => {
    const folder = trainModel('bart', work);
    add(
      own,
      'pytorch',
      'translations',
      await argmax('pytorch', converted('bart', 'pytorch', '--to', 'pytorch'), '', folder, reference(folder)),
    );
  },
);

report();

/** Translations of Marian's engine. */
function bergamot(folder, model, precision, vocabulary = 'vocab.spm') {
  const settings = [
    ...[
      'beam-size: 1',
      'normalize: 1',
      'word-penalty: 0',
      'max-length-factor: 2',
      'skip-cost: true',
      `gemm-precision: ${precision}`,
    ],
    ...[
      'cpu-threads: 0',
      'max-length-break: 128',
      'mini-batch-words: 1024',
      'workspace: 64',
      'alignment: soft',
      'quiet: true',
    ],
    ...['quiet-translation: true', ''],
  ].join('\n');
  const engine = join(decodeBench, 'node_modules/@browsermt/bergamot-translator');
  const files = [model, vocabulary, vocabulary].map((file) => join(folder, file));
  const stdout = execFileSync('node', ['tests/support/bergamot.cjs', engine, settings, ...files, textFile], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  return stdout
    .split('\n')
    .slice(0, -1)
    .map((text) => ({ text }));
}

/** Opens a model of heddle on the CPU for some work. */
async function opened(folder, work) {
  const { loadModel } = await import(join(root, 'dist/heddle.node.js'));
  const model = await loadModel(folder, { device: 'cpu' });
  try {
    return work(model);
  } finally {
    model[Symbol.dispose]?.();
  }
}

/** The ids of the texts as a model reads them, without the end token. */
function sourceIds(folder) {
  return opened(folder, ({ tokenizers }) => texts.map((text) => tokenizers.source.encode(text)));
}

/** Whether the most probable next ids of a runtime are those that heddle has generated, for each text. */
async function argmax(kind, folder, suffix, own, wanted) {
  const { startId, endId } = await opened(own, ({ config }) => config);
  const sources = await sourceIds(own);
  const rules = JSON.parse(
    readFileSync(
      join(
        onnxFolder(
          families.find((name) => own.endsWith(name)),
          'fp32',
        ),
        'generation_config.json',
      ),
    ),
  );
  const banned = [
    ...(rules.suppress_tokens ?? []),
    ...(rules.bad_words_ids ?? []).filter((ids) => ids.length === 1).flat(),
  ];
  const pairs = wanted.map(({ ids, ended }, i) => [
    [...sources[i], endId],
    [startId, ...(ended ? ids : ids.slice(0, -1))],
  ]);
  const { status, stdout, stderr } = spawnSync(python, ['scripts/runtimes/argmax.py', kind, folder, suffix], {
    input: JSON.stringify({ pairs, banned }),
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
  });
  if (status !== 0) throw new Error(stderr.slice(-2000));
  return JSON.parse(stdout).map(
    (ids, i) => String(ids) === String(wanted[i].ended ? [...wanted[i].ids, endId] : wanted[i].ids),
  );
}

/** Prints the table and writes it into docs/models.md; sets the exit status. */
function report() {
  const lines = [
    ['reader', 'format', 'equal', 'compared'],
    ...rows.map(({ reader, format, what, equal, of }) => [reader, format, `${equal} of ${of}`, what]),
  ];
  const widths = [0, 1, 2, 3].map((column) => Math.max(...lines.map((line) => line[column].length)));
  const [head, ...body] = lines.map((line) => `| ${line.map((x, i) => x.padEnd(widths[i])).join(' | ')} |`);
  const rule = `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`;
  const table = [head, rule, ...body].join('\n');
  const date = new Date().toISOString().slice(0, 10);
  const notes = missing.length > 0 ? `\n\nNot installed: ${missing.join('; ')}.` : '';
  console.log(`\n${table}${notes}`);
  const page = join(root, 'docs/models.md');
  const text = readFileSync(page, 'utf8');
  const [start, end] = ['<!-- runtimes -->', '<!-- /runtimes -->'];
  const [from, to] = [text.indexOf(start), text.indexOf(end)];
  if (!options.only) {
    if (from < 0 || to < from) throw new Error(`docs/models.md has no lines ${start} and ${end}`);
    const intro = `Written by \`npm run test:runtimes\` on ${date}: ${families.join(', ')} and a student of Firefox, trained by it; ${texts.length} texts.`;
    writeFileSync(
      page,
      `${text.slice(0, from + start.length)}\n\n${intro}\n\n${table}${notes}\n\n${text.slice(to)}`,
    );
  }
  if (rows.some(({ equal, of, format }) => equal < (format === 'firefox' ? 0.97 : 1) * of))
    process.exitCode = 1;
}

/** The first Python in PATH that has torch, or the first one. */
function pythonWithTorch() {
  const all = (process.env.PATH ?? '').split(delimiter).map((folder) => join(folder, 'python3'));
  const has = (path) => spawnSync(path, ['-c', 'import torch'], { stdio: 'ignore' }).status === 0;
  return all.find((path) => existsSync(path) && has(path)) ?? 'python3';
}
