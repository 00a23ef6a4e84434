// Training runs that are stopped or killed, then resumed: bit for bit the same as an uninterrupted run.
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { expect, it } from 'vitest';
import { settledFolder } from '../../src/files/settled-folder.ts';
import { loadModelFolder } from '../../src/formats/model-folder.ts';
import { nodeFiles } from '../../src/host/node-files.ts';
import { intlCorpus } from '../../src/text/intl/intl-corpus.ts';
import { parseLog } from '../../src/train/report/training-log.ts';
import { readTrainingState } from '../../src/train/run/training-state.ts';
import { heddle, heddleProcess, scratch, smallOnPairs, smallTraining } from '../support/cli.ts';
import { itInFull } from '../support/in-full.ts';

const at = (name: string) => join(scratch(), name);
const common = [
  ...smallTraining,
  '--dropout',
  '0.2',
  '--ema-decay',
  '0.9',
  '--eval-steps',
  '25',
  '--dev-sentences',
  '0',
];

async function train(...args: string[]): Promise<void> {
  const ended = await heddle(['train', ...args]);
  expect(ended.status, ended.stderr).toBe(0);
}

/** Bytes of the weights and of the optimizer state. */
const bits = (folder: string) =>
  ['model.safetensors', 'optimizer.safetensors'].map((name) =>
    readFileSync(join(folder, name)).toString('base64'),
  );

// In Chrome in test:full, with fewer steps: a software adapter in a page is slow. npm test resumes in a page
// in training-session.test.ts.
const hosts: [string, number, number][] = [
  ['dawn', 40, 100],
  ['chrome', 4, 10],
];
it.each(process.env.HEDDLE_FULL ? hosts : hosts.slice(0, 1))(
  'resumes on %s with the bits of an uninterrupted run: steps 1 to %i, then to %i',
  async (host, first, last) => {
    const [whole, parts] = [at(`${host}-whole`), at(`${host}-parts`)];
    await train(...common, '--host', host, '--steps', `${last}`, '--out', whole);
    await train(...common, '--host', host, '--steps', `${first}`, '--out', parts);
    const { choices } = await readTrainingState(nodeFiles(), parts);
    expect(Object.keys(choices).length).toBeGreaterThan(20);
    // All other settings are those of the first run, evaluation included; kernels are not tuned again, though
    // they would be here.
    await train('--resume', '--host', host, '--steps', `${last}`, '--out', parts);
    expect(bits(parts)).toEqual(bits(whole));
    expect(await readTrainingState(nodeFiles(), parts)).toMatchObject({ step: last, choices });
  },
  300_000,
);

it('resumes on the CPU with the bits of an uninterrupted run', async () => {
  const [whole, parts] = [at('cpu-whole'), at('cpu-parts')];
  const cpu = [...common, '--host', 'cpu', '--batch-size', '1'];
  await train(...cpu, '--steps', '3', '--out', whole);
  await train(...cpu, '--steps', '1', '--out', parts);
  await train('--resume', '--host', 'cpu', '--steps', '3', '--out', parts);
  expect(bits(parts)).toEqual(bits(whole));
});

/** Number of kills: each is a process, so more of them in test:full; `HEDDLE_KILLS=100` for a thorough check. */
const rounds = Number(process.env.HEDDLE_KILLS ?? (process.env.HEDDLE_FULL ? 8 : 2));

itInFull(
  'resumes bit for bit after kills at many moments',
  async () => {
    const steps = Math.max(100, 4 * rounds); // so that it does not end before the last kill
    const [whole, killed] = [at(steps === 100 ? 'dawn-whole' : 'kills-whole'), at('killed')];
    // The one of 100 steps is of the test above, if that ran.
    if (!existsSync(whole)) await train(...common, '--steps', `${steps}`, '--out', whole);
    const files = nodeFiles();
    let kills = 0;
    for (let round = 0; ; round++) {
      await settledFolder(files, killed); // a kill between the commit and the last move
      const started = existsSync(join(killed, 'state.json'));
      const start = started ? ['--resume'] : [...common, '--steps', `${steps}`, '--save-steps', '1'];
      const args = ['train', ...start, '--out', killed];
      const ended = await heddleProcess(args, {
        onStart(child) {
          let seen = '';
          child.stderr?.on('data', (chunk: Buffer) => {
            const before = seen;
            seen += chunk;
            // Most of the time goes into saving, so the kills hit different parts of a save.
            if (!/training on/.test(before) && /training on/.test(seen) && round < rounds)
              setTimeout(() => child.kill('SIGKILL'), 300 + 97 * (round % 8) + ((7 * round) % 97));
          });
        },
      });
      if (ended.status === 0) break;
      kills++;
      expect(ended.status, ended.stderr).toBe(null);
      await settledFolder(files, killed);
      if (!existsSync(join(killed, 'state.json'))) continue; // before the first save
      const { step } = await readTrainingState(files, killed);
      expect(step).toBeGreaterThan(0);
      expect((await loadModelFolder(files, killed)).weights.length).toBeGreaterThan(0);
    }
    expect(kills).toBeGreaterThan(Math.max(0, 0.9 * rounds - 3));
    expect(bits(killed)).toEqual(bits(whole));
  },
  300_000 + 10_000 * rounds,
);

it('leaves its last checkpoint and log if it is killed without save options, and resumes from another folder', async () => {
  const [out, tsv] = [at('by-the-clock'), at('pairs.tsv')];
  const lines = intlCorpus({ pairs: 200 }).map(({ source, target }) => `${source}\t${target}`);
  writeFileSync(tsv, lines.join('\n'));
  // As the default saves, but sooner.
  const args = [
    'train',
    relative(process.cwd(), tsv),
    ...smallOnPairs,
    ...common.slice(smallTraining.length),
    '--tokenizer',
    'word',
    '--steps',
    '100000',
  ];
  const ended = await heddleProcess([...args, '--save-seconds', '0.05', '--out', out], {
    onStart: (child) => {
      const watching = setInterval(() => existsSync(join(out, 'state.json')) && child.kill('SIGKILL'), 20);
      child.on('exit', () => clearInterval(watching));
    },
  });
  expect(ended.status, ended.stderr).toBe(null);
  const { step, arguments: kept } = await readTrainingState(nodeFiles(), out);
  expect(step).toBeGreaterThan(0);
  expect(kept).toMatchObject({ corpus: { train: { files: [tsv] } }, saveSteps: 0, saveSeconds: 0.05 });
  const log = parseLog(readFileSync(join(await settledFolder(nodeFiles(), out), 'log.jsonl'), 'utf8'));
  expect(log.filter((r) => r.type === 'step')).toHaveLength(step);
  const again = await heddleProcess(
    ['train', '--resume', '--no-tune', '--steps', `${step + 1}`, '--out', out],
    {
      cwd: scratch(),
    },
  );
  expect(again.status, again.stderr).toBe(0);
  renameSync(tsv, at('moved.tsv'));
  const lost = await heddle(['train', '--resume', '--no-tune', '--steps', `${step + 2}`, '--out', out]);
  expect(lost.stderr).toMatch(/pairs\.tsv: this file of .*by-the-clock is missing; give its new path/);
});
