// Panel of the models in this browser: the list, incomplete downloads, file import and the hub form.

import { formatBytes } from '../../../src/core/format-numbers.ts';
import { el, fill, hint, set, stack } from '../../common/dom.ts';
import type { StorageInfo } from '../../storage/model-store.ts';
import { createHubForm } from './hub-form.ts';
import { createModelListItem, type ModelListHost } from './model-list-item.ts';
import type { Session } from './training-session.ts';

/** The models panel. */
export interface ModelsPanel {
  readonly element: HTMLElement;
  /** Reads the list of models again. */
  refresh(): Promise<StorageInfo | undefined>;
  /** Imports a model from a file. */
  importFile(file: File): Promise<void>;
  /** While a training runs, no other model can be loaded. */
  setTraining(training: boolean): void;
}

/** Functions of the page that the panel calls. */
export interface ModelsHost extends Pick<ModelListHost, 'resume' | 'onLoad' | 'onRename'> {
  /** Called with the list after it was read. */
  onRefresh(info: StorageInfo): void;
  /** Called after the list has changed. */
  onChange(): void;
}

/** Creates the panel. */
export function createModelsPanel(session: Session, options: ModelsHost): ModelsPanel {
  const { resume, onLoad, onRename, onRefresh, onChange } = options;
  let info: StorageInfo | undefined;
  let training = false;
  const list = el('ul', { class: 'models' });
  const partialList = el('ul', { class: 'models', hidden: true, 'aria-label': 'Incomplete downloads' });
  const usage = hint();
  /** Messages appear next to the button that was pressed. */
  const message = el('p', { class: 'hint', role: 'status', id: 'models-message' });
  const notify = (kind: 'good' | 'bad', text: string) => {
    message.textContent = text;
    message.className = kind === 'bad' ? 'wrong' : 'good-text';
  };
  const persist = el('button', { type: 'button', class: 'quiet', hidden: true }, 'Keep models permanently');
  persist.title = 'Ask the browser not to delete the models when it needs space';
  persist.addEventListener('click', () => void requestPersistentStorage().then(refresh));

  /** Runs the action of a button, shows its error and refreshes the list. */
  async function run(button: HTMLButtonElement, action: () => Promise<void>): Promise<void> {
    button.disabled = true;
    message.textContent = '';
    try {
      await action();
    } catch (error) {
      notify('bad', (error as Error).message);
    } finally {
      button.disabled = false;
      await refresh();
    }
  }
  const button: ModelListHost['button'] = (label, description, action, style = 'quiet') => {
    const element = el(
      'button',
      { type: 'button', class: style, 'aria-label': description, title: description },
      label,
    );
    element.addEventListener('click', () => void run(element, action));
    return element;
  };
  const host: ModelListHost = {
    resume,
    onLoad,
    onRename,
    isTaken: (name) => info?.models.some((m) => m.name === name) ?? false,
    button,
  };
  const partialItem = (name: string): HTMLLIElement =>
    el(
      'li',
      { 'data-partial': name, class: 'row' },
      el('span', { class: 'hint' }, `The download of ${name} is incomplete. Press Download to continue it.`),
      button(
        'Delete',
        `Delete the incomplete download of ${name}`,
        () => session.removePartial(name),
        'quiet bad',
      ),
    );

  function draw(): void {
    if (!info) return;
    const { models, persistent, partial } = info;
    const focused = document.activeElement?.getAttribute('aria-label');
    fill(list, ...models.map((m) => createModelListItem(m, session, host, training)));
    fill(partialList, ...partial.map(partialItem));
    set(partialList, { hidden: partial.length === 0 });
    if (focused) list.querySelector<HTMLElement>(`[aria-label="${CSS.escape(focused)}"]`)?.focus();
    usage.textContent = usageText(info);
    set(persist, { hidden: persistent || models.length === 0 });
  }
  async function refresh(): Promise<StorageInfo | undefined> {
    try {
      const before = JSON.stringify(info?.models);
      info = await session.storage();
      draw();
      onRefresh(info);
      if (JSON.stringify(info.models) !== before) onChange();
      return info;
    } catch (error) {
      usage.textContent = (error as Error).message;
      return undefined;
    }
  }

  const file = el('input', {
    type: 'file',
    accept: '.zip,.safetensors,application/zip',
    class: 'unseen',
    id: 'import-model',
    tabindex: -1,
    'aria-label': 'Model file (zip archive or safetensors)',
  });
  const importButton = el('button', { type: 'button', onclick: () => file.click() }, 'Import model…');
  const importFile = (given: File) =>
    run(importButton, async () => {
      const name = await session.importArchive(given, given.name);
      notify('good', `${given.name} was imported as ${name}.`);
    });
  file.addEventListener('change', () => {
    const given = file.files?.[0];
    file.value = '';
    if (given) void importFile(given);
  });
  const hub = createHubForm(session, async (name) => {
    if (name) notify('good', `${name} was downloaded. Load it to translate with it.`);
    await refresh();
  });

  return {
    element: stack(
      message,
      list,
      el('div', { class: 'row' }, importButton, file, persist),
      hub,
      partialList,
      usage,
    ),
    refresh,
    importFile,
    setTraining(now) {
      if (training === now) return;
      training = now;
      draw();
    },
  };
}

/** Storage used by the models, and whether it is persistent. */
function usageText({ models, used, quota, persistent }: StorageInfo): string {
  if (models.length === 0) return 'No models yet. A training saves its checkpoints here.';
  if (quota <= 0) return '';
  const kept = persistent
    ? 'the browser keeps the models permanently'
    : 'the browser may delete the models when it needs space';
  return `${formatBytes(used)} of ${formatBytes(quota)} used; ${kept}.`;
}

/**
 * Requests persistent storage; the browser decides whether to ask the visitor. Resolves to whether it was
 * granted.
 */
async function requestPersistentStorage(): Promise<boolean> {
  return (await navigator.storage?.persist?.().catch(() => false)) ?? false;
}
