// The tables of the scalpel: which head matters for which word, and what each layer would say.

import type { Inspection, ModelPart } from '../../src/entries/reports.ts';
import { formatPercent } from '../common/format.ts';
import { say } from '../common/page-texts.ts';
import { type Content, html, nothing } from '../common/panel.ts';
import { columnHeads, hint, signed } from '../common/tables.ts';
import { gridOf, headsOf } from './model-grid.ts';

/** Without a head: how much the loss of each token of the translation rises. */
export interface HeadRow {
  readonly part: ModelPart;
  readonly rises: readonly number[];
}

type Word = Inspection['source'][number];

/** A token as a word; a piece inside a word has a dot before it. */
export const wordOf = ({ label, spaced }: Word): string =>
  !spaced && /^\p{L}/u.test(label) ? `·${label}` : label;

/** How strong the colour of a rise of the loss is, from 0 to 1. At 0.7 it is 0.5: the word is half as likely. */
export const shade = (rise: number): number => (rise <= 0 ? 0 : 1 - Math.exp(-rise));

/**
 * The head map: a row for each head, a column for each token of the translation. `guess`: the head that the visitor
 * thinks matters most.
 */
export function headMap(base: Inspection, map: readonly HeadRow[], guess: ModelPart | undefined): Content {
  if (map.length === 0)
    return hint(
      say`Guess first: which head does this sentence need most? Click it, then press “Switch off every head, one by one”.`,
    );
  const all = headsOf(gridOf(base)).length;
  const labels = base.target.map((_, t) =>
    base.target[t + 1] ? wordOf(base.target[t + 1] as Word) : '[end]',
  );
  const sums = map.map(({ part, rises }) => ({ part, sum: rises.reduce((a, b) => a + b, 0) }));
  const ranked = [...sums].sort((a, b) => b.sum - a.sum);
  const place = ranked.findIndex(({ part }) => part === guess);
  return html`
    <h3>Which head matters for which word</h3>
    <div class="scroll scalpel-table" role="region" aria-label="Which head matters for which word" tabindex="0">
      <table class="scalpel-map">
        <thead><tr>${columnHeads([say`Without`, ...labels])}</tr></thead>
        <tbody>
          ${map.map(
            ({ part, rises }) => html`
            <tr>
              <th scope="row">${headName(part)}</th>
              ${rises.map(
                (rise) =>
                  html`<td .style=${`--weight: ${Math.round(100 * shade(rise))}%`} data-better=${rise < -0.05 ? '' : nothing}>${signed(rise, 1)}</td>`,
              )}
            </tr>`,
          )}
        </tbody>
      </table>
    </div>
    ${hint(say`${map.length} of ${all} heads. A number is how much the loss of a word rises without the head: 0.7 means that the word is half as likely.`)}
    ${
      map.length === all && ranked[0]
        ? html`<p role="status">
            ${say`This sentence needs ${headName(ranked[0].part)} most.`}
            ${place >= 0 ? (place === 0 ? say`You guessed it.` : say`Your head, ${headName(ranked[place]?.part ?? '')}, is number ${place + 1} of ${all}.`) : nothing}
          </p>`
        : nothing
    }`;
}

/** The logit lens: what the output layer would say after each layer. */
export function logitLens({ lens = [], target }: Inspection): Content {
  const after = target.map(wordOf);
  return html`
    <details class="scalpel-more">
      <summary>What would each layer say? The logit lens</summary>
      <div class="scroll scalpel-table" role="region" aria-label="Logit lens" tabindex="0">
        <table class="scalpel-map">
          <thead><tr>${columnHeads([say`After`, ...after])}</tr></thead>
          <tbody>
            ${lens.map(
              ({ part, next }) => html`
              <tr>
                <th scope="row">${part === 'decoder.embedding' ? say`Embedding` : say`Layer ${Number(part.split('.')[1]) + 1}`}</th>
                ${next.map(([best]) => {
                  const share = best?.probability ?? 0;
                  return html`<td class="said" .style=${`--weight: ${Math.round(80 * share)}%`} title=${formatPercent(share)}><bdi>${best?.label ?? ''}</bdi></td>`;
                })}
              </tr>`,
            )}
          </tbody>
        </table>
      </div>
      ${hint(say`Each row reads the vectors of the decoder after a layer through the output layer, as if the model ended there. The last row is what the model says.`)}
    </details>`;
}

/** The name of a head in the map. */
function headName(part: string): string {
  const [stack, layer = '0', kind = '', head = '0'] = part.split('.');
  const numbers = `${Number(layer) + 1}.${Number(head) + 1}`;
  if (stack === 'encoder') return say`Encoder ${numbers}`;
  return kind === 'cross' ? say`Cross ${numbers}` : say`Decoder ${numbers}`;
}
