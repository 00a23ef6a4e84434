// An entry of the list of models: facts about a model, and buttons that load, train, rename, copy, download
// or delete it.

import { present } from '../../../src/core/present.ts';
import { formatBytes, formatInteger, formatMoment } from '../../common/format.ts';
import { say, translated } from '../../common/page-texts.ts';
import { type Content, html, nothing } from '../../common/panel.ts';
import { download } from '../../common/save-blob.ts';
import { hint } from '../../common/tables.ts';
import { isModelName, modelNameRule, shortName } from '../../storage/model-names.ts';
import type { StoredModel } from '../../storage/model-store.ts';
import { ask, askText } from './dialogs.ts';
import type { Session } from './training-session.ts';

/** Functions of the page that the buttons call. */
export interface ModelHost {
  /** Resumes a training, to its last step or to `steps` steps in total. */
  resume(name: string, steps?: number): void;
  /** Called after a model was loaded. */
  onLoad(name: string): void;
  /** Translates with a model as Firefox would. */
  onTry(name: string): Promise<void>;
  /** Called after a model was renamed, or deleted: `as` is empty. */
  onRename(name: string, as: string): void;
}

/** A button of an entry, with a full description for screen readers. */
export interface ListButton {
  readonly label: string;
  readonly description: string;
  readonly style?: string;
  readonly disabled?: boolean;
  readonly hidden?: boolean;
  act(): Promise<void>;
}

/** What the buttons do. All reject with a message for the visitor. */
export class ModelActions {
  readonly #session: Session;
  readonly #host: ModelHost;
  readonly #isTaken: (name: string) => boolean;

  /** `isTaken` returns whether a model has a name. */
  constructor(session: Session, host: ModelHost, isTaken: (name: string) => boolean) {
    this.#session = session;
    this.#host = host;
    this.#isTaken = isTaken;
  }

  async resume(name: string): Promise<void> {
    this.#host.resume(name);
  }

  async load(name: string): Promise<void> {
    await this.#session.load(name);
    this.#host.onLoad(name);
  }

  async trainMore({ name, step, steps }: StoredModel): Promise<void> {
    const problem = (text: string) =>
      Number.isInteger(Number(text)) && Number(text) > step
        ? ''
        : say`Total steps is ${text}; it must be an integer above the ${formatInteger(step)} steps already done.`;
    const question = say`Train more steps with ${shortName(name)}`;
    const given = await askText({ question, label: say`Total steps`, value: String(2 * steps), problem });
    if (given !== undefined) this.#host.resume(name, Number(given));
  }

  async rename(name: string): Promise<void> {
    const as = await this.#askName(say`Rename ${shortName(name)}`, name);
    if (as === undefined) return;
    await this.#session.rename(name, as);
    this.#host.onRename(name, as);
  }

  async copy(name: string): Promise<void> {
    const as = await this.#askName(say`Copy ${shortName(name)}`, `${name.slice(0, 55)}-copy`);
    if (as !== undefined) await this.#session.save(name, as);
  }

  async saveArchive(name: string): Promise<void> {
    download(await this.#session.exportArchive(name), `${name}.zip`);
  }

  async saveSafetensors(name: string): Promise<void> {
    download(await this.#session.exportSafetensors(name), `${name}.safetensors`);
  }

  async saveOnnx(name: string): Promise<void> {
    download(await this.#session.exportOnnx(name), `${name}-onnx.zip`);
  }

  async saveHtml(name: string): Promise<void> {
    download(await this.#session.exportHtml(name), `${name}.html`);
  }

  async takeAway(name: string): Promise<void> {
    download(await this.#session.takeAway(name), `${name}-programs.zip`);
  }

  async saveFirefox(name: string): Promise<void> {
    const files = await this.#session.firefoxFiles(name);
    const { zipParts } = await import('../../../src/entries/host.ts');
    const archive = new Blob(zipParts(files) as BlobPart[], { type: 'application/zip' });
    download(archive, `${name}-firefox.zip`);
  }

  async tryFirefox(name: string): Promise<void> {
    await this.#host.onTry(name);
  }

  async remove(name: string): Promise<void> {
    const answer = await ask(
      say`Delete ${shortName(name)}?`,
      say`The model and its checkpoint are deleted from this browser. This cannot be undone.`,
      [['delete', say`Delete`, 'bad']],
    );
    if (!answer) return;
    await this.#session.remove(name);
    this.#host.onRename(name, '');
  }

  /** Asks for a name that no model has; `undefined` if the visitor cancels. */
  #askName(question: string, value: string): Promise<string | undefined> {
    const problem = (given: string) => {
      if (!isModelName(given)) return say`“${given}” is not a valid name: ${translated(modelNameRule)}.`;
      return this.#isTaken(given) ? say`A model named “${given}” exists.` : '';
    };
    return askText({ question, label: say`Name`, value, problem });
  }
}

/**
 * The entry of a model. While a training runs (`isTraining`), no other model can be loaded or trained.
 * `button` shows a button.
 */
export function modelItem(
  model: StoredModel,
  actions: ModelActions,
  isTraining: boolean,
  button: (button: ListButton) => Content,
): Content {
  const { name, unfinished } = model;
  const shown = shortName(name);
  const isLocked = model.lock !== 'free';
  const buttons: readonly ListButton[] = [
    {
      label: say`Resume`,
      description: say`Resume the training of ${shown}`,
      disabled: isTraining || isLocked,
      hidden: !unfinished,
      act: () => actions.resume(name),
    },
    {
      label: say`Load`,
      description: say`Load ${shown} to translate with it`,
      disabled: isTraining,
      act: () => actions.load(name),
    },
    {
      label: say`Train more`,
      description: say`Train more steps with ${shown}`,
      style: 'quiet',
      disabled: isTraining || isLocked,
      hidden: unfinished || model.steps === 0,
      act: () => actions.trainMore(model),
    },
    {
      label: say`Rename`,
      description: say`Rename ${shown}`,
      style: 'quiet',
      disabled: isLocked,
      act: () => actions.rename(name),
    },
    {
      label: say`Copy`,
      description: say`Copy ${shown} under another name`,
      style: 'quiet',
      act: () => actions.copy(name),
    },
    {
      label: say`Archive`,
      description: say`Download ${shown} as a zip archive, with its checkpoint`,
      style: 'quiet',
      act: () => actions.saveArchive(name),
    },
    {
      label: say`Safetensors`,
      description: say`Download ${shown} as safetensors, without its checkpoint`,
      style: 'quiet',
      act: () => actions.saveSafetensors(name),
    },
    {
      label: say`Take it away`,
      description: say`Take it away: download ${shown} and its settings as a program of heddle and one of PyTorch`,
      style: 'quiet',
      act: () => actions.takeAway(name),
    },
    {
      label: say`Give it to a friend`,
      description: say`Give it to a friend: download ${shown} with a translator as one HTML file, which needs no network`,
      style: 'quiet',
      act: () => actions.saveHtml(name),
    },
    {
      label: say`Export for transformers.js`,
      description: say`Export for transformers.js: download ${shown} as ONNX files`,
      style: 'quiet',
      act: () => actions.saveOnnx(name),
    },
    {
      label: say`Export for Firefox`,
      description: say`Export for Firefox: download ${shown} as the files of Firefox Translations`,
      style: 'quiet',
      hidden: !model.isForFirefox,
      act: () => actions.saveFirefox(name),
    },
    {
      label: say`Try it as Firefox would`,
      description: say`Try it as Firefox would: translate with ${shown} in the engine of Firefox`,
      style: 'quiet',
      disabled: isTraining,
      hidden: !model.isForFirefox,
      act: () => actions.tryFirefox(name),
    },
    {
      label: say`Delete`,
      description: say`Delete ${shown}`,
      style: 'quiet bad',
      disabled: isLocked,
      act: () => actions.remove(name),
    },
  ];
  return html`
    <li data-model=${name}>
      ${description(model)}
      <div class="row">${buttons.map(button)}</div>
    </li>`;
}

const lockTexts: Record<StoredModel['lock'], string> = {
  free: '',
  'this-tab': say`training in this tab`,
  'other-tab': say`training in another tab`,
};

function description({ name, step, steps, parameters, bytes, time, lock, corpus }: StoredModel): Content {
  const facts = present([
    steps > 0 ? say`step ${formatInteger(step)} of ${formatInteger(steps)}` : say`weights only`,
    say`${formatInteger(parameters)} parameters`,
    formatBytes(bytes),
    time > 0 ? formatMoment(time) : undefined,
  ]);
  return html`
    <div class="model-what">
      <b>${shortName(name)}</b>
      ${lockTexts[lock] ? html`<span class="tag">${lockTexts[lock]}</span>` : nothing}
      <p class="hint number">${facts.join(' · ')}</p>
      ${hint(corpus)}
    </div>`;
}
