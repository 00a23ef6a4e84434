// The page of speech: a model hears the microphone or clips, and learns from recordings.

import { byId } from '../common/dom.ts';
import { mountHeader } from '../common/page-header.ts';
import { html, show } from '../common/panel.ts';
import { findProblem, problemPage } from '../common/webgpu-support.ts';
import { ListenPanel } from './listen-panel.ts';
import { ModelPanel } from './model-panel.ts';
import { SpeechClient } from './speech-client.ts';
import { TeachPanel } from './teach-panel.ts';

mountHeader('speech');
const client = new SpeechClient();
const hub = new URL('./hub', location.href).href;

const models = new ModelPanel({
  use: (model) => client.call('use', model),
  store: (files) => client.call('store', files),
  pull: (name) => client.call('pull', name, hub),
  forget: () => client.call('forget'),
});
const ready = () => models.ready();
const listen = new ListenPanel({
  ready,
  read: (sound) => client.call('read', sound, models.language),
  listen: (rate) => client.call('listen', rate, models.language),
  stream: client,
});
const teach = new TeachPanel({
  ready,
  record: (text, from) => client.call('record', text, from),
  stream: client,
  sound: (file) => client.call('sound', file),
  remove: (file) => client.call('remove', file),
  archive: () => client.call('archive'),
  teach: async () => {
    const report = await client.call('teach');
    models.showLearned();
    return report;
  },
});
client.onPartial = (text) => listen.showPartial(text);
client.onFrames = (logs, mels) => listen.addFrames(logs, mels);
client.onStatus = (text) => {
  models.showStatus(text);
  teach.showStatus(text);
};

const problem = await findProblem();
if (problem) show(problem === 'insecure' ? problemPage(problem) : withoutGpu(), byId('webgpu-problem'));
if (problem === 'insecure') for (const id of ['model', 'listen', 'teach']) byId(`${id}-card`).hidden = true;
else {
  byId('model').append(models.element);
  byId('listen').append(listen.element);
  byId('teach').append(teach.element);
  teach.show(await client.call('recordings'));
  models.offer(await client.call('models'));
}

function withoutGpu() {
  return html`
    <p role="status">Without WebGPU this page listens in WebAssembly, more slowly. Learning needs WebGPU.</p>`;
}

window.addEventListener('dragover', (event) => {
  if (event.dataTransfer?.types.includes('Files')) event.preventDefault();
});
window.addEventListener('drop', (event) => {
  const files = [...(event.dataTransfer?.files ?? [])];
  const [first] = files;
  if (!first) return;
  event.preventDefault();
  if (files.length === 1 && first.type.startsWith('audio/')) listen.take(first);
  else void models.take(files);
});
