// The training page: shows the panels, or without WebGPU a recorded run.

import { byId } from '../../common/dom.ts';
import { mountHeader } from '../../common/page-header.ts';
import { say, translated } from '../../common/page-texts.ts';
import { type Content, html, show } from '../../common/panel.ts';
import { findProblem, problemPage, type WebGpuProblem } from '../../common/webgpu-support.ts';
import { openScalpel } from '../../scalpel/open-scalpel.ts';
import { demoModels } from './demo-models.ts';
import { ResultPanels } from './result-panels.ts';
import { TrainingPage } from './training-page.ts';
import { createSession } from './training-session.ts';

const header = mountHeader('train');
void import('./learning-film.ts').then(({ showFilm }) => showFilm(byId('film')));
const problem = await findProblem();
const results = new ResultPanels();
results.mount();
for (const id of ['own', 'layout']) byId(id).hidden = false;
if (problem) showProblem(problem);
else {
  for (const id of ['translate-card', 'gallery-card', 'models-card', 'runs-card', 'log-card'])
    byId(id).hidden = false;
  const session = createSession();
  new TrainingPage(session, header, results).open();
  openScalpel(byId<HTMLDetailsElement>('scalpel-card'), {
    inspect: (text, options) => session.inspect(text, options),
    text: () => byId<HTMLTextAreaElement>('translate-text').value,
  });
}

/** Without WebGPU: how to enable it, translations of the page's models, and the recorded run. */
function showProblem(problem: WebGpuProblem): void {
  show(html`${problemPage(problem)}${exampleTable()}`, byId('webgpu-problem'));
  for (const id of ['own', 'setup', 'run', 'figures', 'scalpel-card']) byId(id).remove();
  const skip = byId<HTMLAnchorElement>('skip');
  skip.textContent = say`Skip to the recorded run`;
  skip.href = '#curves-card';
  byId('layout').classList.add('only-stage');
  void results.showRecordedRun('');
}

/** The example pairs of the models that ship with the page, with their translations. */
function exampleTable(): Content {
  return html`
    <section class="card stack" aria-labelledby="examples-title">
      <h2 id="examples-title">Translations by the models of this page</h2>
      <div class="model-examples">
        ${demoModels.map(
          ({ name, source, target, examples }) => html`
            <div>
              <h3>${translated(name)}</h3>
              <ul class="examples">
                ${examples.map(
                  ([from, to]) => html`
                    <li><span lang=${source}>${from}</span><span lang=${target} dir="auto">${to}</span></li>`,
                )}
              </ul>
            </div>`,
        )}
      </div>
    </section>`;
}
