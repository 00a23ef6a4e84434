// The models in this browser: a list of them (model-item.ts, model-actions.ts), those that have come in part, and ways to bring more in.

import { formatBytes } from '../../../src/core/format-numbers.ts';
import { el, fill, set } from '../../common/dom.ts';
import type { StorageFacts } from '../../storage/model-store.ts';
import { createHubForm } from './hub-form.ts';
import { type ActionsHost, createModelActions } from './model-actions.ts';
import { type MakeButton, modelItem } from './model-item.ts';
import type { Session } from './training-session.ts';

/** The list of models. */
export interface ModelsPanel {
  readonly element: HTMLElement;
  /** Reads the list anew. */
  refresh(): Promise<StorageFacts | undefined>;
  /** Takes in a model as a file. */
  take(file: File): Promise<void>;
  /** While a training is under way no other model can be put into use. */
  busy(training: boolean): void;
}

/** What the list needs of the page. */
export interface ModelsHost extends Pick<ActionsHost, 'resume' | 'loaded'> {
  /** Something that did not work, or did. */
  say(kind: 'good' | 'bad', text: string): void;
}

/** Builds the list. */
export function createModelsPanel(session: Session, host: ModelsHost): ModelsPanel {
  let facts: StorageFacts | undefined;
  let training = false;
  const list = el('ul', { class: 'models' });
  const parts = el('ul', { class: 'models', hidden: true, 'aria-label': 'Models that have come in part' });
  const room = el('p', { class: 'hint' });
  const keep = el('button', { type: 'button', class: 'quiet', hidden: true }, 'Ask the browser to keep them');
  keep.addEventListener('click', () => void askToKeep().then(refresh));
  const actions = createModelActions(session, {
    resume: host.resume,
    loaded: host.loaded,
    taken: (name) => facts?.models.some((m) => m.name === name) ?? false,
  });

  /** Runs what a button does; what fails is said, and the list is read anew. */
  async function act(button: HTMLButtonElement, work: () => Promise<void>): Promise<void> {
    button.disabled = true;
    try {
      await work();
    } catch (error) {
      host.say('bad', (error as Error).message);
    } finally {
      button.disabled = false;
      await refresh();
    }
  }
  const button: MakeButton = (name, what, work, look = 'quiet') => {
    const made = el('button', { type: 'button', class: look, 'aria-label': what, title: what }, name);
    made.addEventListener('click', () => void act(made, work));
    return made;
  };
  /** What has come of a model from the hub, in part. */
  const part = (name: string): HTMLLIElement =>
    el(
      'li',
      { 'data-part': name, class: 'row' },
      el('span', { class: 'hint' }, `${name} has come in part; Fetch goes on with it.`),
      button('Delete', `Delete what has come of ${name}`, () => session.removeWaiting(name), 'quiet bad'),
    );

  function draw(): void {
    if (!facts) return;
    const { models, persistent, waiting } = facts;
    const focused = document.activeElement?.getAttribute('aria-label');
    fill(list, ...models.map((m) => modelItem(m, actions, button, training)));
    fill(parts, ...waiting.map(part));
    set(parts, { hidden: waiting.length === 0 });
    if (focused) list.querySelector<HTMLElement>(`[aria-label="${CSS.escape(focused)}"]`)?.focus();
    room.textContent = roomText(facts);
    set(keep, { hidden: persistent || models.length === 0 });
  }
  async function refresh(): Promise<StorageFacts | undefined> {
    try {
      facts = await session.storage();
      draw();
      return facts;
    } catch (error) {
      room.textContent = (error as Error).message;
      return undefined;
    }
  }

  const { bring, file } = createImport((given) => void take(given));
  const take = (given: File) =>
    act(bring, async () => {
      const name = await session.importArchive(given, given.name);
      host.say('good', `${given.name} is in this browser now, as ${name}.`);
    });
  const hub = createHubForm(session, async (name) => {
    if (name) host.say('good', `${name} is in this browser now; load it to translate with it.`);
    await refresh();
  });

  return {
    element: el('div', { class: 'stack' }, list, el('div', { class: 'row' }, bring, file, keep), hub, parts, room),
    refresh,
    take,
    busy(now) {
      if (training === now) return;
      training = now;
      draw();
    },
  };
}

/** The button that asks for a model as a file, and the field behind it; `take` gets the file. */
function createImport(take: (file: File) => void): { bring: HTMLButtonElement; file: HTMLInputElement } {
  const file = el('input', {
    type: 'file',
    accept: '.zip,.safetensors,application/zip',
    class: 'unseen',
    id: 'import-model',
    tabindex: -1,
    'aria-label': 'A model as an archive or as safetensors',
  });
  file.addEventListener('change', () => {
    const given = file.files?.[0];
    file.value = '';
    if (given) take(given);
  });
  return { bring: el('button', { type: 'button', onclick: () => file.click() }, 'Import a model…'), file };
}

/** How much room the models take, and whether they stay. */
function roomText({ models, used, quota, persistent }: StorageFacts): string {
  if (models.length === 0) return 'No models yet. A training saves itself here as it goes.';
  if (quota <= 0) return '';
  const kept = persistent ? 'the browser keeps them' : 'the browser may clear them when it needs room';
  return `${formatBytes(used)} of ${formatBytes(quota)} used; ${kept}.`;
}

/** Asks the browser not to clear what this page keeps; it decides by itself whether to ask the visitor. */
export async function askToKeep(): Promise<boolean> {
  return (await navigator.storage?.persist?.().catch(() => false)) ?? false;
}
