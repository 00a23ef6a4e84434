// Compares recorded trainings with their twins in Python.

import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { python } from '../../support/python.ts';
import { drawTraining } from './draw-training.ts';
import { recordTraining, type TwinEngine } from './record-training.ts';

/** A compared quantity. */
interface Compared {
  readonly quantity: string;
  readonly error: number | null;
  readonly limit: number;
}

/**
 * Runs the drawn trainings of some seeds on an engine and their twins; returns a line for each that differs, with the
 * command that repeats it.
 */
export async function twinProblems(
  seeds: readonly number[],
  engine: TwinEngine,
  root: string,
): Promise<string[]> {
  const problems: string[] = [];
  const paths = new Map<string, number>();
  for (const seed of seeds) {
    const drawn = drawTraining(seed);
    const path = await recordTraining(drawn, engine, root).catch((error) => {
      problems.push(`seed ${seed} (${drawn.words.join(', ')}): ${error}\n${error?.stack}`);
      return undefined;
    });
    if (path) paths.set(path, seed);
  }
  if (paths.size === 0) return problems;
  const script = join(import.meta.dirname, 'twin.py');
  const { stdout } = await promisify(execFile)(python, [script, ...paths.keys()], { maxBuffer: 2 ** 28 });
  for (const line of stdout.trim().split('\n')) {
    const { case: path, compared } = JSON.parse(line) as { case: string; compared: Compared[] };
    const far = compared.filter(({ error, limit }) => !(error !== null && error <= limit));
    if (far.length === 0) continue;
    const seed = paths.get(path) as number;
    const what = far.map(
      ({ quantity, error, limit }) => `${quantity} ${error} above ${limit.toExponential(1)}`,
    );
    problems.push(
      `seed ${seed} on ${engine}: ${what.join('; ')} (${drawTraining(seed).words.join(', ')}); repeat with HEDDLE_SEED=${seed} npx vitest run tests/train/twin --project ${engine === 'Dawn' ? 'full' : 'cpu'}`,
    );
  }
  return problems;
}
