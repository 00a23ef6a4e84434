// npm run translate -- [model]: translates the lines of standard input.
import { createInterface } from 'node:readline';
import { loadModel } from 'heddle';

const model = await loadModel(process.argv[2] ?? 'model');
for await (const line of createInterface({ input: process.stdin })) console.log(await model.translate(line));
model.dispose();
