// A run that continues in PyTorch: its data on disk, and the losses of a run that goes to PyTorch and back.
// The file torch-run-files.full.test.ts has all optimizers, schedules and families.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { sizeOf } from '../../../../src/core/tensor.ts';
import { readSafetensors, readSafetensorsHeader } from '../../../../src/files/safetensors.ts';
import { nodeFiles } from '../../../../src/host/node-files.ts';
import { parameterList } from '../../../../src/model/parameters.ts';
import { openCheckpoint } from '../../../../src/train/run/open-checkpoint.ts';
import { prepareRun } from '../../../../src/train/run/prepared-run.ts';
import { readTrainingState } from '../../../../src/train/run/training-state.ts';
import { heddle } from '../../../support/cli.ts';
import { expectError } from '../../../support/expect-error.ts';
import { itInFull } from '../../../support/in-full.ts';
import { loadModelFolder } from '../../../support/load-folder.ts';
import { hasTorch, python } from '../../../support/python.ts';
import { cpuSession, smallRun, threeParts, toTorchRun, train, writeIdPairs } from './torch-run-support.ts';

const scratch = mkdtempSync(join(tmpdir(), 'heddle-torch-'));
afterAll(() => rmSync(scratch, { recursive: true }));
const at = (name: string) => join(scratch, name);
const read = (path: string) => new Uint8Array(readFileSync(path));

it('writes the tokenized pairs and the order of the remaining updates, over epochs and with accumulation', async () => {
  const settings = { ...smallRun, batchSize: 32, gradientAccumulationSteps: 2, schedule: 'linear' } as const;
  await train({ ...settings, steps: 3, scheduleSteps: 20, out: at('run') });
  expect(await toTorchRun(at('run'), at('out'))).toMatchObject({
    to: 'torch-run',
    steps: { first: 3, last: 20 },
  });
  const plan = JSON.parse(readFileSync(join(at('out'), 'torch-run.json'), 'utf8'));
  const files = cpuSession();
  const { data: trained } = await prepareRun(
    { ...settings, out: at('run'), resume: true },
    files,
    await openCheckpoint({ files: files.files, folder: at('run') }),
  );
  expect(plan).toMatchObject({
    firstStep: 3,
    lastStep: 20,
    seed: 1,
    batchesPerEpoch: trained.batches.order.perEpoch,
  });
  expect(trained.batches.order.perEpoch).toBeLessThan(10);
  const data = (name: string) => readSafetensors(read(join(at('out'), `data/${name}-00000.safetensors`)));
  const { rows, rows_lengths: lengths } = data('rows');
  const order = Array.from({ length: 34 }, (_, i) => [...trained.batches.order.rowsAt(6 + i)]);
  expect([...lengths!.data]).toEqual(order.map(({ length }) => length));
  expect([...rows!.data]).toEqual(order.flat());
  expect(data('source').source?.data).toEqual(Int32Array.from(trained.corpus.source.ids));
  expect(data('target').target?.data).toEqual(Int32Array.from(trained.corpus.target.ids));
});

it('writes a checkpoint too', async () => {
  const names = readdirSync(at('out'));
  expect(names).toEqual(
    expect.arrayContaining(readdirSync(at('run')).filter((name) => name !== 'report.html')),
  );
  expect(await readTrainingState(cpuSession().files, at('out'))).toMatchObject({ step: 3 });
});

it('rejects what is not a checkpoint, and a run that is complete', async () => {
  await expectError(() => toTorchRun('tests/fixtures/hf/bart', at('x')), {
    area: 'tests/fixtures/hf/bart',
    values: ['state.json'],
  });
  await expectError(() => toTorchRun(at('run'), at('x'), { steps: 3 }), {
    area: at('run'),
    options: ['steps'],
    values: [3],
  });
  const convert = (to: string, ...flags: string[]) =>
    heddle(['convert', at('run'), at('x'), '--to', to, ...flags]);
  const { stderr } = await convert('torch-run', '--dtype', 'f16');
  expect(stderr).toMatch(/omit --dtype, --lora, --source-lang and --target-lang/);
  expect((await convert('heddle', '--steps', '3')).stderr).toMatch(/--steps 3 is only for torch-run/);
});

it('stores the frozen weights under a LoRA adapter as the run has them', async () => {
  const init = 'tests/fixtures/hf/bart';
  const { config, weights } = await loadModelFolder(nodeFiles(), init);
  const corpus = {
    kind: 'files',
    train: { files: [writeIdPairs(at('ids.tsv'), config)], format: 'tsv' },
  } as const;
  const lora = { rank: 2, targetModules: ['*.v'] };
  await train({ corpus, init, lora, weights: 'int8', batchSize: 8, heldOut: 0, steps: 1, out: at('lora') });
  await toTorchRun(at('lora'), at('lora-torch'), { steps: 2 });
  const plan = JSON.parse(readFileSync(join(at('lora-torch'), 'torch-run.json'), 'utf8'));
  expect(plan.weights).toBe('adapter_model.safetensors');
  expect(plan.lora).toMatchObject({ scale: 2, dropout: 0 });
  const file = read(join(at('lora-torch'), 'base.safetensors'));
  const { entries, base } = readSafetensorsHeader(file, file.length);
  const bytes = (name: string) => file.slice(...entries[name]!.data_offsets.map((offset) => base + offset));
  for (const { name, shape, offset } of parameterList(config).all) {
    const expected = weights.subarray(offset, offset + sizeOf(shape));
    if (entries[name]!.dtype === 'F32') {
      expect(new Float32Array(bytes(name).buffer), name).toEqual(expected);
      continue;
    }
    expect([entries[name]!.dtype, entries[name]!.shape]).toEqual(['I8', shape]);
    const [rows, scales] = [
      new Int8Array(bytes(name).buffer),
      new Float32Array(bytes(`${name}.scale`).buffer),
    ];
    for (const [i, x] of expected.entries()) {
      const scale = scales[Math.floor(i / shape[1]!)]!;
      expect(Math.abs(rows[i]! * scale - x), name).toBeLessThanOrEqual(0.501 * scale);
    }
  }
  expect(Object.values(entries).filter(({ dtype }) => dtype === 'I8').length).toBeGreaterThan(5);
});

describe.runIf(hasTorch)('continue.py (needs python3-torch)', () => {
  itInFull('chooses nccl and a GPU of its own for each process if there are GPUs, else gloo', () => {
    const script = `
import importlib, sys
sys.path.insert(0, sys.argv[1])
place = importlib.import_module("continue").place
def show(*args):
    try:
        print(*place(*args))
    except SystemExit as error:
        print(error)
show(None, 0, 0); show(None, 2, 1); show("gloo", 2, 0); show("nccl", 2, 0); show("nccl", 0, 0); show(None, 2, 2)`;
    const folder = resolve('src/features/pytorch/torch-run');
    const { stdout } = spawnSync(python, ['-B', '-c', script, folder], { encoding: 'utf8' });
    expect(stdout.trim().split('\n')).toEqual([
      'gloo cpu',
      'nccl cuda:1',
      'gloo cpu',
      'nccl cuda:0',
      'continue.py: nccl needs GPUs, and PyTorch finds none; use --backend gloo',
      'continue.py: nccl needs a GPU for each process, this machine has 2; use --nproc-per-node 2',
    ]);
  });

  it('refuses weights, states and data that were changed, but not scripts, and nothing without a manifest', () => {
    const script = `
import os, sys
folder = sys.argv[1]
sys.path.insert(0, folder)
from checkpoint import Checkpoint, read_json
plan = read_json(folder + "/torch-run.json")
def check(name):
    try:
        Checkpoint(folder, plan)
        print(name, "is used")
    except SystemExit as error:
        print(str(error).replace(folder, "DIR"))
names = ["model.safetensors", "optimizer.safetensors", "state.json", *plan["data"], "continue.py", "torch-run.json"]
for name in names:
    with open(f"{folder}/{name}", "r+b") as file:
        text = file.read()
        file.seek(-1, os.SEEK_END)
        file.write(bytes([text[-1] ^ 1]))
        file.flush()
        check(name)
        file.seek(0)
        file.write(text)
os.remove(folder + "/heddle-manifest.json")
with open(f"{folder}/model.safetensors", "r+b") as file:
    file.seek(-1, os.SEEK_END)
    file.write(b"0")
check("the changed model")`;
    cpSync(at('out'), at('changed'), { recursive: true });
    const { stdout, stderr } = spawnSync(python, ['-B', '-c', script, at('changed')], { encoding: 'utf8' });
    const differs = (name: string) =>
      `continue.py: DIR/${name}: SHA-256 differs; the file changed after it was written. Restore it from a copy, or delete heddle-manifest.json to use it as it is`;
    const data = ['source', 'target', 'rows'].map((name) => `data/${name}-00000.safetensors`);
    expect(stdout.trim().split('\n'), stderr).toEqual([
      ...['model.safetensors', 'optimizer.safetensors', 'state.json', ...data].map(differs),
      'continue.py is used',
      'torch-run.json is used',
      'the changed model is used',
    ]);
  });

  it.runIf(process.env.HEDDLE_FULL)(
    'has the losses of one run: 40 updates here, 40 in two processes, 20 here',
    async () => {
      const { difference, found } = await threeParts(
        at('three'),
        {
          ...smallRun,
          batchSize: 4,
          schedule: 'cosine',
          emaDecay: 0.9,
          labelSmoothing: 0.1,
          weightDecay: 0.01,
        },
        [40, 80, 100],
      );
      expect(found).toHaveLength(100);
      expect(difference).toBeLessThan(1e-4);
    },
  );
});
