// Gates of an SSRU over the target tokens: a row for each token with the mean of its gates, and the gates of all
// channels as an area.

import { say } from '../../common/page-texts.ts';
import { type Content, html, svg } from '../../common/panel.ts';
import { dataTable, probability } from '../../common/tables.ts';
import { labelOf } from './heat-map.ts';

/** The mean of the gates of a token; 0 without channels. */
const meanOf = (gates: Float32Array): number => gates.reduce((a, b) => a + b, 0) / Math.max(1, gates.length);

/** A table of gates [T, channels]. */
export const gateTable = (target: readonly string[], gates: Float32Array, channels: number): Content =>
  dataTable(
    say`Gates over the target tokens`,
    [say`Token`, say`Mean gate`, say`Gates of the channels`],
    target.map((token, t) => {
      const row = gates.slice(t * channels, (t + 1) * channels);
      return [html`<bdi>${labelOf(token)}</bdi>`, probability(meanOf(row)), gateStrip(row)];
    }),
  );

/** The gates of all channels at one token: a channel that keeps its state has a high area. */
function gateStrip(gates: Float32Array): Content {
  const steps = Array.from(gates, (gate, i) => `V${(20 - 20 * gate).toFixed(1)}H${i + 1}`).join('');
  return html`
    <svg
      class="strip gates"
      viewBox="0 0 ${gates.length} 20"
      preserveAspectRatio="none"
      role="img"
      aria-label="${gates.length} gates from 0 to 1"
    >${svg`<path class="plus" d="M0 20${steps}V20Z"></path>`}</svg>`;
}
