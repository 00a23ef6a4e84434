// What the compilers of a GPU's vendor said of its relatives, beside what the lab measures (npm run bench:isa).

import type { KernelSummaries, KernelSummary } from '../../bench/isa/kernel-summary.ts';
import recorded from '../../bench/results/compilers/kernels.json';
import { say } from '../common/page-texts.ts';
import { type Content, html, nothing } from '../common/panel.ts';
import { factList, hint } from '../common/tables.ts';

const summaries = recorded as unknown as KernelSummaries;

/** Names of adapters by the vendor of their compiler. */
const vendors: Readonly<Record<KernelSummary['vendor'], RegExp>> = {
  intel: /\bintel\b/i,
  nvidia: /nvidia|geforce/i,
  apple: /\bapple\b/i,
  adreno: /qualcomm|adreno/i,
  mali: /\barm\b|\bmali\b/i,
  amd: /\bamd\b|radeon/i,
};

/** The compiled GPUs of the vendor of an adapter. */
export const relativesOf = (adapter: string): readonly KernelSummary[] =>
  Object.values(summaries).filter(({ vendor }) => vendors[vendor].test(adapter));

const range = ([low, high]: readonly [number, number]): string =>
  low === high ? `${Math.round(100 * low)} %` : `${Math.round(100 * low)}–${Math.round(100 * high)} %`;

/** The relatives of an adapter; nothing for a software adapter, or if no compiler of its vendor is recorded. */
export function compiledRelatives(adapter: string, software: boolean): Content {
  const relatives = software ? [] : relativesOf(adapter);
  if (relatives.length === 0) return nothing;
  return html`
    <div class="stack-small compiled-relatives">
      <h3>What compilers say of related GPUs</h3>
      ${factList(relatives.map((one) => [one.product, factsOf(one)]))}
      ${hint(say`From compiling the kernels of heddle without a GPU: the share of the arithmetic peak that the instructions of their loops can reach, before tuning. Not measured.`)}
    </div>`;
}

function factsOf({ products, fewRows, attention, hot, spilling }: KernelSummary): string {
  const parts = [
    products && say`products ${range(products)}`,
    fewRows && say`products of few rows ${range(fewRows)}`,
    attention && say`attention ${range(attention)}`,
    say`${spilling} of ${hot} hot loops use scratch memory`,
  ];
  return parts.filter(Boolean).join('; ');
}
