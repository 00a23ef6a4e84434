// Panel of the models in this browser: the list, incomplete downloads, file import and the hub form.

import { repeat } from 'lit-html/directives/repeat.js';
import { formatBytes } from '../../common/format.ts';
import { say } from '../../common/page-texts.ts';
import { type Content, html, nothing, Panel } from '../../common/panel.ts';
import type { StorageInfo } from '../../storage/model-store.ts';
import type { FirefoxTrial } from './firefox-trial.ts';
import { HubForm } from './hub-form.ts';
import { type ListButton, ModelActions, type ModelHost, modelItem } from './model-list-item.ts';
import type { Session } from './training-session.ts';

/** Functions of the page that the panel calls. */
export interface ModelsHost extends Omit<ModelHost, 'onTry'> {
  /** Called with the list after it was read. */
  onRefresh(info: StorageInfo): void;
  /** Called after the list has changed. */
  onChange(): void;
}

/** The panel. */
export class ModelsPanel extends Panel {
  readonly #session: Session;
  readonly #host: ModelsHost;
  readonly #actions: ModelActions;
  readonly #hub: HubForm;
  #info: StorageInfo | undefined;
  #isTraining = false;
  /** The model that is tried in the engine of Firefox. */
  #trial: FirefoxTrial | undefined;
  /** Descriptions of the buttons whose action is running. */
  readonly #busy = new Set<string>();
  /** Message of the last action. */
  #message = '';
  #isWrong = false;
  #usage = '';

  constructor(session: Session, host: ModelsHost) {
    super();
    this.#session = session;
    this.#host = host;
    const isTaken = (name: string) => this.#info?.models.some((model) => model.name === name) ?? false;
    this.#actions = new ModelActions(session, { ...host, onTry: (name) => this.#try(name) }, isTaken);
    this.#hub = new HubForm(session, (name) => this.#endDownload(name));
    this.draw();
  }

  /** Reads the list of models again. */
  async refresh(): Promise<StorageInfo | undefined> {
    try {
      const before = JSON.stringify(this.#info?.models);
      const info = await this.#session.storage();
      this.#info = info;
      this.#usage = usageText(info);
      this.draw();
      this.#host.onRefresh(info);
      if (JSON.stringify(info.models) !== before) this.#host.onChange();
      return info;
    } catch (error) {
      this.#usage = (error as Error).message;
      this.draw();
      return undefined;
    }
  }

  /** Imports a model from a file, or from the files of its folder. */
  importFiles(files: readonly File[]): Promise<void> {
    return this.#run(say`Import`, async () => {
      const [file] = files as [File];
      const name = await this.#session.importFiles(files);
      this.#message =
        files.length === 1
          ? say`${file.name} was imported as ${name}.`
          : say`${files.length} files were imported as ${name}.`;
    });
  }

  async #try(name: string): Promise<void> {
    this.#trial?.close();
    this.#trial = undefined;
    const { FirefoxTrial } = await import('./firefox-trial.ts');
    this.#trial = await FirefoxTrial.open({
      name,
      files: await this.#session.firefoxFiles(name),
      translate: async (text) => {
        await this.#session.load(name);
        const { text: translation, ms } = await this.#session.translate(text, {}, () => undefined);
        return { translation, milliseconds: ms };
      },
    });
    this.#host.onLoad(name);
  }

  /** While a training runs, no other model can be loaded. */
  setTraining(training: boolean): void {
    this.#isTraining = training;
    this.draw();
  }

  /** Runs the action of a button, shows its error and refreshes the list. */
  async #run(description: string, action: () => Promise<void>): Promise<void> {
    this.#busy.add(description);
    this.#message = '';
    this.#isWrong = false;
    this.draw();
    try {
      await action();
    } catch (error) {
      this.#message = (error as Error).message;
      this.#isWrong = true;
    } finally {
      this.#busy.delete(description);
      this.draw();
      await this.refresh();
    }
  }

  async #endDownload(name?: string): Promise<void> {
    if (name) {
      this.#message = say`${name} was downloaded. Load it to translate with it.`;
      this.#isWrong = false;
    }
    await this.refresh();
  }

  #pick(event: Event): void {
    const input = event.target as HTMLInputElement;
    const given = [...(input.files ?? [])];
    input.value = '';
    if (given.length > 0) void this.importFiles(given);
  }

  async #keep(): Promise<void> {
    await requestPersistentStorage();
    await this.refresh();
  }

  protected override template(): Content {
    const { models = [], partial = [], persistent = true } = this.#info ?? {};
    const item = (model: (typeof models)[number]) =>
      modelItem(model, this.#actions, this.#isTraining, this.#button);
    // Messages appear next to the button that was pressed.
    return html`
      <p class=${this.#isWrong ? 'wrong' : 'good-text'} role="status" id="models-message">${this.#message}</p>
      <ul class="models">${repeat(models, ({ name }) => name, item)}</ul>
      ${this.#trial?.element ?? nothing}
      <div class="row">
        <button
          type="button"
          ?disabled=${this.#busy.has(say`Import`)}
          @click=${() => this.find('#import-model').click()}
        >Import model…</button>
        <input
          type="file"
          multiple
          class="unseen"
          id="import-model"
          tabindex="-1"
          aria-label="Model file (zip archive or safetensors), or the files of a folder"
          @change=${this.#pick}
        />
        <button
          type="button"
          class="quiet"
          title="Ask the browser not to delete the models when it needs space"
          ?hidden=${persistent || models.length === 0}
          @click=${this.#keep}
        >Keep models permanently</button>
      </div>
      ${this.#hub.element}
      <ul class="models" aria-label="Incomplete downloads" ?hidden=${partial.length === 0}>
        ${partial.map((name) => this.#partial(name))}
      </ul>
      <p class="hint">${this.#usage}</p>`;
  }

  #partial(name: string): Content {
    return html`
      <li data-partial=${name} class="row">
        <span class="hint">The download of ${name} is incomplete. Press Download to continue it.</span>
        ${this.#button({
          label: say`Delete`,
          description: say`Delete the incomplete download of ${name}`,
          style: 'quiet bad',
          act: () => this.#session.removePartial(name),
        })}
      </li>`;
  }

  /** A button of an entry; an error of its action becomes a message. */
  readonly #button = ({ label, description, style, disabled, hidden, act }: ListButton): Content => html`
    <button
      type="button"
      class=${style ?? nothing}
      aria-label=${description}
      title=${description}
      ?disabled=${disabled || this.#busy.has(description)}
      ?hidden=${hidden}
      @click=${() => this.#run(description, act)}
    >${label}</button>`;
}

/** Storage used by the models, and whether it is persistent. */
function usageText({ models, used, quota, persistent }: StorageInfo): string {
  if (models.length === 0) return say`No models yet. A training saves its checkpoints here.`;
  if (quota <= 0) return '';
  const kept = persistent
    ? say`the browser keeps the models permanently`
    : say`the browser may delete the models when it needs space`;
  return say`${formatBytes(used)} of ${formatBytes(quota)} used; ${kept}.`;
}

/**
 * Requests persistent storage; the browser decides whether to ask the visitor. Resolves to whether it was
 * granted.
 */
async function requestPersistentStorage(): Promise<boolean> {
  return (await navigator.storage?.persist?.().catch(() => false)) ?? false;
}
