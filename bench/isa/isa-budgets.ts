// The budgets of kernels: the instructions that a change may not add. bench/isa/budgets.json has them.

import { present } from '../../src/core/present.ts';
import type { KernelIsa, KernelRow } from './disassembly.ts';

/**
 * Numbers of a kernel that --check compares, by `family from name`. Shares may fall by 0.01, counts may not
 * grow.
 */
export type Budgets = Record<
  string,
  Pick<KernelIsa, 'share' | 'waves' | 'spills'> & {
    readonly boundsChecks: number;
    readonly loopCounters: number;
    /** Matrix instructions of the loop, which then has no multiply-adds; absent if it has none. */
    readonly matrix?: number;
  }
>;

/** The name of a kernel in the budgets. */
const keyOf = ({ family, from, name }: KernelRow): string => `${family} ${from} ${name}`;

/** The budgets that kernels keep exactly. */
export function budgetsOf(rows: readonly KernelRow[]): Budgets {
  return Object.fromEntries(
    rows
      .filter((row) => row.from === 'heddle')
      .map((row) => {
        const { boundsChecks, loopCounters, matrix, fma } = row.loop;
        const share = Number(row.share.toFixed(3));
        const numbers = {
          share,
          waves: row.waves,
          spills: row.spills + row.scratch,
          boundsChecks,
          loopCounters,
          matrix: matrix > 0 && fma === 0 ? matrix : undefined,
        };
        return [keyOf(row), numbers];
      }),
  );
}

/**
 * Prints the numbers that exceed their budget; returns the exit code. A kernel without a budget is also an
 * error.
 */
export function checkBudgets(rows: readonly KernelRow[], budgets: Budgets): number {
  const problems = Object.entries(budgetsOf(rows)).flatMap(([key, now]) => {
    const budget = budgets[key];
    if (!budget) return [`${key}: no budget; run npm run bench:isa -- --update-budgets`];
    return present([
      now.share < budget.share - 0.01 ? `${key}: share ${now.share}, budget ${budget.share}` : undefined,
      ...(['spills', 'boundsChecks', 'loopCounters'] as const).flatMap((name) =>
        now[name] > budget[name] ? [`${key}: ${name} ${now[name]}, budget ${budget[name]}`] : [],
      ),
      (now.matrix ?? 0) < (budget.matrix ?? 0)
        ? `${key}: ${now.matrix ?? 'no'} matrix instructions without multiply-adds, budget ${budget.matrix}`
        : undefined,
      now.waves < budget.waves ? `${key}: waves ${now.waves}, budget ${budget.waves}` : undefined,
    ]);
  });
  for (const problem of problems) console.error(problem);
  console.log(
    problems.length === 0
      ? `${rows.length} kernels are within their budgets`
      : `${problems.length} budgets exceeded`,
  );
  return problems.length === 0 ? 0 : 1;
}
