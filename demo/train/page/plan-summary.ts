// What the preview of a training shows: corpus statistics, model size and GPU memory.

import { live } from 'lit-html/directives/live.js';
import type { MemoryOffer } from '../../../src/entries/heddle.ts';
import { describeChanges, parseChanges } from '../../../src/entries/reports.ts';
import { field } from '../../common/form-fields.ts';
import { formatBytes, formatInteger, formatNumber } from '../../common/format.ts';
import { say } from '../../common/page-texts.ts';
import { type Content, html, nothing, svg } from '../../common/panel.ts';
import { factList, hint } from '../../common/tables.ts';
import { translatedMessage } from '../../common/translated-message.ts';
import type { CorpusChoice, LengthStatistics, TrainingPreview } from '../protocol.ts';
import { messageForVisitors } from '../worker/visitor-messages.ts';

/** Statistics of a corpus and a few of its pairs. */
export function corpusSummary({ corpus }: TrainingPreview, chosen: CorpusChoice): Content {
  const [from, to] = chosen.kind === 'intl' ? [chosen.source, chosen.target] : ['', ''];
  const about = corpus.sampled > 0 ? '≈ ' : '';
  const dev = about + formatInteger(corpus.dev);
  const sampled = say`Estimated from ${formatInteger(corpus.sampled)} pairs; the rest is generated when the training starts.`;
  const facts: [string, string][] = [
    [say`pairs`, formatInteger(corpus.pairs)],
    [say`training pairs`, about + formatInteger(corpus.train)],
    // No test pairs are held out of the visitor's own pairs.
    chosen.kind === 'text'
      ? [say`dev pairs`, formatInteger(corpus.dev)]
      : [say`dev · test pairs`, `${dev} · ${formatInteger(corpus.test)}`],
  ];
  if (corpus.skipped > 0) facts.push([say`skipped (too long or empty)`, formatInteger(corpus.skipped)]);
  return html`
    ${factList(facts)}
    ${corpus.sampled > 0 ? hint(sampled) : nothing}
    ${corpus.badLines ? hint(corpus.badLines) : nothing}
    <div class="sides">
      ${sideSummary(say`Source`, corpus.sourceLength, corpus.sourceVocabulary, 'look1')}
      ${sideSummary(say`Target`, corpus.targetLength, corpus.targetVocabulary, 'look2')}
    </div>
    <details>
      <summary>Example pairs</summary>
      <ul class="examples">
        ${corpus.examples.map(
          ({ source, target }) => html`
            <li>
              <span lang=${from} dir="auto">${source}</span><span lang=${to} dir="auto">${target}</span>
            </li>`,
        )}
      </ul>
    </details>`;
}

/** Vocabulary size and length histogram of one side. */
function sideSummary(
  name: string,
  { mean, longest, histogram }: LengthStatistics,
  vocabulary: number,
  look: string,
): Content {
  const max = Math.max(1, ...histogram);
  const bar = (count: number, i: number) => {
    const height = (36 * count) / max + 1;
    return svg`<rect x=${i + 0.1} y=${40 - height} width="0.8" height=${height}></rect>`;
  };
  const range = say`histogram of lengths from 0 to ${longest} tokens, mean ${formatNumber(mean)}`;
  return html`
    <div class="side-facts">
      <h3>${name}</h3>
      <svg
        class="lengths ${look}"
        viewBox="0 0 ${Math.max(8, histogram.length)} 40"
        preserveAspectRatio="none"
        role="img"
        aria-label="${name}: ${range}"
      >
        ${histogram.map((count, i) => (count > 0 ? bar(count, i) : nothing))}
      </svg>
      <p class="hint number">length: mean ${formatNumber(mean)}, max ${formatInteger(longest)} tokens</p>
      <p class="hint number">vocabulary: ${formatInteger(vocabulary)} tokens</p>
    </div>`;
}

/**
 * Plans above this size get a hint: many GPUs have less memory, and WebGPU does not report the free memory.
 */
const largePlan = 4 * 2 ** 30;

/** Returns a hint for a plan of `peak` bytes; empty if it needs none. */
export const memoryHint = (peak: number): string =>
  peak > largePlan
    ? say`WebGPU does not report how much memory the GPU has. If ${formatBytes(peak)} are not free, the training ends with an error; a smaller batch takes less.`
    : '';

/** What a visitor can do about the memory of a training. */
export interface MemoryActions {
  /** The budget in MiB that was typed; empty: that of the platform. */
  readonly budget: string;
  setBudget(mebibytes: string): void;
  /** Takes the settings that fit. */
  take(settings: MemoryOffer['settings']): void;
}

/** The field of the memory budget, and one button that takes the settings that fit it. */
function memoryForm({ offer }: TrainingPreview, { budget, setBudget, take }: MemoryActions): Content {
  const input = html`<input
    id="memory-budget"
    type="number"
    min="64"
    step="64"
    placeholder="no limit"
    .value=${live(budget)}
    @change=${(event: Event) => setBudget((event.target as HTMLInputElement).value)}
  />`;
  const text =
    offer && say`Use settings that fit (${formatBytes(offer.bytes)}): ${offerNames(offer.settings)}`;
  return html`
    ${
      offer
        ? html`<button type="button" id="take-offer" @click=${() => take(offer.settings)}>${text}</button>`
        : nothing
    }
    ${field('memory-budget', say`Memory budget, MiB`, input, say`GPU and JavaScript memory together.`)}`;
}

/** The settings of an offer in words. */
const offerNames = ({
  batchSize,
  gradientCheckpointing,
  lora,
  weights,
  maxLength,
}: MemoryOffer['settings']) =>
  [
    batchSize === undefined ? '' : say`batch size ${batchSize}`,
    gradientCheckpointing ? say`gradient checkpointing` : '',
    lora ? say`a LoRA adapter on ${weights} weights` : '',
    maxLength === undefined ? '' : say`at most ${maxLength} tokens`,
  ]
    .filter((name) => name !== '')
    .join(', ');

/** Model size, work per step and GPU memory. */
export function planSummary(
  preview: TrainingPreview,
  changes: string | undefined,
  actions?: MemoryActions,
): Content {
  const { fits, reason, template, planned, config, shapes, adapter } = preview;
  const memoryText = fits ? memoryHint(planned.peak) : '';
  const { encoderLayers, decoderLayers, dModel, heads } = config;
  const work = say`${formatNumber(preview.flops / 1e9)} GFLOP, ${formatInteger(preview.dispatches)} dispatches`;
  const facts: [string, string][] = [
    [say`parameters`, formatInteger(preview.parameters)],
    [say`layers`, say`${encoderLayers} + ${decoderLayers}, width ${dModel}, ${heads} heads`],
    [say`steps`, say`${formatInteger(preview.steps)} (${formatInteger(preview.stepsPerEpoch)} per epoch)`],
    [say`GPU memory`, formatBytes(planned.peak)],
  ];
  const forEngineers: [string, string][] = [
    [say`batch shapes`, shapes.join(', ').replaceAll('x', ' × ')],
    [say`work per step`, work],
  ];
  if (changes) facts.push([say`changes during the run`, describeChanges(parseChanges(changes))]);
  const slow = say`${adapter} is a software adapter: it runs on the CPU and is very slow. Use the tiny preset and few steps.`;
  return html`
    ${fits ? nothing : html`<p class="wrong" data-fits="false">${translatedMessage(messageForVisitors(template ?? reason))}</p>`}
    ${factList(facts)}
    <div class="stack for-engineers">${factList(forEngineers)}${memoryBars(planned)}</div>
    ${memoryText ? hint(memoryText) : nothing}
    ${actions ? memoryForm(preview, actions) : nothing}
    ${preview.software ? hint(slow) : nothing}`;
}

/** The parts of the GPU memory as a bar, with their names and sizes. */
function memoryBars({ states, slots, inputs }: TrainingPreview['planned']): Content {
  const parts = [
    { name: say`weights, gradients, moments`, bytes: states, look: 'look1' },
    { name: say`activations`, bytes: slots, look: 'look2' },
    { name: say`batches`, bytes: inputs, look: 'look3' },
  ];
  const sum = Math.max(1, states + slots + inputs);
  const startOf = (i: number) => parts.slice(0, i).reduce((total, { bytes }) => total + bytes, 0);
  return html`
    <div>
      <svg class="memory" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">
        ${parts.map(({ bytes, look }, i) => {
          const width = Math.max(0, (100 * bytes) / sum - 0.4);
          return svg`<rect class=${look} x=${(100 * startOf(i)) / sum} y="0" width=${width} height="8"></rect>`;
        })}
      </svg>
      <ul class="keys">
        ${parts.map(
          ({ name, bytes, look }) => html`
            <li><i class="swatch ${look}"></i>${name} <b class="number">${formatBytes(bytes)}</b></li>`,
        )}
      </ul>
    </div>`;
}
