// What the compilers say of the kernels of each GPU in a few numbers, for the kernel lab:
// bench/results/compilers/kernels.json.

import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { compiledGpus } from './compilers.ts';
import { isHot, type KernelRow } from './kernel-rows.ts';
import { shareOf } from './listing.ts';
import type { Vendor } from './vendor-listings.ts';

/** Smallest and largest share of the arithmetic peak that hot loops can reach. */
type Shares = readonly [lowest: number, highest: number];

/** The untuned kernels of a GPU. */
export interface KernelSummary {
  /** Day on which they were compiled. */
  readonly date: string;
  readonly vendor: Vendor;
  /** A product with this GPU. */
  readonly product: string;
  readonly products?: Shares;
  /** Products of at most 16 rows. */
  readonly fewRows?: Shares;
  /** Attention in training. */
  readonly attention?: Shares;
  /** Hot kernels, and those whose loop accesses scratch memory. */
  readonly hot: number;
  readonly spilling: number;
}

/** Summaries by GPU. */
export type KernelSummaries = Readonly<Record<string, KernelSummary>>;

/** Names of a product with each GPU. */
const products: Readonly<Record<string, string>> = {
  tgl: 'Intel Iris Xe',
  mtl: 'Intel Arc Graphics (Meteor Lake)',
  dg2: 'Intel Arc A770',
  lnl: 'Intel Arc 140V (Lunar Lake)',
  bmg: 'Intel Arc B580',
  nv172: 'NVIDIA RTX 3060',
  m1: 'Apple M1',
  fd740: 'Adreno 740',
  'mali-a867': 'Mali-G610',
  navi31: 'AMD RX 7900 XTX',
  navi21: 'AMD RX 6700',
  vega10: 'AMD RX Vega 64',
};

function sharesOf(rows: readonly KernelRow[], pattern: RegExp): Shares | undefined {
  const shares = rows
    .filter(({ name }) => pattern.test(name))
    .map(({ loop }) => Number(shareOf(loop).toFixed(2)));
  return shares.length > 0 ? [Math.min(...shares), Math.max(...shares)] : undefined;
}

/** The summaries of the GPUs of rows. */
export function summariesOf(rows: readonly KernelRow[], date: string): KernelSummaries {
  const summaries: Record<string, KernelSummary> = {};
  for (const gpu of new Set(rows.map((row) => row.gpu))) {
    const hot = rows.filter((row) => row.gpu === gpu && row.from === 'heddle' && isHot(row));
    const vendor = compiledGpus[gpu]?.vendor;
    const product = products[gpu];
    if (!vendor || !product) continue;
    summaries[gpu] = {
      date,
      vendor,
      product,
      products: sharesOf(hot, /^matmul-tiled/),
      fewRows: sharesOf(hot, /^matmul-dots/),
      attention: sharesOf(hot, /^attention/),
      hot: hot.length,
      spilling: hot.filter(({ loop }) => loop.spill > 0).length,
    };
  }
  return summaries;
}

/** Replaces those of the same GPUs in a file. */
export function addSummaries(path: string, summaries: KernelSummaries): void {
  const known: KernelSummaries = existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : {};
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `${JSON.stringify({ ...known, ...summaries }, undefined, 1)}\n`);
}
