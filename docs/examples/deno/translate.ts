// deno task translate MODEL TEXT...: translates texts.
import { loadModel } from 'heddle';

const [folder = 'model', ...texts] = Deno.args;
const model = await loadModel(folder);
for (const translation of await model.translate(texts)) console.log(translation);
model.dispose();
