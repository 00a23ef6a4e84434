// The page of a language: goes on with the language of the last visit, or offers the form of a new one.

import type { LanguageState } from '../../src/features/language/language-flow.ts';
import { byId } from '../common/dom.ts';
import { mountHeader } from '../common/page-header.ts';
import { show } from '../common/panel.ts';
import { download } from '../common/save-blob.ts';
import { wantsTuning } from '../common/wants-tuning.ts';
import { findProblem, problemPage } from '../common/webgpu-support.ts';
import { FlowPanel } from './flow-panel.ts';
import { LanguageClient } from './language-client.ts';
import { LanguageForm } from './language-form.ts';

mountHeader('language');
let panel: FlowPanel | undefined;
const client = new LanguageClient((event) => panel?.showProgress(event));
const form = new LanguageForm(async (language) => {
  void navigator.storage?.persist?.().catch(() => false);
  void openFlow(await client.call('create', language)).start();
});

const problem = await findProblem();
if (problem) {
  showStory(true);
  show(problemPage(problem), byId('webgpu-problem'));
} else {
  byId('start').append(form.element);
  try {
    const state = await client.call('open');
    if (state) openFlow(state);
    else showForm();
  } catch (error) {
    showForm();
    form.showError((error as Error).message);
  }
}

function showForm(): void {
  showStory(true);
  byId('start-card').hidden = false;
  byId('flow-card').hidden = true;
}

/** Shows the recorded example, which stands before the form. */
function showStory(isShown: boolean): void {
  for (const id of ['story', 'story-note']) byId(id).hidden = !isShown;
}

function openFlow(state: LanguageState): FlowPanel {
  const flow = new FlowPanel(state, {
    run: () => client.call('run', wantsTuning()),
    stop: () => client.call('stop'),
    download: async (what) => {
      const name = what === 'firefox' ? `${state.plan.languages.join('')}-firefox.zip` : 'language.zip';
      download(await client.call('archive', what), name);
    },
    keep: () => client.call('keep'),
    tried: async () => ({
      name: state.plan.languages.join(' → '),
      files: await client.call('files'),
      translate: (text) => client.call('translate', text),
    }),
    discard: async () => {
      await client.call('discard');
      showForm();
    },
  });
  panel = flow;
  byId('flow').replaceChildren(flow.element);
  showStory(false);
  byId('start-card').hidden = true;
  byId('flow-card').hidden = false;
  return flow;
}

window.addEventListener('dragover', (event) => {
  if (event.dataTransfer?.types.includes('Files')) event.preventDefault();
});
window.addEventListener('drop', (event) => {
  const [file] = event.dataTransfer?.files ?? [];
  if (!file) return;
  event.preventDefault();
  if (!byId('start-card').hidden) form.take(file);
});
