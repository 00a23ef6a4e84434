// The models in this browser: load, go on, rename, copy, delete, take out as files, bring in as files or from a hub.

import { bytes, whole } from '../../../src/report/numbers.ts';
import { el, fill, set } from '../../common/dom.ts';
import type { StorageFacts, StoredModel } from '../../storage/models.ts';
import { isModelName } from '../../storage/names.ts';
import type { Session } from '../session.ts';
import { ask, askText } from './dialogs.ts';
import { createHubForm } from './hub-form.ts';

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
export interface ModelsHost {
  /** Goes on with a training, to its end or to as many steps in all. */
  resume(name: string, steps?: number): void;
  /** A model was put into use. */
  loaded(name: string): void;
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
  const file = el('input', {
    type: 'file',
    accept: '.zip,.safetensors,application/zip',
    class: 'unseen',
    id: 'import-model',
    tabindex: -1,
  });
  const bring = el('button', { type: 'button', onclick: () => file.click() }, 'Import a model…');
  set(file, { 'aria-label': 'A model as an archive or as safetensors' });

  /** Runs what a button does; what fails is said, and the list is read anew. */
  const act =
    <A extends unknown[]>(button: HTMLButtonElement, work: (...given: A) => Promise<void>) =>
    async (...given: A): Promise<void> => {
      button.disabled = true;
      try {
        await work(...given);
      } catch (error) {
        host.say('bad', (error as Error).message);
      } finally {
        button.disabled = false;
        await refresh();
      }
    };
  const button = (name: string, what: string, work: () => Promise<void>, look = 'quiet'): HTMLButtonElement => {
    const made = el('button', { type: 'button', class: look, 'aria-label': what, title: what }, name);
    made.addEventListener('click', () => void act(made, work)());
    return made;
  };

  function item(m: StoredModel): HTMLLIElement {
    const { name } = m;
    const steps = m.steps > 0 ? `step ${whole(m.step)} of ${whole(m.steps)}` : 'weights alone';
    const held = m.lock === 'here' ? 'trains here' : m.lock === 'elsewhere' ? 'another tab trains it' : '';
    const resume = el(
      'button',
      { type: 'button', onclick: () => host.resume(name), 'aria-label': `Continue the training of ${name}` },
      'Continue',
    );
    const load = button(
      'Load',
      `Load ${name} to translate with it`,
      async () => {
        await session.load(name);
        host.loaded(name);
      },
      '',
    );
    const further = button('Train on', `Train on with ${name}`, async () => {
      const given = await askText(`Train ${name} further`, 'Steps in all', String(2 * m.steps));
      if (given === undefined) return;
      const steps = Number(given);
      if (!Number.isInteger(steps) || steps <= m.step)
        throw new Error(`${given} is no number of steps above the ${whole(m.step)} that ${name} has done.`);
      host.resume(name, steps);
    });
    set(further, { disabled: training || m.lock !== 'free', hidden: m.unfinished || m.steps === 0 });
    set(load, { disabled: training });
    set(resume, { disabled: training || m.lock !== 'free', hidden: !m.unfinished });
    const rename = button('Rename', `Rename ${name}`, async () => {
      const as = await newName(`Rename ${name}`, name);
      if (as === undefined) return;
      await session.save(name, as);
      await session.remove(name);
    });
    const remove = button(
      'Delete',
      `Delete ${name}`,
      async () => {
        const sure = await ask(
          `Delete ${name}?`,
          'The model and its checkpoint are removed from this browser. This cannot be undone.',
          [['delete', 'Delete', 'bad']],
        );
        if (sure) await session.remove(name);
      },
      'quiet bad',
    );
    for (const change of [rename, remove]) if (m.lock !== 'free') set(change, { disabled: true });
    return el(
      'li',
      { 'data-model': name },
      el(
        'div',
        { class: 'model-what' },
        el('b', {}, name),
        held && el('span', { class: 'tag' }, held),
        el(
          'p',
          { class: 'hint number' },
          [steps, `${whole(m.parameters)} parameters`, bytes(m.bytes), when(m.time)].join(' · '),
        ),
        el('p', { class: 'hint' }, m.corpus),
      ),
      el(
        'div',
        { class: 'row' },
        resume,
        load,
        further,
        rename,
        button('Copy', `Copy ${name} under another name`, async () => {
          const as = await newName(`Copy ${name}`, `${name.slice(0, 55)}-copy`);
          if (as !== undefined) await session.save(name, as);
        }),
        button('Archive', `Download ${name} as an archive, with its checkpoint`, async () =>
          download(await session.exportArchive(name), `${name}.zip`),
        ),
        button('Safetensors', `Download ${name} as safetensors, without its checkpoint`, async () =>
          download(await session.exportSafetensors(name), `${name}.safetensors`),
        ),
        remove,
      ),
    );
  }

  /** A name that is free; `undefined` where the visitor thinks better of it. */
  async function newName(question: string, value: string): Promise<string | undefined> {
    const name = await askText(question, 'Name', value);
    if (name === undefined) return undefined;
    if (!isModelName(name))
      throw new Error(
        `“${name}” cannot be a name: letters, digits, - and _, single dots or spaces between them, 60 at most.`,
      );
    if (facts?.models.some((m) => m.name === name)) throw new Error(`There is a model called “${name}” already.`);
    return name;
  }

  function draw(): void {
    if (!facts) return;
    const { models, used, quota, persistent, waiting } = facts;
    const focused = document.activeElement?.getAttribute('aria-label');
    fill(list, ...models.map(item));
    fill(parts, ...waiting.map(part));
    set(parts, { hidden: waiting.length === 0 });
    if (focused) list.querySelector<HTMLElement>(`[aria-label="${CSS.escape(focused)}"]`)?.focus();
    const free = quota > 0 ? `${bytes(used)} of ${bytes(quota)} used` : '';
    const kept = persistent ? '; the browser keeps them' : '; the browser may clear them when it needs room';
    room.textContent =
      models.length === 0 ? 'No models yet. A training saves itself here as it goes.' : free && `${free}${kept}.`;
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

  const take = act(bring, async (given: File) => {
    const name = await session.importArchive(given, given.name);
    host.say('good', `${given.name} is in this browser now, as ${name}.`);
  });
  file.addEventListener('change', () => {
    const given = file.files?.[0];
    file.value = '';
    if (given) void take(given);
  });
  const hub = createHubForm(session, async (name) => {
    if (name) host.say('good', `${name} is in this browser now; load it to translate with it.`);
    await refresh();
  });
  /** What has come of models from the hub, in part. */
  const part = (name: string): HTMLLIElement =>
    el(
      'li',
      { 'data-part': name, class: 'row' },
      el('span', { class: 'hint' }, `${name} has come in part; Fetch goes on with it.`),
      button('Delete', `Delete what has come of ${name}`, () => session.removeWaiting(name), 'quiet bad'),
    );
  keep.addEventListener('click', () => void askToKeep().then(refresh));

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

/** Asks the browser not to clear what this page keeps; it decides by itself whether to ask the visitor. */
export async function askToKeep(): Promise<boolean> {
  return (await navigator.storage?.persist?.().catch(() => false)) ?? false;
}

function when(time: number): string {
  return time > 0 ? new Date(time).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'short' }) : '';
}

/** Hands a file to the visitor. */
function download(data: Blob, name: string): void {
  const link = el('a', { href: URL.createObjectURL(data), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
