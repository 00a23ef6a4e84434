// Files that commands write: an existing one is overwritten only if the user says so, and never an input.
import { execFileSync, spawnSync } from 'node:child_process';
import {
  closeSync,
  existsSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join, relative } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import {
  checkOutputFile,
  openOutputFile,
  targetOf,
  writeAt,
  writing,
} from '../../src/commands/output-file.ts';
import { heddle, scratch, smallTraining } from '../support/cli.ts';
import { distFile } from '../support/dist.ts';
import { errorAbout, errorOfKind } from '../support/expect-error.ts';

const at = (name: string) => join(scratch(), name);
const train = (...flags: string[]) => heddle(['train', ...smallTraining, '--steps', '1', ...flags]);

beforeAll(async () => {
  const { status, stderr } = await train('--out', at('model'), '--save-config', at('run.yaml'));
  expect(status, stderr).toBe(0);
});

it('names the file if the disk is full', () => {
  const full = () => writeFileSync('/dev/full', 'x');
  expect(() => writing('bt.tsv', full)).toThrow(errorAbout({ kind: 'quota', area: 'bt.tsv' }));
  expect(writing('bt.tsv', () => 1)).toBe(1);
});

it.each([
  ['clean', 'pairs.tsv'],
  ['backtranslate', 'model', 'pairs.tsv'],
])('names an output of %s that cannot be written (needs /proc)', async (...words) => {
  writeFileSync(at('pairs.tsv'), 'a b\tc d\n');
  const args = words.map((word, i) => (i === 0 ? word : at(word)));
  const { status, stderr } = await heddle([...args, '--out', '/proc/none.tsv']);
  expect([status, stderr]).toEqual([1, expect.stringContaining(' /proc/none.tsv: ')]);
});

it('keeps an existing file of --save-config, and the files that the run reads', async () => {
  writeFileSync(at('notes.yaml'), 'mine\n');
  const refused = await train('--out', at('other'), '--save-config', at('notes.yaml'));
  expect([refused.status, refused.stderr]).toEqual([
    1,
    expect.stringContaining(` --save-config ${at('notes.yaml')}: `),
  ]);
  const own = await heddle([
    'train',
    '--config',
    at('run.yaml'),
    '--out',
    at('other'),
    '--force',
    '--save-config',
    at('run.yaml'),
  ]);
  expect([own.status, own.stderr]).toEqual([
    1,
    expect.stringContaining(` --save-config ${at('run.yaml')}: `),
  ]);
  expect(readFileSync(at('notes.yaml'), 'utf8')).toBe('mine\n');
});

it('keeps existing files of translate, and overwrites them with --force', async () => {
  writeFileSync(at('out.txt'), 'mine\n');
  const args = ['translate', at('model'), 'Tuesday', '--host', 'cpu', '--max-new-tokens', '2'];
  for (const flag of ['--out', '--alignments']) {
    const { status, stderr } = await heddle([...args, flag, at('out.txt')]);
    expect([status, stderr]).toEqual([
      1,
      `heddle: ${flag} ${at('out.txt')}: this file exists; --force overwrites it, or name another file\n`,
    ]);
  }
  expect(readFileSync(at('out.txt'), 'utf8')).toBe('mine\n');
  expect((await heddle([...args, '--out', at('out.txt'), '--force'])).status).toBe(0);
  expect(readFileSync(at('out.txt'), 'utf8')).not.toBe('mine\n');
});

it('refuses the input as the output also with --force, and allows devices', () => {
  writeFileSync(at('in.txt'), 'Tuesday\n');
  const check = () =>
    checkOutputFile('--out', at('in.txt'), { force: true, inputs: [at('../x/in.txt'), at('in.txt')] });
  expect(check).toThrow(errorAbout({ area: expect.stringMatching(/\bin\.txt$/) }));
  expect(() => checkOutputFile('--out', '/dev/null', {})).not.toThrow();
});

it('refuses a file for two outputs, and a checkpoint as the output of its own conversion by any name', async () => {
  const run = async (...args: string[]) => {
    const { status, stderr } = await heddle(args);
    expect(status, args.join(' ')).toBe(1);
    return stderr;
  };
  const out = at('both.txt');
  const twice = /both\.txt: another output has this name; name another file/;
  expect(await run('translate', at('model'), 'a', '--out', out, '--alignments', out)).toMatch(twice);
  writeFileSync(at('two.tsv'), 'a\tb\n');
  expect(await run('eval', at('model'), at('two.tsv'), '--out', out, '--report', out)).toMatch(twice);
  expect(await run('clean', at('two.tsv'), '--out', out, '--rejected', `${at('.')}/both.txt`)).toMatch(twice);
  const second = ['eval', at('model'), at('two.tsv'), '--compare', at('model'), '--out', out];
  expect(await run(...second, `--json=${at('both.2.txt')}`)).toContain('both.2.txt: another output has');
  const pieces = ['tokenizer', at('two.tsv'), '--out', at('pieces')];
  expect(await run(...pieces, `--json=${at('pieces.json')}`)).toContain('pieces.json: another output has');
  expect(await run('eval', at('model'), at('two.tsv'), '--out', at('x.csv'))).toContain('name a .tsv or');
  expect(await run('clean', at('two.tsv'), '--out', at('x.jsonl'))).toContain('written as TSV');
  const mean = ['average', at('model'), at('model'), '--out', at('mean')];
  expect(await run(...mean, `--json=${at('mean/config.json')}`)).toContain(
    'config.json: it is a file that heddle wrote in the folder',
  );
  expect(readFileSync(at('mean/config.json'), 'utf8')).toContain('"format"');
  symlinkSync('model', at('link'));
  const before = readFileSync(at('model/optimizer.safetensors'));
  const weights = at('model/model.safetensors'); // a name of the model in the folder
  for (const args of [
    ['convert', weights, at('model'), '--to', 'heddle'],
    ['average', weights, weights, '--out', at('model')],
    ['distill', weights, at('two.tsv'), '--out', at('model')],
  ])
    expect(await run(...args, '--force')).toMatch(/ itself, | one of the checkpoints| the teacher/);
  for (const name of [
    at('link'),
    `${scratch()}/./model`,
    `${at('model')}/../model`,
    relative('.', at('model')),
  ]) {
    for (const to of ['heddle', 'onnx'])
      expect(await run('convert', at('model'), name, '--to', to, '--force')).toContain(
        `convert: ${name} is the checkpoint itself, and would lose its optimizer`,
      );
    expect(await run('average', at('model'), at('model'), '--out', name, '--force')).toContain(
      `average: ${name} is one of the checkpoints`,
    );
  }
  expect(readFileSync(at('model/optimizer.safetensors'))).toEqual(before);
  expect((await heddle(['pack', at('model'), at('packed.zip')])).status).toBe(0);
  expect(
    await run('pack', at('packed.zip'), `${scratch()}/./packed.zip`, '--weights-only', '--force'),
  ).toContain('packed.zip: it is the model itself; use another name');
});

it.each(['', ' '])('says that a name is empty in every command: "%s"', async (name) => {
  const model = at('model');
  for (const args of [
    ['train', '--out', name],
    ['average', model, '--out', name],
    ['distill', model, at('run.yaml'), '--out', name],
    ['pull', 'owner/name', '--out', name],
  ]) {
    const { status, stderr } = await heddle(args);
    expect([status, stderr], args.join(' ')).toEqual([1, 'heddle: --out is empty; name a folder\n']);
  }
  for (const [args, what] of [
    [['convert', model, name, '--to', 'pytorch'], 'convert: <out> is empty; name a folder'],
    [['unpack', at('m.zip'), name], 'convert --unpack: <dir> is empty; name a folder'],
    [['translate', model, 'a', '--out', name], '--out is empty; name a file'],
    [
      ['train', ...smallTraining, '--steps', '1', '--out', at('third'), '--save-config', name],
      '--save-config is empty; name a file',
    ],
    [['translate', name, 'a'], 'translate: <dir> is empty; name a folder'],
    [['translate', model, 'a', '--ensemble', name], '--ensemble is empty; name a folder'],
    [['translate', model, '--input', name], '--input is empty; name a file'],
    [['eval', model, name], 'eval: <pairs> is empty; name a file'],
    [['train', at('run.yaml'), '--tokenizer-file', name], '--tokenizer-file is empty; name a file'],
    [['plan', name], 'plan: <dir> is empty; name a folder'],
    [
      ['pull', name], // its argument is no file
      `pull: "${name}" `,
    ],
  ] as const) {
    const { status, stderr } = await heddle(args);
    expect(status).toBe(1);
    expect(stderr.startsWith(`heddle: ${what}`), stderr).toBe(true);
  }
});

it('finds inputs behind links, files of models, and places that cannot be written', () => {
  writeFileSync(at('corpus.tsv'), 'a\tb\n');
  symlinkSync('corpus.tsv', at('soft.tsv'));
  linkSync(at('corpus.tsv'), at('hard.tsv'));
  const check = (path: string) =>
    checkOutputFile('--out', path, {
      force: true,
      inputs: [at('corpus.tsv'), 'a text\0', 'x'.repeat(5000)],
    });
  for (const name of ['soft.tsv', 'hard.tsv'])
    expect(() => check(at(name))).toThrow(errorAbout({ area: `--out ${at(name)}` }));
  symlinkSync('model/model.safetensors', at('weights'));
  for (const name of [
    'model/model.safetensors',
    'model/config.json',
    'model/heddle-manifest.json',
    'weights',
  ])
    expect(() => check(at(name))).toThrow(errorAbout({ area: `--out ${at(name)}`, values: [at('model')] }));
  expect(() => check(at('model/notes.txt'))).not.toThrow();
  mkdirSync(at('folder'));
  expect(() => check(at('folder'))).toThrow(errorAbout({ area: expect.stringMatching(/\bfolder$/) }));
  expect(() => check(at('corpus.tsv/x/y'))).toThrow(errorAbout({ area: `--out ${at('corpus.tsv/x/y')}` }));
  expect(() => check(at('x'.repeat(300)))).toThrow(errorAbout({ area: `--out ${at('x'.repeat(300))}` }));
  expect(() => check(at('new/folder/x.txt'))).not.toThrow();
  execFileSync('mkfifo', [at('pipe')]);
  symlinkSync(at('pipe'), at('to-pipe'));
  for (const name of ['pipe', 'to-pipe']) expect(() => check(at(name))).not.toThrow();
});

it('refuses files of --save-config and --json that the run itself writes', async () => {
  for (const [flag, name] of [
    ['--save-config', 'fourth/config.json'],
    ['--save-config', 'fourth'],
    ['--json', 'fourth/tokens.cache'],
  ] as const) {
    const { status, stderr } = await train('--out', at('fourth'), `${flag}=${at(name)}`);
    expect([status, stderr]).toEqual([
      1,
      `heddle: ${flag} ${at(name)}: the run writes this file; name another file\n`,
    ]);
  }
});

it('follows links to files and folders that do not exist yet, and refuses circles and names of folders', () => {
  symlinkSync('later/deep.tsv', at('to-later'));
  expect(targetOf(at('to-later'))).toBe(at('later/deep.tsv'));
  expect(() => checkOutputFile('--out', at('to-later'), {})).not.toThrow();
  closeSync(openOutputFile(at('to-later')));
  expect(readdirSync(at('later'))).toEqual(['deep.tsv']);
  symlinkSync('circle-b', at('circle-a'));
  symlinkSync('circle-a', at('circle-b'));
  const check = (name: string) => () => checkOutputFile('--out', at(name), { force: true });
  expect(check('circle-a')).toThrow(errorAbout({ area: expect.stringMatching(/\bcircle-a$/) }));
  expect(check('new/')).toThrow(errorAbout({ area: `--out ${at('new/')}` }));
});

it('writes the cleaned pairs behind a link, and creates their folder', async () => {
  writeFileSync(at('dirty.tsv'), 'a b\tc d\n');
  symlinkSync('disk/clean.tsv', at('clean-link'));
  for (const force of [[], ['--force']]) {
    const { status, stderr } = await heddle(['clean', at('dirty.tsv'), '--out', at('clean-link'), ...force]);
    expect([status, stderr]).toEqual([0, '']);
    expect(readlinkSync(at('clean-link'))).toBe('disk/clean.tsv');
    expect(readFileSync(at('disk/clean.tsv'), 'utf8')).toBe('a b\tc d\n');
  }
});

it('ends with an error if the disk takes only a part of a write', () => {
  const pipe = openSync('/dev/full', 'w');
  expect(() => writeAt(pipe, new Uint8Array(9))).toThrow(errorOfKind('quota'));
  closeSync(pipe);
});

it('ends with an error if the file of stdout takes only a part of the text', () => {
  // The limit of 1 KiB acts as a full disk.
  const limited = `trap '' XFSZ; ulimit -f 1; exec "$0" "$1" train --help > "$2"`;
  const args = ['-c', limited, process.execPath, distFile('cli.js'), at('help.txt')];
  const { status, stderr } = spawnSync('bash', args, { encoding: 'utf8' });
  expect([status, stderr]).toEqual([
    1,
    'heddle: stdout: cannot write: it is larger than the system permits\n',
  ]);
  expect(readFileSync(at('help.txt')).length).toBe(1024);
});

it('leaves no lock file if the disk is full', () => {
  const limited = `trap '' XFSZ; ulimit -f 0; exec "$0" "$1" train --pairs 200 --host cpu --steps 1 --out "$2"`;
  const args = ['-c', limited, process.execPath, distFile('cli.js'), at('locked')];
  const { status, stderr } = spawnSync('bash', args, { encoding: 'utf8' });
  expect([status, stderr]).toEqual([
    1,
    expect.stringMatching(
      /locked: cannot lock it: .*\.locked\.lock: it is larger than the system permits\n$/,
    ),
  ]);
  expect(existsSync(at('.locked.lock'))).toBe(false);
});
