// Runs tasks in a page of Chrome; Node calls `runTask` on globalThis through Puppeteer.

import { type Findings, runTask, type Task } from './bench-session.ts';

declare global {
  var bench: { run(task: Task): Promise<Findings> };
}

const read = async (path: string): Promise<Uint8Array> => {
  const response = await fetch(`cases/${path}`);
  if (!response.ok) throw new Error(`${path}: ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
};

globalThis.bench = { run: (task) => runTask(task, read, (line) => console.log(line)) };
