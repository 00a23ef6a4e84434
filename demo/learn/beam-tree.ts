// The hypotheses of beam search as a tree: those that begin with the same tokens share a branch.

import type { Inspection } from '../../src/entries/reports.ts';
import { type Content, html, nothing } from '../common/panel.ts';
import { probability as shownProbability, signed } from '../common/tables.ts';
import { labelOf } from '../train/page/heat-map.ts';

/** A hypothesis: its tokens with their losses, and its score. */
export interface BeamPath extends Pick<Inspection, 'target' | 'loss'> {
  readonly score: number;
}

interface Branch {
  readonly label: string;
  readonly probability: number;
  /** Branches by the ids of their tokens. */
  readonly branches: Map<number, Branch>;
  /** Rank and score of the hypothesis that ends here. */
  end?: { readonly rank: number; readonly score: number };
}

/**
 * Shows the hypotheses, the best first, as nested lists: a node is a token with its conditional probability.
 */
export function beamTree(paths: readonly BeamPath[]): Content {
  const root: Branch = { label: '[start]', probability: 1, branches: new Map() };
  for (const [rank, { target, loss, score }] of paths.entries()) {
    let at = root;
    // Different tokens can have the same label: with and without a space before it.
    for (const [t, { id, label }] of [...target.slice(1), { id: -1, label: '[end]' }].entries()) {
      const next = at.branches.get(id) ?? {
        label,
        probability: Math.exp(-(loss[t] ?? 0)),
        branches: new Map(),
      };
      at.branches.set(id, next);
      at = next;
    }
    at.end = { rank: rank + 1, score };
  }
  return html`<ul class="tree">${branch(root)}</ul>`;
}

/** A branch: a row of tokens up to the next fork, then the fork as a list. */
function branch(from: Branch): Content {
  const row = [from];
  let at = from;
  while (at.branches.size === 1) {
    at = [...at.branches.values()][0] as Branch;
    row.push(at);
  }
  const { end } = at;
  const forks = [...at.branches.values()];
  return html`
    <li>
      <div class="tree-row">
        ${row.map(node)}
        ${end ? html`<span class="hint number">${end.rank}. score ${signed(end.score)}</span>` : nothing}
      </div>
      ${forks.length > 0 ? html`<ul class="tree">${forks.map(branch)}</ul>` : nothing}
    </li>`;
}

const node = ({ label, probability }: Branch): Content => html`
  <span class="tree-node"
    ><b dir="auto">${labelOf(label)}</b><span class="hint number">${shownProbability(probability)}</span></span
  >`;
