// "Measure this device": starts the measurement, shows its report as facts and a picture, and sends it if the visitor
// submits the form on GitHub. Below are the devices that visitors have measured.

import { transformers } from 'virtual:heddle-transformers';
import { type DeviceReport, deviceReportOf } from '../../src/bench/device-report.ts';
import {
  deviceFacts,
  devicePicture,
  deviceTitle,
  reportIssue,
  reportLine,
} from '../../src/bench/device-table.ts';
import { messageOf } from '../../src/entries/host.ts';
import { formatBytes } from '../common/format.ts';
import { say } from '../common/page-texts.ts';
import { type Content, html, nothing, Panel } from '../common/panel.ts';
import { download } from '../common/save-blob.ts';
import { factList, hint } from '../common/tables.ts';
import { translatedMessage } from '../common/translated-message.ts';
import { compiledRelatives } from './compiled-relatives.ts';
import { recordedDevices } from './recorded-devices.ts';

/** The panel. */
export class DevicePanel extends Panel {
  readonly #measure: (withTransformers: boolean) => void;
  #report: DeviceReport | undefined;
  /** Why the report is not plausible, so that it cannot be sent. */
  #fault = '';
  #isRunning = false;
  /** Whether the visitor agreed to load transformers.js. */
  #withTransformers = false;
  #status = '';

  /** `measure`: starts the measurement, with transformers.js if the visitor agreed to load it. */
  constructor(measure: (withTransformers: boolean) => void) {
    super('stack');
    this.#measure = measure;
    this.draw();
  }

  /** The report that is shown. */
  get report(): DeviceReport | undefined {
    return this.#report;
  }

  /** Sets whether anything is being measured. */
  setRunning(running: boolean): void {
    this.#isRunning = running;
    this.draw();
  }

  /** Shows a report. */
  show(report: DeviceReport): void {
    this.#report = report;
    this.#fault = '';
    this.#status = '';
    try {
      deviceReportOf(JSON.parse(reportLine(report)));
    } catch (error) {
      this.#fault = messageOf(error);
    }
    this.draw();
    this.find<HTMLElement>('.device-picture').replaceChildren(pictureOf(report));
  }

  async #copy(report: DeviceReport): Promise<void> {
    try {
      await navigator.clipboard.writeText(reportLine(report));
      this.#status = say`Copied.`;
    } catch {
      this.find<HTMLDetailsElement>('details').open = true;
      getSelection()?.selectAllChildren(this.find<HTMLElement>('.device-line'));
      this.#status = say`This browser blocks copying; the text below is selected.`;
    }
    this.draw();
  }

  async #copySentence(report: DeviceReport): Promise<void> {
    const { deviceSentence } = await import('./device-card.ts');
    const sentence = deviceSentence(report, location.href.replace(/[#?].*/, ''));
    const isCopied = await navigator.clipboard.writeText(sentence).then(
      () => true,
      () => false,
    );
    this.#status = isCopied ? say`Copied: ${sentence}` : sentence;
    this.draw();
  }

  async #copyCard(report: DeviceReport): Promise<void> {
    const [{ pictureOfDevice }, { keepPicture }] = await Promise.all([
      import('./device-card.ts'),
      import('../common/picture-card.ts'),
    ]);
    this.#status = await keepPicture(pictureOfDevice(report), 'heddle-my-gpu.png');
    this.draw();
  }

  #save(report: DeviceReport): void {
    const name = `heddle-device-${report.when.slice(0, 10)}.svg`;
    download(new Blob([devicePicture(report)], { type: 'image/svg+xml' }), name);
  }

  protected override template(): Content {
    return html`
      <div class="row">
        <button
          type="button"
          class="main"
          ?disabled=${this.#isRunning}
          @click=${() => this.#measure(this.#withTransformers)}
        >
          Measure this device
        </button>
        <span class="hint">About 60 seconds on a GPU; small sizes on a software adapter. Nothing is sent.</span>
      </div>
      ${this.#consent()}
      ${this.#report ? this.#result(this.#report) : nothing}
      ${devices()}`;
  }

  /** The check box that asks whether transformers.js may be loaded; nothing if this build has no copy of it. */
  #consent(): Content {
    if (!transformers) return nothing;
    const change = ({ target }: Event) => {
      this.#withTransformers = (target as HTMLInputElement).checked;
    };
    const name = `transformers.js ${transformers.version}`;
    return html`
      <div class="stack-small">
        <label class="check"
          ><input
            type="checkbox"
            id="with-transformers"
            aria-describedby="transformers-hint"
            ?disabled=${this.#isRunning}
            @change=${change}
          />Also decode the same model with ${name}, in WebAssembly</label
        >
        <p class="hint" id="transformers-hint">
          ${say`Loads ${formatBytes(transformers.bytes)} from this site (${location.host}): the library and its runtime. They get the model that heddle made for the measurement, and nothing from other sites. Its ids must be equal to heddle’s before it is timed.`}
        </p>
      </div>`;
  }

  #result(report: DeviceReport): Content {
    const send = html`
      <a class="button" href=${reportIssue(report)} target="_blank" rel="noopener noreferrer">Send …</a>`;
    return html`
      <div class="twin">
        <div class="stack">
          ${facts(report)}
          ${compiledRelatives(report.adapter, report.software)}
          <div class="row">
            ${this.#fault ? nothing : send}
            <button type="button" id="copy-card" @click=${() => void this.#copyCard(report)}>Copy as a picture</button>
            <button type="button" id="copy-sentence" @click=${() => void this.#copySentence(report)}>Copy as a sentence</button>
            <button type="button" @click=${() => this.#copy(report)}>Copy the line</button>
            <button type="button" @click=${() => this.#save(report)}>Save the picture</button>
          </div>
          <p class="hint" role="status" id="device-status">${this.#status}</p>
          ${
            this.#fault
              ? html`<p class="note bad"><span>${this.#fault} Close other programs and measure again.</span></p>`
              : hint(say`Send opens a form on GitHub with this line in it; you see it before you submit it.`)
          }
        </div>
        <div class="device-picture"></div>
      </div>
      <details>
        <summary>Show the line</summary>
        <pre class="json device-line" tabindex="0" aria-label="The report as JSON">${reportLine(report)}</pre>
      </details>`;
  }
}

/** What was measured, in words. */
const facts = (report: DeviceReport): Content =>
  factList(deviceFacts(report).map(([name, value]) => [translatedMessage(name), translatedMessage(value)]));

/** The picture as an element. */
function pictureOf(report: DeviceReport): Element {
  return new DOMParser().parseFromString(devicePicture(report), 'image/svg+xml').documentElement;
}

/** The devices that were sent. */
function devices(): Content {
  const isGpu = recordedDevices.some(({ software }) => !software);
  return html`
    <details class="devices">
      <summary>Measured devices (${recordedDevices.length})</summary>
      <div class="stack">
        ${isGpu ? nothing : html`<p class="note"><span>No machine with a GPU has been measured yet.</span></p>`}
        ${recordedDevices.map((report) => html`<h3>${deviceTitle(report)}</h3>${facts(report)}`)}
      </div>
    </details>`;
}
