// Panel of all stored runs: a table of the settings that differ and the results, a chart of their curves, CSV
// and PNG.

import { live } from 'lit-html/directives/live.js';
import type { LogEval, LogStep } from '../../../src/entries/reports.ts';
import {
  describeChanges,
  parseChanges,
  type RunSummary,
  runMetrics,
  settingText,
  unlikeLosses,
} from '../../../src/entries/reports.ts';
import { adapterOf } from '../../common/adapter-name.ts';
import { field, options } from '../../common/form-fields.ts';
import { formatDuration, formatInteger, formatPercent, inDigits } from '../../common/format.ts';
import { say, translated } from '../../common/page-texts.ts';
import { type Content, html, nothing, Panel } from '../../common/panel.ts';
import { download } from '../../common/save-blob.ts';
import { termList } from '../../common/terms.ts';
import { shortName } from '../../storage/model-names.ts';
import type { RunHistory } from '../protocol.ts';
import { Series } from './averaged-series.ts';
import { type Line, LineChart } from './line-chart.ts';
import { RunsScores } from './runs-scores.ts';
import { settingLabel } from './setting-words.ts';
import { stateWords } from './state-words.ts';
import type { Session } from './training-session.ts';

/** Names of the curves of steps and of evaluations, by the field of the log. */
const stepCurves = {
  loss: say`training loss`,
  accuracy: say`training accuracy`,
  gradientNorm: say`gradient norm`,
  updateRatio: say`update norm over weight norm`,
  learningRate: say`learning rate`,
  tokensPerSecond: say`tokens per second`,
  mfu: 'MFU',
} satisfies Partial<Record<keyof LogStep, string>>;
const evalCurves = {
  loss: say`dev loss`,
  tokenAccuracy: say`dev token accuracy`,
  bleu: say`dev BLEU`,
  chrf: say`dev chrF2`,
  exactMatch: say`dev exact match`,
} satisfies Partial<Record<keyof LogEval, string>>;

/** The curves as options: the kind of the record and the field. */
const curves = [
  ...Object.entries(stepCurves).map(([key, name]) => [`step.${key}`, name] as const),
  ...Object.entries(evalCurves).map(([key, name]) => [`eval.${key}`, name] as const),
];

type Look = Line['look'];

/** The panel. */
export class RunsPanel extends Panel {
  readonly #session: Session;
  readonly #reuse: (name: string) => void;
  readonly #scores: RunsScores;
  readonly #chart = new LineChart({ title: say`Curves of the selected runs`, height: 260, lines: [] });
  #runs: readonly RunSummary[] = [];
  /** The selected runs. */
  readonly #selected = new Set<string>();
  /** Those whose history has been read, in the order in which they were selected: their curves are shown. */
  readonly #chosen = new Map<string, RunHistory>();
  #curve = 'step.loss';
  #smoothing = 0.6;
  #note = '';

  /** `reuse` fills the form with the settings of a run. */
  constructor(session: Session, reuse: (name: string) => void) {
    super();
    this.#session = session;
    this.#reuse = reuse;
    this.#scores = new RunsScores(session);
    this.draw();
  }

  /** Reads the runs again. */
  async refresh(): Promise<void> {
    try {
      this.#runs = await this.#session.runs();
      const names = new Set(this.#runs.map((run) => run.folder));
      for (const name of this.#chosen.keys()) {
        if (names.has(name)) this.#chosen.set(name, await this.#session.history(name));
        else this.#drop(name);
      }
      this.#note =
        this.#runs.length > 0 ? '' : say`No runs yet. The table shows the settings in which runs differ.`;
    } catch (error) {
      this.#note = (error as Error).message;
    }
    this.#drawCurves();
  }

  #drawCurves(): void {
    this.draw();
    this.#scores.setRuns([...this.#chosen.keys()]);
    const [kind = '', key = ''] = this.#curve.split('.');
    const lines = [...this.#chosen].map(([name, { steps, evals }], i): Line => {
      const points =
        kind === 'step' ? valuesOf(steps, key as keyof LogStep) : valuesOf(evals, key as keyof LogEval);
      return {
        name,
        series: smoothed(points, this.#smoothing),
        look: ((i % 4) + 1) as Look,
        dash: (((i + Math.floor(i / 4)) % 4) + 1) as Look,
        dots: kind === 'eval',
      };
    });
    this.#chart.setLines(lines);
  }

  async #choose(name: string, isSelected: boolean): Promise<void> {
    this.#drop(name);
    if (isSelected)
      try {
        this.#selected.add(name);
        const history = await this.#session.history(name);
        if (this.#selected.has(name)) this.#chosen.set(name, history);
      } catch (error) {
        this.#drop(name);
        this.#note = (error as Error).message;
      }
    this.#drawCurves();
  }

  #drop(name: string): void {
    this.#selected.delete(name);
    this.#chosen.delete(name);
  }

  #selectCurve(event: Event): void {
    this.#curve = (event.target as HTMLSelectElement).value;
    this.#drawCurves();
  }

  #smooth(event: Event): void {
    this.#smoothing = (event.target as HTMLInputElement).valueAsNumber;
    this.#drawCurves();
  }

  #saveCsv(): void {
    download(new Blob([toCsv(this.#chosen)], { type: 'text/csv' }), 'runs.csv');
  }

  async #savePng(): Promise<void> {
    const image = await this.#chart.toPng();
    if (image) download(image, 'runs.png');
  }

  protected override template(): Content {
    const settings = Object.keys(this.#runs[0]?.settings ?? {});
    // On a narrow screen the names of the columns are beside the values.
    const metrics = runMetrics(this.#runs).map(({ label, short = label }) => translated(short));
    const unlike = unlikeLosses(this.#runs);
    if (unlike) metrics.push(say`loss per character`);
    // The settings share a column: one for each would push the metrics out of sight.
    const own = settings.length > 0 ? [say`settings`] : [];
    const values = [...own, say`steps`, say`state`, ...metrics, say`time`, 'tokens/s', 'MFU', say`adapter`];
    return html`
      <p class="hint" role="status">${this.#note}</p>
      ${unlike ? html`<p class="hint">${unlikeNotes[unlike]}</p>` : nothing}
      <div class="scroll" role="region" aria-label="Table of runs" tabindex="0">
        <table class="numbers blocks" ?hidden=${this.#runs.length === 0}>
          <thead>
            <tr>
              <th scope="col">run</th>
              <td></td>
              ${values.map((name) => html`<th scope="col">${name}</th>`)}
            </tr>
          </thead>
          <tbody>${this.#runs.map((run) => this.#row(run, settings, values))}</tbody>
        </table>
      </div>
      ${this.#runs.length > 0 ? termList('runs', ['dev', 'BLEU', 'chrF', 'MFU']) : nothing}
      <div class="stack" ?hidden=${this.#chosen.size === 0}>
        <div class="thirds">
          ${field(
            'runs-curve',
            say`Curve`,
            html`<select id="runs-curve" @input=${this.#selectCurve}>${options(curves, this.#curve)}</select>`,
          )}
          ${field(
            'runs-smoothing',
            say`Smoothing`,
            html`<input
              id="runs-smoothing"
              type="range"
              min="0"
              max="0.99"
              step="0.01"
              value=${this.#smoothing}
              @input=${this.#smooth}
            />`,
          )}
        </div>
        ${this.#chart.element}
        <div class="row">
          <button type="button" @click=${this.#saveCsv}>Download CSV</button>
          <button type="button" @click=${this.#savePng}>Download PNG</button>
        </div>
        ${this.#scores.element}
      </div>`;
  }

  #row(run: RunSummary, settings: readonly string[], names: readonly string[]): Content {
    const { folder: name, step, steps } = run;
    const cells = [
      ...(settings.length > 0 ? [settingsList(run, settings)] : []),
      step < steps ? say`${formatInteger(step)} of ${formatInteger(steps)}` : formatInteger(step),
      stateWords[run.state],
      ...runMetrics(this.#runs).map(({ name, show }) => {
        const value = run.final[name];
        return value === undefined ? '–' : inDigits(show(value));
      }),
      ...(unlikeLosses(this.#runs) ? [inDigits(run.lossPerCharacter?.toFixed(4) ?? '–')] : []),
      formatDuration(run.seconds),
      formatInteger(run.tokensPerSecond),
      run.mfu === null ? '–' : formatPercent(run.mfu),
      shortName(adapterOf(run.adapter)),
    ];
    const select = (event: Event) => void this.#choose(name, (event.target as HTMLInputElement).checked);
    // The button is before the values: a table with many settings is wider than its place.
    return html`
      <tr data-run=${name}>
        <th scope="row">
          <label class="check"
            ><input
              type="checkbox"
              aria-label="Show the curves of ${name}"
              .checked=${live(this.#selected.has(name))}
              @change=${select}
            />${shortName(name)}</label
          >
        </th>
        <td class="reuse">
          <button
            type="button"
            class="quiet"
            aria-label="Reuse settings of ${name} for a new training"
            @click=${() => this.#reuse(name)}
          >Reuse settings</button>
        </td>
        ${cells.map((cell, i) => html`<td data-name=${names[i] ?? ''}>${cell}</td>`)}
      </tr>`;
  }
}

/** Why the losses of the runs cannot be compared. */
const unlikeNotes = {
  vocabularies: say`The runs have different vocabularies: compare BLEU, chrF2 and the loss per character.`,
  'dev pairs': say`The runs have different dev pairs, so their dev metrics cannot be compared.`,
};

/** Changes of a run in words; empty if they are not changes, as in a log of another program. */
function changesText(value: unknown): string {
  try {
    return typeof value === 'string' ? describeChanges(parseChanges(value)) : '';
  } catch {
    return '';
  }
}

/** The settings that differ between the runs, as a list. */
const settingsList = ({ settings }: RunSummary, names: readonly string[]): Content => html`
  <ul class="run-settings">
    ${names.map((name) => {
      const value = settings[name];
      const text = (name === 'changes' && changesText(value)) || shortName(settingText(value));
      return html`<li><span class="soft">${settingLabel(name)}:</span> ${text}</li>`;
    })}
  </ul>`;

/** Steps and finite values of a field of records. */
const valuesOf = <R extends { readonly step: number }>(
  records: readonly R[],
  key: keyof R,
): [number, number][] =>
  records.flatMap((record) => {
    const value = record[key];
    return typeof value === 'number' && Number.isFinite(value) ? [[record.step, value]] : [];
  });

/**
 * The exponential moving average of points with bias correction; `weight` of the past values: 0 to below 1.
 */
export function smoothed(points: readonly (readonly [number, number])[], weight: number): Series {
  const series = new Series();
  let [sum, total] = [0, 0];
  for (const [x, y] of points) {
    sum = weight * sum + y;
    total = weight * total + 1;
    series.add(x, sum / total);
  }
  return series;
}

/** Steps and evaluations of runs as CSV: a row per step; a missing value is empty. */
function toCsv(runs: ReadonlyMap<string, Pick<RunHistory, 'steps' | 'evals'>>): string {
  const [ofSteps, ofEvals] = [Object.keys(stepCurves), Object.keys(evalCurves)];
  const cell = (value: unknown) => (typeof value === 'number' && Number.isFinite(value) ? String(value) : '');
  const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`;
  const rows = [...runs].flatMap(([name, { steps, evals }]) => {
    const [byStep, byEval] = [new Map(steps.map((s) => [s.step, s])), new Map(evals.map((e) => [e.step, e]))];
    return [...new Set([...byStep.keys(), ...byEval.keys()])]
      .sort((a, b) => a - b)
      .map((step) => {
        const [s, e] = [byStep.get(step), byEval.get(step)];
        const cells = [
          ...[...ofSteps, 'seconds'].map((key) => cell(s?.[key as keyof LogStep])),
          ...ofEvals.map((key) => cell(e?.[key as keyof LogEval])),
        ];
        return [quoted(name), step, ...cells].join(',');
      });
  });
  const head = ['run', 'step', ...ofSteps, 'seconds', ...ofEvals.map((key) => `dev ${key}`)];
  return `${[head.join(','), ...rows].join('\n')}\n`;
}
