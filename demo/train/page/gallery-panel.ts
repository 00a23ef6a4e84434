// Gallery of models, each with its size and one button that downloads and loads it.

import { formatBytes } from '../../../src/core/format-numbers.ts';
import { el, hint, set, setText } from '../../common/dom.ts';
import type { StorageInfo } from '../../storage/model-store.ts';
import { type GalleryModel, galleryModels } from './gallery-models.ts';
import { createHubDownload } from './hub-download.ts';
import type { Session } from './training-session.ts';

/** The gallery. */
export interface GalleryPanel {
  readonly element: HTMLElement;
  /** Shows which models are in this browser. */
  setStored(models: StorageInfo['models']): void;
  /** While a training runs, no other model can be loaded. */
  setTraining(training: boolean): void;
}

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

/** Name of a downloaded model in the browser. */
const storedName = ({ hub = '' }: GalleryModel): string => hub.split('/')[1] ?? '';

/** Creates the gallery. */
export function createGalleryPanel(session: Session, { use, refresh }: GalleryHost): GalleryPanel {
  let training = false;
  /** Size in bytes of each model in this browser, by name. */
  let stored: ReadonlyMap<string, number> = new Map();
  const items = galleryModels.map(createItem);

  function createItem(model: GalleryModel): { readonly element: HTMLElement; draw(): void } {
    const { title, what, bytes, hub, revision } = model;
    /** The facts about the files on the hub; set when a download has begun. */
    let listed: number | undefined;
    const download = createHubDownload(session, title, (total) => {
      listed = total;
      draw();
    });
    const { bar, cancel, count, note } = download;
    let loading = false;
    const go = el('button', { type: 'button', onclick: press });
    const facts = el('p', { class: 'hint number' });
    const isHere = () => hub === undefined || stored.has(storedName(model));
    function draw(): void {
      const known = stored.get(storedName(model)) ?? listed;
      const size = formatBytes(known ?? bytes);
      if (hub === undefined) setText(facts, `ships with the page · ${size}`);
      else setText(facts, `${hub} · ${known === undefined ? `about ${size}` : size}`);
      const text = isHere() ? 'Load' : 'Download and load';
      setText(go, loading ? 'Loading…' : text);
      set(go, { 'aria-label': `${text}: ${title}`, disabled: training || download.isRunning || loading });
    }
    async function press(): Promise<void> {
      if (loading || download.isRunning) return;
      let name = storedName(model);
      if (hub !== undefined && !isHere()) {
        const finished = download.run(revision === undefined ? hub : `${hub}@${revision}`, go);
        draw();
        const got = await finished;
        await refresh();
        draw();
        if (got === undefined) return;
        name = got;
      }
      loading = true;
      draw();
      try {
        await use(model, name);
        download.show('');
      } catch (error) {
        download.show((error as Error).message, true);
      }
      loading = false;
      draw();
    }
    const element = el(
      'li',
      { 'data-gallery': hub ?? title },
      el('div', { class: 'gallery-what' }, el('b', {}, title), hint(what), facts),
      el('div', { class: 'row' }, go, cancel),
      bar,
      count,
      note,
    );
    draw();
    return { element, draw };
  }
  const drawAll = () => {
    for (const { draw } of items) draw();
  };
  return {
    element: el('ul', { class: 'gallery' }, ...items.map(({ element }) => element)),
    setStored(models) {
      stored = new Map(models.map((one) => [one.name, one.bytes]));
      drawAll();
    },
    setTraining(now) {
      if (training === now) return;
      training = now;
      drawAll();
    },
  };
}
