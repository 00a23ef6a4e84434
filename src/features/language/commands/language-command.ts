// heddle language: all steps from pairs of texts to the files that Firefox downloads. Each step is a command of
// heddle, in a process of its own.

import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import type { Command } from 'commander';
import { Interruption } from '../../../commands/interruption.ts';
import { type JsonOption, log, printResult, table } from '../../../commands/output.ts';
import { jsonOption } from '../../../commands/parse-values.ts';
import { HeddleError, shellQuote } from '../../../core/errors.ts';
import { formatBytes, formatDuration } from '../../../core/format-numbers.ts';
import { msg } from '../../../core/message.ts';
import { withoutEndSlash } from '../../../files/files.ts';
import { isObject, jsonBytes, readJson } from '../../../files/json-files.ts';
import { nodeFiles } from '../../../host/node-files.ts';
import {
  firefoxFileSizes,
  firefoxLimit,
  type LanguagePaths,
  languagePaths,
  translationFiles,
  writeCalibration,
} from '../language-files.ts';
import { type LanguageConfig, readLanguageConfig } from './language-config.ts';
import { type LanguageStep, languageSteps } from './language-steps.ts';

interface Options {
  out: string;
  dryRun?: boolean;
  json: JsonOption;
}

/** What a finished step was, and how long it took. */
interface DoneStep {
  /** Hash of its command line. */
  readonly command: string;
  readonly seconds: number;
  /** Whether a step before it was made again since. */
  readonly isOld?: boolean;
}

/** Quality of a model on the dev pairs. */
interface Quality {
  readonly model: string;
  readonly bleu: number;
  readonly chrf: number;
}

/** Result of the command. */
interface LanguageResult {
  readonly out: string;
  readonly steps: Readonly<Record<string, number>>;
  readonly quality: readonly Quality[];
  /** Bytes of the files for Firefox. */
  readonly files: Readonly<Record<string, number>>;
}

/** Adds the command `language`. */
export function addLanguage(program: Command): void {
  program
    .command('language')
    .description(
      'train a translator for Firefox from pairs of texts: clean, tokenizer, teacher, distillation, quantization, export',
    )
    .argument('<config>', 'YAML or JSON file: languages, data, dev, and the flags of each step')
    .requiredOption('--out <dir>', 'folder of all files; the models for Firefox are in <dir>/firefox')
    .option('--dry-run', 'print the commands of the steps')
    .addOption(jsonOption())
    .addHelpText(
      'after',
      '\nA step is one command of heddle, printed when it starts. After an interruption the same command continues: finished steps\n' +
        'are not repeated, a training resumes. An example is in docs/firefox.md.',
    )
    .action(async (path: string, { out: given, dryRun, json }: Options) => {
      const out = withoutEndSlash(given);
      const config = await readLanguageConfig(nodeFiles(), path);
      if (dryRun) {
        const { steps } = languageSteps(config, out, [`${languagePaths(out).translations}/000000.tsv`]);
        const lines = steps.map(({ words }) => commandLine(words));
        await printResult(lines, json, () => lines.join('\n'));
        return;
      }
      await new LanguageRun(config, out).run(json);
    });
}

const commandLine = (words: readonly string[]): string => ['heddle', ...words.map(shellQuote)].join(' ');

const hashOf = (words: readonly string[]): string =>
  createHash('sha256').update(JSON.stringify(words)).digest('hex').slice(0, 16);

/** Runs the steps that are not done yet. */
class LanguageRun {
  readonly #config: LanguageConfig;
  readonly #out: string;
  readonly #paths: LanguagePaths;
  readonly #files = nodeFiles();
  readonly #done = new Map<string, DoneStep>();

  constructor(config: LanguageConfig, out: string) {
    this.#config = config;
    this.#out = out;
    this.#paths = languagePaths(out);
  }

  async run(json: JsonOption): Promise<void> {
    mkdirSync(this.#out, { recursive: true });
    await this.#readState();
    const { length } = languageSteps(this.#config, this.#out, []).steps;
    for (let n = 0; n < length; n++) {
      const translations = await translationFiles(this.#files, this.#paths.translations);
      const { steps } = languageSteps(this.#config, this.#out, translations);
      const step = steps[n];
      if (!step) break;
      const label = `step ${n + 1} of ${length}, ${step.name}`;
      if (await this.#isDone(step)) {
        log(`${label}: done`);
        continue;
      }
      if (step.name === 'export') await writeCalibration(this.#files, this.#paths);
      const words = await this.#wordsOf(step);
      await this.#outdate(steps.slice(n + 1));
      log(`${label}: ${commandLine(words)}`);
      const start = performance.now();
      await runHeddle(words);
      this.#done.set(step.name, { command: hashOf(step.words), seconds: (performance.now() - start) / 1000 });
      await this.#writeState();
    }
    const result = await this.#result();
    await printResult(result, json, () => describe(result));
  }

  async #readState(): Promise<void> {
    const path = this.#paths.state;
    if (!(await this.#files.exists(path))) return;
    const { steps } = await readJson(this.#files, path);
    if (!isObject(steps)) throw new HeddleError('it has no steps; use another folder', { area: path });
    for (const [name, step] of Object.entries(steps))
      if (isObject(step) && typeof step.command === 'string' && typeof step.seconds === 'number')
        this.#done.set(name, { command: step.command, seconds: step.seconds, isOld: step.isOld === true });
  }
  #writeState(): Promise<void> {
    const steps = Object.fromEntries(this.#done);
    return this.#files.write(this.#paths.state, jsonBytes({ steps }));
  }
  /** Whether a step is done. Throws a HeddleError if it was done with other flags. */
  async #isDone({ name, words, out }: LanguageStep): Promise<boolean> {
    const done = this.#done.get(name);
    if (!done || done.isOld || !(await this.#files.exists(out))) return false;
    if (done.command !== hashOf(words))
      throw new HeddleError(
        msg`the configuration of the step ${name} changed since it was made; use another --out, or delete ${out}`,
        { area: out },
      );
    return true;
  }

  /** The command of a step: one that resumes it, or replaces what an earlier model has left. */
  async #wordsOf({ name, words, resumed, out }: LanguageStep): Promise<readonly string[]> {
    const exists = await this.#files.exists(out);
    if (!this.#done.get(name)?.isOld) return (exists && resumed) || words;
    return !exists || words.includes('--force') ? words : [...words, '--force'];
  }
  /** What later steps and the evaluations made is out of date: a step before them is made again. */
  async #outdate(later: readonly LanguageStep[]): Promise<void> {
    for (const { name } of later) {
      const done = this.#done.get(name);
      if (done) this.#done.set(name, { ...done, isOld: true });
    }
    await this.#writeState();
    for (let n = 1; await this.#files.exists(this.#evaluation(n)); n++)
      await this.#files.remove(this.#evaluation(n));
  }
  #evaluation(n: number): string {
    return `${this.#out}/eval-${n}.json`;
  }

  /** Evaluates the models, each once, and lists the files for Firefox. */
  async #result(): Promise<LanguageResult> {
    const { candidates } = languageSteps(this.#config, this.#out, []);
    const quality: Quality[] = [];
    for (const { name, folder } of candidates) {
      const path = this.#evaluation(quality.length + 1);
      const limit = ['--max-length-factor', String(firefoxLimit.maxLengthFactor), '--bootstrap', '0'];
      const words = ['eval', folder, this.#config.dev, ...limit, '--json', path, '--force'];
      if (!(await this.#files.exists(path))) {
        log(`quality of ${name}: ${commandLine(words)}`);
        await runHeddle(words);
      }
      const { bleu, chrf } = await readJson(this.#files, path);
      quality.push({ model: name, bleu: Number(bleu), chrf: Number(chrf) });
    }
    return {
      out: this.#out,
      steps: Object.fromEntries(Array.from(this.#done, ([name, { seconds }]) => [name, seconds])),
      quality,
      files: await firefoxFileSizes(this.#files, this.#paths.firefox),
    };
  }
}

/**
 * Runs heddle in a process whose output is this one's stderr. A signal ends it in the way of its command. Throws a
 * HeddleError if it fails.
 */
async function runHeddle(words: readonly string[]): Promise<void> {
  const program = process.argv[1] ?? '';
  const interruption = Interruption.open();
  // A group of its own: the terminal's signals reach it once, from here.
  const child = spawn(process.execPath, [...process.execArgv, program, ...words], {
    stdio: ['ignore', process.stderr, process.stderr],
    detached: process.platform !== 'win32',
  });
  const forward = () => void child.kill('SIGINT');
  interruption.signal.addEventListener('abort', forward);
  try {
    const status = await new Promise<number | NodeJS.Signals>((resolve, reject) => {
      child.on('error', reject);
      child.on('exit', (code, signal) => resolve(code ?? signal ?? 1));
    });
    if (interruption.signal.aborted)
      throw new HeddleError('interrupted; the same command continues', { area: 'language', kind: 'aborted' });
    if (status !== 0)
      throw new HeddleError(
        msg`heddle ${words[0]} failed (${status}); correct its cause, then the same command continues`,
        { area: 'language' },
      );
  } finally {
    interruption.signal.removeEventListener('abort', forward);
    interruption.close();
  }
}

function describe({ out, steps, quality, files }: LanguageResult): string {
  const seconds = Object.values(steps).reduce((a, b) => a + b, 0);
  return [
    table(
      [['', 'BLEU', 'chrF2'], ...quality.map((q) => [q.model, q.bleu.toFixed(2), q.chrf.toFixed(2)])],
      [1, 2],
    ),
    '',
    table(
      Object.entries(files).map(([name, bytes]) => [`${out}/firefox/${name}`, formatBytes(bytes)]),
      [1],
    ),
    '',
    `${Object.keys(steps).length} steps in ${formatDuration(seconds)}`,
  ].join('\n');
}
