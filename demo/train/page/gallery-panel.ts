// Gallery of models, each with its size and one button that downloads and loads it.

import { formatBytes } from '../../common/format.ts';
import { say, translated } from '../../common/page-texts.ts';
import { type Content, html, Panel } from '../../common/panel.ts';
import { hint } from '../../common/tables.ts';
import { termList } from '../../common/terms.ts';
import type { StorageInfo } from '../../storage/model-store.ts';
import { type GalleryModel, galleryModels } from './gallery-models.ts';
import { HubDownload } from './hub-download.ts';
import type { Session } from './training-session.ts';

/** Functions of the page that the gallery calls. */
export interface GalleryHost {
  /**
   * Loads a model, in the browser's storage under `name` unless it ships with the page, and translates its
   * example.
   */
  use(model: GalleryModel, name: string): Promise<void>;
  /** Reads the list of stored models again. */
  refresh(): Promise<unknown>;
}

/** A model of the gallery with its download. */
interface Item {
  readonly model: GalleryModel;
  readonly download: HubDownload;
  isLoading: boolean;
}

/** Name of a downloaded model in the browser. */
const storedName = ({ hub = '' }: GalleryModel): string => hub.split('/')[1] ?? '';

/** The gallery. */
export class GalleryPanel extends Panel {
  readonly #host: GalleryHost;
  readonly #items: readonly Item[];
  #isTraining = false;
  /** Size in bytes of each model in this browser, by name. */
  #stored: ReadonlyMap<string, number> = new Map();

  constructor(session: Session, host: GalleryHost) {
    super('');
    this.#host = host;
    const draw = () => this.draw();
    this.#items = galleryModels.map((model) => ({
      model,
      download: new HubDownload({ session, what: model.title, draw }),
      isLoading: false,
    }));
    this.draw();
  }

  /** Shows which models are in this browser. */
  setStored(models: StorageInfo['models']): void {
    this.#stored = new Map(models.map((one) => [one.name, one.bytes]));
    this.draw();
  }

  /** While a training runs, no other model can be loaded. */
  setTraining(training: boolean): void {
    this.#isTraining = training;
    this.draw();
  }

  #isHere(model: GalleryModel): boolean {
    return model.hub === undefined || this.#stored.has(storedName(model));
  }

  async #press(item: Item, event: Event): Promise<void> {
    const { model, download } = item;
    if (item.isLoading || download.isRunning) return;
    const { hub, revision } = model;
    let name = storedName(model);
    if (hub !== undefined && !this.#isHere(model)) {
      const button = event.target as HTMLElement;
      const place = button.closest('li') as HTMLElement;
      const got = await download.run(revision === undefined ? hub : `${hub}@${revision}`, place, button);
      await this.#host.refresh();
      if (got === undefined) return;
      name = got;
    }
    item.isLoading = true;
    this.draw();
    try {
      await this.#host.use(model, name);
      download.show('');
    } catch (error) {
      download.show((error as Error).message, true);
    }
    item.isLoading = false;
    this.draw();
  }

  protected override template(): Content {
    return html`<ul class="gallery">${this.#items.map((item) => this.#item(item))}</ul>
      <p class="hint not-for-engineers">For engineers there are also models of the hub, of 230 MiB to 1.8 GiB: the switch is above the settings.</p>
      ${termList('gallery', ['BLEU', 'chrF'])}`;
  }

  #item(item: Item): Content {
    const { model, download, isLoading } = item;
    const { title, what, hub } = model;
    const text = this.#isHere(model) ? say`Load` : say`Download and load`;
    return html`
      <li data-gallery=${hub ?? title} class=${hub === undefined ? '' : 'for-engineers'}>
        <div class="gallery-what">
          <b>${translated(title)}</b>
          ${hint(what)}
          <p class="hint number">${this.#facts(item)}</p>
        </div>
        <div class="row">
          <button
            type="button"
            aria-label="${text}: ${translated(title)}"
            ?disabled=${this.#isTraining || download.isRunning || isLoading}
            @click=${(event: Event) => this.#press(item, event)}
          >${isLoading ? say`Loading…` : text}</button>
          ${download.cancelButton()}
        </div>
        ${download.status()}
      </li>`;
  }

  /** Where a model is and its size: that in this browser, or that on the hub once a download has begun. */
  #facts({ model, download }: Item): string {
    const known = this.#stored.get(storedName(model)) ?? download.total;
    const size = formatBytes(known ?? model.bytes);
    if (model.hub === undefined) return say`ships with the page · ${size}`;
    return `${model.hub} · ${known === undefined ? say`about ${size}` : size}`;
  }
}
