// The page of documents: opens the project of the last visit, or the form of a new one.

import { byId } from '../common/dom.ts';
import { mountHeader } from '../common/page-header.ts';
import { say } from '../common/page-texts.ts';
import { html, show } from '../common/panel.ts';
import { download } from '../common/save-blob.ts';
import { findProblem, problemPage } from '../common/webgpu-support.ts';
import { DocumentsClient } from './documents-client.ts';
import type { NewProject, ProjectView } from './documents-protocol.ts';
import { ProjectPanel } from './project-panel.ts';
import { SegmentTable } from './segment-table.ts';
import { StartPanel } from './start-panel.ts';

mountHeader('documents');
const client = new DocumentsClient();
const start = new StartPanel((project) => void create(project));
const withoutGpu = html`
  <p role="status">Without WebGPU this page translates in WebAssembly, more slowly. Learning from corrections needs WebGPU.</p>`;
const problem = await findProblem();
if (problem) show(problem === 'insecure' ? problemPage(problem) : withoutGpu, byId('webgpu-problem'));
if (problem !== 'insecure') await openLast();

/** The project of the last visit, or the form. */
async function openLast(): Promise<void> {
  byId('start').append(start.element);
  // Only a large memory takes so long that there is a message.
  client.onStatus = (text) => {
    showForm();
    start.showStatus(text);
  };
  try {
    const project = await client.call('open');
    start.showStatus('');
    if (project) openProject(project);
    else await showStart();
  } catch (error) {
    showForm();
    start.showStatus('');
    start.block((error as Error).message);
  }
}

async function showStart(): Promise<void> {
  byId('project-card').hidden = true;
  byId('segments-card').hidden = true;
  showForm();
  start.offer(await client.call('models'));
}

/** Shows the form, and the pictures of the way of a document. */
function showForm(): void {
  byId('way').hidden = false;
  byId('start-card').hidden = false;
}

async function create(project: NewProject): Promise<void> {
  void navigator.storage?.persist?.().catch(() => false);
  client.onStatus = (text) => start.showStatus(text);
  start.showStatus(say`Reading the files…`);
  try {
    const view = await client.call('create', project);
    start.showStatus('');
    openProject(view);
  } catch (error) {
    start.showError((error as Error).message);
  }
}

function openProject(project: ProjectView): void {
  const table = new SegmentTable(async (index, text, confirm) => {
    const segment = await client.call('save', index, text, confirm);
    table.update(segment);
    head.show(table.segments);
    return segment;
  });
  const head = new ProjectPanel(project, {
    learn: () =>
      void busy(async () => {
        head.showLearned(await client.call('learn'));
        await client.call('translate');
      }),
    download: (kind) =>
      void attempt(async () => {
        const names = { document: translatedName(project), memory: 'memory.tmx', adapter: 'adapter.zip' };
        download(await client.call('file', kind), names[kind]);
      }),
    discard: () => {
      if (
        !confirm(say`Close the project? Its document, memory and corrections are deleted from this browser.`)
      )
        return;
      void attempt(async () => {
        await client.call('discard');
        await showStart();
      });
    },
  });
  const attempt = async (work: () => Promise<void>) => {
    head.showError('');
    await work().catch((error: Error) => head.showError(error.message));
  };
  const busy = async (work: () => Promise<void>) => {
    head.setBusy(true);
    await attempt(work);
    head.setBusy(false);
  };
  client.onSegment = (segment) => {
    table.update(segment);
    head.show(table.segments);
  };
  client.onStatus = (text) => head.showStatus(text);
  table.show(project.segments);
  byId('project').replaceChildren(head.element);
  byId('segments').replaceChildren(table.element);
  byId('way').hidden = true;
  byId('start-card').hidden = true;
  byId('project-card').hidden = false;
  byId('segments-card').hidden = false;
  void busy(() => client.call('translate'));
}

/** `guide.es.po` for `guide.po`. */
function translatedName({ name, target }: ProjectView): string {
  const dot = name.lastIndexOf('.');
  return dot > 0 ? `${name.slice(0, dot)}.${target}${name.slice(dot)}` : `${name}.${target}`;
}

window.addEventListener('dragover', (event) => {
  if (event.dataTransfer?.types.includes('Files')) event.preventDefault();
});
window.addEventListener('drop', (event) => {
  const files = [...(event.dataTransfer?.files ?? [])];
  if (files.length === 0) return;
  event.preventDefault();
  if (!byId('start-card').hidden) start.take(files);
});
