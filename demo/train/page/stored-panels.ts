// The panels of what is stored: gallery, models and runs. The page loads them after its first translation.

import { byId } from '../../common/dom.ts';
import type { StorageInfo } from '../../storage/model-store.ts';
import type { GalleryModel } from './gallery-models.ts';
import { GalleryPanel } from './gallery-panel.ts';
import { type ModelsHost, ModelsPanel } from './models-panel.ts';
import { RunsPanel } from './runs-panel.ts';
import type { Session } from './training-session.ts';

/** Functions of the page that the panels call. */
export interface StoredHost extends Omit<ModelsHost, 'onRefresh' | 'onChange'> {
  /** Loads a model of the gallery, which is stored under `name` unless it ships with the page. */
  use(model: GalleryModel, name: string): Promise<void>;
  /** Fills the form with the settings of a run. */
  reuse(name: string): void;
}

/** The panels. */
export class StoredPanels {
  readonly #models: ModelsPanel;
  readonly #gallery: GalleryPanel;
  readonly #runs: RunsPanel;

  constructor(session: Session, host: StoredHost) {
    this.#runs = new RunsPanel(session, host.reuse);
    this.#gallery = new GalleryPanel(session, { use: host.use, refresh: () => this.refresh() });
    this.#models = new ModelsPanel(session, {
      resume: host.resume,
      onLoad: host.onLoad,
      onRename: host.onRename,
      onRefresh: ({ models }) => this.#gallery.setStored(models),
      onChange: () => void this.#runs.refresh(),
    });
  }

  /** Places the panels in the page. */
  mount(): void {
    byId('gallery').append(this.#gallery.element);
    byId('models').append(this.#models.element);
    byId('runs').append(this.#runs.element);
  }

  /** Reads the models again. */
  refresh(): Promise<StorageInfo | undefined> {
    return this.#models.refresh();
  }

  /** While a training runs, no other model can be loaded. */
  setTraining(training: boolean): void {
    this.#models.setTraining(training);
    this.#gallery.setTraining(training);
  }

  /** Imports a model from a file, or from the files of its folder. */
  importFiles(files: readonly File[]): Promise<void> {
    return this.#models.importFiles(files);
  }
}
