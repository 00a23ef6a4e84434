// Random golden cases of the makers in ../shared/golden-makers, and what differs in them.

import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { verify } from '../../src/commands/golden-kinds.ts';
import type { Engine } from '../../src/engine/engine.ts';
import { nodeFiles } from '../../src/host/node-files.ts';
import { EngineSession } from './session.ts';

/** Folder of the makers. */
export const makers = process.env.HEDDLE_GOLDEN_MAKERS ?? '../shared/golden-makers';

/** Whether the makers are there; they need Debian's python3-torch, python3-safetensors, python3-yaml and python3-regex. */
export const hasMakers = existsSync(makers);

const programs = {
  nn: 'golden.py',
  t5: 'hf_golden.py',
  bart: 'hf_golden.py',
  m2m100: 'hf_golden.py',
  mbart: 'hf_golden.py',
  pegasus: 'hf_golden.py',
  marianmt: 'hf_golden.py',
  marian: 'marian_golden.py',
  'marian-int8': 'marian_golden.py',
  whisper: 'whisper_golden.py',
} as const;

/** A family of models for which there are makers. */
export type GoldenFamily = keyof typeof programs;

/** The families. */
export const goldenFamilies = Object.keys(programs) as readonly GoldenFamily[];

/** Makes the cases of some seeds in a folder; returns the folders of those that could be made. */
export function makeCases(family: GoldenFamily, first: number, count: number, out: string): string[] {
  const args = ['random', `${first}`, out, '--family', family, '--count', `${count}`];
  try {
    execFileSync('/usr/bin/python3', [join(makers, programs[family]), ...args], {
      env: { ...process.env, OMP_NUM_THREADS: '1', PYTHONDONTWRITEBYTECODE: '1' },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
  } catch (error) {
    // 3: some seeds cannot be made, see the README of the makers.
    if ((error as { status?: number }).status !== 3) throw error;
  }
  return Array.from({ length: count }, (_, i) => join(out, `${family}-${first + i}`)).filter(existsSync);
}

/** Folders of cases in a folder. */
export const caseFolders = (folder: string): string[] =>
  readdirSync(folder)
    .filter((name) => existsSync(join(folder, name, 'draw.json')))
    .map((name) => join(folder, name));

/** Verifies cases on an engine; returns a line for each that differs, with the command that repeats it. */
export async function goldenProblems(
  folders: readonly string[],
  engine: () => Engine | Promise<Engine>,
): Promise<string[]> {
  const session = new EngineSession(nodeFiles(), async () => engine());
  const problems: string[] = [];
  for (const { name, compared, refused } of await verify({ folders }, session)) {
    const far = compared.filter(({ passed }) => !passed).map(({ quantity, error }) => `${quantity} ${error}`);
    if (far.length === 0 && !refused) continue;
    const folder = folders.find((path) => path.endsWith(`/${name}`)) ?? '';
    const { words } = JSON.parse(readFileSync(join(folder, 'draw.json'), 'utf8')) as { words: string[] };
    const [, family, seed] = /^(.*)-(\d+)$/.exec(name) ?? [];
    problems.push(
      `${name}: ${refused ? `refused: ${refused}` : far.slice(0, 3).join('; ')} (${words.join(', ')}); repeat with ${makers}/sweep ${family} ${seed} 1 --project .`,
    );
  }
  return problems;
}
