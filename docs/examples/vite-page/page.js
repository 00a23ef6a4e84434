// The page: buttons and messages. The model trains and translates in worker.js, so that the page stays responsive.
const byId = (id) => document.getElementById(id);
const worker = new Worker(new URL('./worker.js', import.meta.url), { type: 'module' });

worker.addEventListener('message', ({ data }) => {
  if (data.progress !== undefined) byId('progress').value = data.progress;
  if (data.status !== undefined) byId('status').textContent = data.status;
  if (data.translation !== undefined) byId('translation').value = data.translation;
  if (data.training !== undefined) {
    byId('train').disabled = data.training;
    byId('cancel').disabled = !data.training;
  }
  if (data.ready !== undefined) byId('translate').disabled = !data.ready;
});
byId('train').addEventListener('click', () => worker.postMessage({ type: 'train' }));
byId('cancel').addEventListener('click', () => worker.postMessage({ type: 'cancel' }));
byId('form').addEventListener('submit', (event) => {
  event.preventDefault();
  worker.postMessage({ type: 'translate', text: byId('text').value });
});
