// The budgets of kernels: what a change may not make worse. bench/isa/budgets has a file for each vendor.

import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { present } from '../../src/core/present.ts';
import type { KernelRow } from './kernel-rows.ts';
import { shareOf } from './listing.ts';
import type { Vendor } from './vendor-listings.ts';

/** Numbers of a kernel that `--check` compares. */
export interface Budget {
  /** May fall by 0.01. */
  readonly share: number;
  /** Accesses to scratch memory in the hot loop. */
  readonly inLoop: number;
  /** Threads or waves that fit; absent if the driver does not say. */
  readonly threads?: number;
  /** Matrix instructions of the loop; absent if it has none. */
  readonly matrix?: number;
}

/** Budgets of the kernels of a vendor, by `gpu kernel`. */
export type Budgets = Readonly<Record<string, Budget>>;

/** The budgets that kernels keep exactly; those of heddle only. */
export const budgetsOf = (rows: readonly KernelRow[]): Budgets =>
  Object.fromEntries(
    rows
      .filter(({ from }) => from === 'heddle')
      .map(({ gpu, name, loop, threads }) => {
        const share = Number(shareOf(loop).toFixed(3));
        return [
          `${gpu} ${name}`,
          { share, inLoop: loop.spill, threads, matrix: loop.matrix > 0 ? loop.matrix : undefined },
        ];
      }),
  );

const fileOf = (folder: string, vendor: Vendor): string => join(folder, `${vendor}.json`);

/** The budgets of a vendor in a folder; none without a file. */
export const readBudgets = (folder: string, vendor: Vendor): Budgets =>
  existsSync(fileOf(folder, vendor)) ? JSON.parse(readFileSync(fileOf(folder, vendor), 'utf8')) : {};

/** Writes the budgets of a vendor, one a line. */
export function writeBudgets(folder: string, vendor: Vendor, budgets: Budgets): void {
  mkdirSync(folder, { recursive: true });
  const lines = Object.entries(budgets).map(
    ([key, budget]) => `  ${JSON.stringify(key)}: ${JSON.stringify(budget)}`,
  );
  writeFileSync(fileOf(folder, vendor), `{\n${lines.join(',\n')}\n}\n`);
}

/** What exceeds the budgets, a line each. A kernel without a budget does too. */
export const exceeded = (rows: readonly KernelRow[], budgets: Budgets): string[] =>
  Object.entries(budgetsOf(rows)).flatMap(([key, now]) => {
    const budget = budgets[key];
    if (!budget) return [`${key}: no budget; run npm run bench:isa -- --update-budgets`];
    const line = (name: keyof Budget) => `${key}: ${name} ${now[name] ?? 'none'}, budget ${budget[name]}`;
    return present([
      now.share < budget.share - 0.01 ? line('share') : undefined,
      now.inLoop > budget.inLoop ? line('inLoop') : undefined,
      (now.threads ?? 0) < (budget.threads ?? 0) ? line('threads') : undefined,
      (now.matrix ?? 0) < (budget.matrix ?? 0) ? line('matrix') : undefined,
    ]);
  });
