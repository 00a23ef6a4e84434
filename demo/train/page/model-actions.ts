// What can be done with a model in this browser, with the questions that it takes.

import { formatInteger } from '../../../src/core/format-numbers.ts';
import { el } from '../../common/dom.ts';
import { isModelName } from '../../storage/model-names.ts';
import type { StoredModel } from '../../storage/model-store.ts';
import { ask, askText } from './dialogs.ts';
import type { Session } from './training-session.ts';

/** What can be done with a model. All reject with what is to be said; where the visitor thinks better of it nothing happens. */
export interface ModelActions {
  /** Goes on with its training to its end. */
  resume(m: StoredModel): void;
  /** Goes on with it to more steps. */
  trainOn(m: StoredModel): Promise<void>;
  /** Puts it into use for translating. */
  load(m: StoredModel): Promise<void>;
  rename(m: StoredModel): Promise<void>;
  copy(m: StoredModel): Promise<void>;
  /** Hands it to the visitor, with its checkpoint, or its weights alone. */
  archive(m: StoredModel): Promise<void>;
  safetensors(m: StoredModel): Promise<void>;
  remove(m: StoredModel): Promise<void>;
}

/** What actions need of the page. */
export interface ActionsHost {
  /** Goes on with a training, to its end or to as many steps in all. */
  resume(name: string, steps?: number): void;
  /** A model was put into use. */
  loaded(name: string): void;
  /** Whether there is a model of that name. */
  taken(name: string): boolean;
}

/** The actions on a session's models. */
export function createModelActions(session: Session, host: ActionsHost): ModelActions {
  /** A name that is free; `undefined` where the visitor thinks better of it. */
  async function newName(question: string, value: string): Promise<string | undefined> {
    const name = await askText(question, 'Name', value);
    if (name === undefined) return undefined;
    if (!isModelName(name))
      throw new Error(
        `“${name}” cannot be a name: letters, digits, - and _, single dots or spaces between them, 60 at most.`,
      );
    if (host.taken(name)) throw new Error(`There is a model called “${name}” already.`);
    return name;
  }

  return {
    resume: ({ name }) => host.resume(name),
    async trainOn({ name, step, steps }) {
      const given = await askText(`Train ${name} further`, 'Steps in all', String(2 * steps));
      if (given === undefined) return;
      const wanted = Number(given);
      if (!Number.isInteger(wanted) || wanted <= step)
        throw new Error(`${given} is no number of steps above the ${formatInteger(step)} that ${name} has done.`);
      host.resume(name, wanted);
    },
    async load({ name }) {
      await session.load(name);
      host.loaded(name);
    },
    async rename({ name }) {
      const as = await newName(`Rename ${name}`, name);
      if (as === undefined) return;
      await session.save(name, as);
      await session.remove(name);
    },
    async copy({ name }) {
      const as = await newName(`Copy ${name}`, `${name.slice(0, 55)}-copy`);
      if (as !== undefined) await session.save(name, as);
    },
    archive: async ({ name }) => download(await session.exportArchive(name), `${name}.zip`),
    safetensors: async ({ name }) => download(await session.exportSafetensors(name), `${name}.safetensors`),
    async remove({ name }) {
      const sure = await ask(
        `Delete ${name}?`,
        'The model and its checkpoint are removed from this browser. This cannot be undone.',
        [['delete', 'Delete', 'bad']],
      );
      if (sure) await session.remove(name);
    },
  };
}

/** Hands a file to the visitor. */
function download(data: Blob, name: string): void {
  const link = el('a', { href: URL.createObjectURL(data), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
