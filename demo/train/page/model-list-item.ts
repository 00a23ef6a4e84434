// An entry of the list of models: facts about a model, and buttons that load, train, rename, copy, download
// or delete it.

import { formatBytes, formatInteger } from '../../../src/core/format-numbers.ts';
import { el, hint, set } from '../../common/dom.ts';
import { download } from '../../common/save-blob.ts';
import { isModelName, modelNameRule } from '../../storage/model-names.ts';
import type { StoredModel } from '../../storage/model-store.ts';
import { ask, askText } from './dialogs.ts';
import type { Session } from './training-session.ts';

/** Functions of the list that an entry calls. */
export interface ModelListHost {
  /** Resumes a training, to its last step or to `steps` steps in total. */
  resume(name: string, steps?: number): void;
  /** Called after a model was loaded. */
  onLoad(name: string): void;
  /** Called after a model was renamed, or deleted: `as` is empty. */
  onRename(name: string, as: string): void;
  /** Returns whether a model has this name. */
  isTaken(name: string): boolean;
  /**
   * Creates a button with a label, a full description and an action; an error of the action becomes a notice.
   */
  button(label: string, description: string, action: () => Promise<void>, style?: string): HTMLButtonElement;
}

/**
 * Creates the entry of a model. While a training runs (`training`), no other model can be loaded or trained.
 */
export function createModelListItem(
  m: StoredModel,
  session: Session,
  host: ModelListHost,
  training: boolean,
): HTMLLIElement {
  const { name, step, steps } = m;
  const { button } = host;

  /** Asks for a name that no model has; `undefined` if the visitor cancels. */
  const askName = (question: string, value: string): Promise<string | undefined> =>
    askText(question, 'Name', value, (given) => {
      if (!isModelName(given)) return `“${given}” is not a valid name: ${modelNameRule}.`;
      return host.isTaken(given) ? `A model named “${given}” exists.` : '';
    });
  async function trainMore(): Promise<void> {
    const given = await askText(`Train more steps with ${name}`, 'Total steps', String(2 * steps), (text) =>
      Number.isInteger(Number(text)) && Number(text) > step
        ? ''
        : `Total steps is ${text}; it must be an integer above the ${formatInteger(step)} steps already done.`,
    );
    if (given !== undefined) host.resume(name, Number(given));
  }
  async function load(): Promise<void> {
    await session.load(name);
    host.onLoad(name);
  }
  async function rename(): Promise<void> {
    const as = await askName(`Rename ${name}`, name);
    if (as === undefined) return;
    await session.rename(name, as);
    host.onRename(name, as);
  }
  async function copy(): Promise<void> {
    const as = await askName(`Copy ${name}`, `${name.slice(0, 55)}-copy`);
    if (as !== undefined) await session.save(name, as);
  }
  async function remove(): Promise<void> {
    const answer = await ask(
      `Delete ${name}?`,
      'The model and its checkpoint are deleted from this browser. This cannot be undone.',
      [['delete', 'Delete', 'bad']],
    );
    if (!answer) return;
    await session.remove(name);
    host.onRename(name, '');
  }

  const buttons = {
    resume: el(
      'button',
      { type: 'button', onclick: () => host.resume(name), 'aria-label': `Resume the training of ${name}` },
      'Resume',
    ),
    load: button('Load', `Load ${name} to translate with it`, load, ''),
    trainMore: button('Train more', `Train more steps with ${name}`, trainMore),
    rename: button('Rename', `Rename ${name}`, rename),
    copy: button('Copy', `Copy ${name} under another name`, copy),
    archive: button('Archive', `Download ${name} as a zip archive, with its checkpoint`, async () =>
      download(await session.exportArchive(name), `${name}.zip`),
    ),
    safetensors: button('Safetensors', `Download ${name} as safetensors, without its checkpoint`, async () =>
      download(await session.exportSafetensors(name), `${name}.safetensors`),
    ),
    onnx: button(
      'Export for transformers.js',
      `Export for transformers.js: download ${name} as ONNX files`,
      async () => download(await session.exportOnnx(name), `${name}-onnx.zip`),
    ),
    remove: button('Delete', `Delete ${name}`, remove, 'quiet bad'),
  };
  const locked = m.lock !== 'free';
  set(buttons.resume, { disabled: training || locked, hidden: !m.unfinished });
  set(buttons.trainMore, { disabled: training || locked, hidden: m.unfinished || steps === 0 });
  set(buttons.load, { disabled: training });
  if (locked) for (const each of [buttons.rename, buttons.remove]) set(each, { disabled: true });
  return el(
    'li',
    { 'data-model': name },
    description(m),
    el('div', { class: 'row' }, ...Object.values(buttons)),
  );
}

function description(m: StoredModel): HTMLDivElement {
  const steps = m.steps > 0 ? `step ${formatInteger(m.step)} of ${formatInteger(m.steps)}` : 'weights only';
  const tag = { free: '', 'this-tab': 'training in this tab', 'other-tab': 'training in another tab' }[
    m.lock
  ];
  const time =
    m.time > 0 && new Date(m.time).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'short' });
  return el(
    'div',
    { class: 'model-what' },
    el('b', {}, m.name),
    tag && el('span', { class: 'tag' }, tag),
    el(
      'p',
      { class: 'hint number' },
      [steps, `${formatInteger(m.parameters)} parameters`, formatBytes(m.bytes), time]
        .filter(Boolean)
        .join(' · '),
    ),
    hint(m.corpus),
  );
}
