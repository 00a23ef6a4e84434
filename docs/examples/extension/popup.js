// The popup translates the selected text of the page. It runs in the popup, not in the service worker of the
// extension: service workers cannot load modules on demand. The model is public/model.safetensors or model.zip:
// write one with `npx heddle convert --pack RUN public/model.zip`, or save it on heddle's page.
import { loadModel } from 'heddle';

const show = (id, text) => {
  document.getElementById(id).textContent = text;
};

/** The selected text of the page, or ?text= of the address, for tests. */
async function selection() {
  const given = new URLSearchParams(location.search).get('text');
  if (given !== null) return given;
  const [tab] = await chrome.tabs.query({ active: true, currentWindow: true });
  const [{ result }] = await chrome.scripting.executeScript({
    target: { tabId: tab.id },
    func: () => getSelection()?.toString() ?? '',
  });
  return result.trim();
}

/** The model in the files of the extension. */
async function openModel() {
  for (const name of ['model.zip', 'model.safetensors']) {
    const response = await fetch(name).catch(() => undefined);
    if (response?.ok) return loadModel(new File([await response.blob()], name));
  }
  throw new Error('There is no model in this extension: see popup.js.');
}

try {
  const text = await selection();
  show('source', text || 'Select a text in the page first.');
  if (text) {
    const model = await openModel();
    let translation = '';
    for await (const piece of model.stream(text)) {
      translation += piece;
      show('translation', translation);
    }
    model.dispose();
  } else show('translation', '');
} catch (error) {
  show('translation', error.message);
}
