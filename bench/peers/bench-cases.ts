// The golden cases that are timed or checked: where they lie, and how those that are too large to keep are made by PyTorch.

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { HeddleError } from '../../src/core/errors.ts';

const layers = (n: number) => ({ n_encoder_layers: n, n_decoder_layers: n });
const vocabularies = (n: number) => ({ src_vocab: n, tgt_vocab: n });
const lengths = (n: number) => ({ src_len: n, tgt_len: n, max_len: n });

/**
 * The fixed configurations, as arguments of golden.py; two updates are enough to check the steps that warm up. `keras` is the
 * translation example of Keras, whose heads are each as wide as the model: made by wide_heads.py. `base` is one micro-batch of the
 * eight that make 4,096 target tokens.
 */
export const configurations: Readonly<Record<string, Readonly<Record<string, string | number | boolean>>>> = {
  small: { d_model: 128, n_heads: 4, d_ff: 512, ...layers(2), ...vocabularies(2000), batch: 16, ...lengths(24) },
  mid: { d_model: 256, n_heads: 8, d_ff: 1024, ...layers(3), ...vocabularies(8000), batch: 16, ...lengths(32) },
  keras: {
    d_model: 256,
    n_heads: 8,
    head_width: 256,
    d_ff: 2048,
    ...layers(1),
    ...vocabularies(15000),
    batch: 64,
    ...lengths(20),
    positions: 'learned',
    scale_embedding: false,
    final_norm: false,
    layer_norm_eps: 1e-3,
  },
  base: {
    d_model: 512,
    n_heads: 8,
    d_ff: 2048,
    ...layers(6),
    ...vocabularies(16000),
    tie: 'all',
    batch: 16,
    ...lengths(32),
  },
};

/** Where cases are looked for and made. */
export interface CaseFolders {
  /** Folders that may hold cases. */
  readonly known: readonly string[];
  /** Where new ones are kept. */
  readonly made: string;
  /** golden.py, which makes them from PyTorch. */
  readonly script: string;
  /** wide_heads.py, which makes those whose heads PyTorch does not know. */
  readonly wideScript: string;
}

/** Folders by default: the tests' own cases, those beside golden.py, and the user's cache. */
export function caseFolders(root: string): CaseFolders {
  const shared = join(root, '..', 'shared', 'golden');
  const cache = process.env.XDG_CACHE_HOME || join(homedir(), '.cache');
  return {
    known: [join(root, 'tests', 'fixtures', 'golden'), shared],
    made: join(cache, 'heddle', 'golden'),
    script: join(shared, 'golden.py'),
    wideScript: join(root, 'bench', 'peers', 'wide_heads.py'),
  };
}

/** Names of the cases that are there, and of those that can be made. */
export function caseNames({ known, made }: CaseFolders): string[] {
  const there = [...known, made]
    .filter((folder) => existsSync(folder))
    .flatMap((folder) => readdirSync(folder).filter((name) => existsSync(join(folder, name, 'config.json'))));
  return [...new Set([...Object.keys(configurations), ...there.filter((name) => !name.endsWith('.partial'))])];
}

/**
 * The folder of a case, made first where it is one of `configurations` and not there yet. Throws a HeddleError that says what is
 * missing.
 */
export function caseFolder(
  name: string,
  { known, made, script, wideScript }: CaseFolders,
  log: (line: string) => void,
): string {
  const configuration = configurations[name];
  for (const folder of [...known, made]) if (isThere(join(folder, name), configuration)) return join(folder, name);
  if (!configuration)
    throw new HeddleError(
      `There is no golden case ${name} in ${[...known, made].join(', ')}; ${Object.keys(configurations).join(', ')} can be made.`,
    );
  if (!existsSync(script))
    throw new HeddleError(
      `The golden case ${name} must be made by golden.py, which is not at ${script}; name it with --golden PATH.`,
    );
  log(`making the golden case ${name} with PyTorch`);
  const settings = { ...configuration, steps: 2, decode_len: 1 };
  const partial = `${name}.partial`;
  mkdirSync(made, { recursive: true });
  const scripts = 'head_width' in settings ? [wideScript, script] : [script];
  const args = [...scripts, made, partial, ...Object.entries(settings).map(([key, value]) => `${key}=${value}`)];
  const { status, stderr, error } = spawnSync('/usr/bin/python3', args, { encoding: 'utf8' });
  if (error || status !== 0) {
    const why = error?.message ?? stderr.trim().split('\n').pop() ?? '';
    throw new HeddleError(
      `golden.py could not make ${name}: ${why}. It needs PyTorch (Debian: apt-get install python3-torch python3-safetensors).`,
    );
  }
  rmSync(join(made, name), { recursive: true, force: true });
  renameSync(join(made, partial), join(made, name));
  return join(made, name);
}

/** Whether a folder holds a case, and not one made for what its configuration was before. */
function isThere(folder: string, configuration: Readonly<Record<string, unknown>> = {}): boolean {
  const path = join(folder, 'config.json');
  if (!existsSync(path)) return false;
  const config = JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;
  return Object.entries(configuration).every(([key, value]) => config[key] === value);
}
