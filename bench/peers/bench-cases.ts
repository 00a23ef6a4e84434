// The golden cases that are timed or checked: the cases of the tests, and cases of the presets, which are
// created when they are first used.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { HeddleError } from '../../src/core/errors.ts';
import { listed, msg } from '../../src/core/message.ts';
import { cachePath } from '../../src/host/node-files.ts';
import { type CaseSettings, findPytorch, makeGolden, type Reference, referenceOf } from './golden-maker.ts';

const layers = (n: number) => ({ n_encoder_layers: n, n_decoder_layers: n });
const vocabularies = (n: number) => ({ src_vocab: n, tgt_vocab: n });
const lengths = (n: number) => ({ src_len: n, tgt_len: n, max_len: n });

/**
 * The presets and their batches. `keras` is the translation example of Keras, whose heads are each as wide as
 * the model. `base` is one micro-batch of the eight that make 4,096 target tokens.
 */
export const configurations: Readonly<Record<string, CaseSettings>> = {
  tiny: { d_model: 64, n_heads: 4, d_ff: 256, ...layers(2), ...vocabularies(500), batch: 8, ...lengths(12) },
  small: {
    d_model: 128,
    n_heads: 4,
    d_ff: 512,
    ...layers(2),
    ...vocabularies(2000),
    batch: 16,
    ...lengths(24),
  },
  mid: {
    d_model: 256,
    n_heads: 8,
    d_ff: 1024,
    ...layers(3),
    ...vocabularies(8000),
    batch: 16,
    ...lengths(32),
  },
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

/** Folders of cases. */
export interface CaseFolders {
  /** Folders that may contain cases. */
  readonly known: readonly string[];
  /** Folder for created cases. */
  readonly created: string;
}

/** The default folders: the cases of the tests, and heddle's cache folder. */
export const caseFolders = (root: string): CaseFolders => ({
  known: [join(root, 'tests', 'fixtures', 'golden')],
  created: cachePath('golden'),
});

/** Names of the cases that exist or can be created. */
export function caseNames({ known, created: made }: CaseFolders): string[] {
  const existing = [...known, made]
    .filter((folder) => existsSync(folder))
    .flatMap((folder) => readdirSync(folder).filter((name) => existsSync(join(folder, name, 'config.json'))));
  return [
    ...new Set([...Object.keys(configurations), ...existing.filter((name) => !name.endsWith('.partial'))]),
  ];
}

/** A case on disk and what computed its expected results. */
export interface PreparedCase {
  readonly folder: string;
  readonly reference: Reference;
}

/**
 * Finds a case, or creates it if it is one of `configurations`. Throws a HeddleError if there is no such
 * case.
 */
export async function prepareCase(
  name: string,
  { known, created: made }: CaseFolders,
  log: (line: string) => void,
  pytorch = findPytorch,
): Promise<PreparedCase> {
  const settings = configurations[name];
  for (const parent of known) {
    const folder = join(parent, name);
    if (existsSync(join(folder, 'config.json'))) return { folder, reference: 'PyTorch' };
  }
  if (!settings)
    throw new HeddleError(
      msg`there is no golden case ${name} in ${listed([...known, made])}; these can be created: ${listed(Object.keys(configurations))}`,
    );
  const folder = join(made, name);
  const reference = isCurrent(folder, settings) ? referenceOf(folder) : undefined;
  // A case that was created without PyTorch is created again when PyTorch is installed.
  const python = reference === 'PyTorch' ? undefined : pytorch();
  if (reference && !python) return { folder, reference };
  log(`creating the golden case ${name} in ${folder}`);
  return { folder, reference: await makeGolden(made, name, settings, python) };
}

/** Whether a folder has a case that was created with these settings. */
function isCurrent(folder: string, settings: CaseSettings): boolean {
  const path = join(folder, 'config.json');
  if (!existsSync(path)) return false;
  const config = JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;
  return Object.entries(settings).every(([key, value]) => config[key] === value);
}
