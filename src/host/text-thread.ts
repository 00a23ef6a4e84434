// The program of a thread for work on large corpora (dist/text-thread.js), see text-threads.ts.
import { parentPort } from 'node:worker_threads';
import { serveTextTasks } from '../text/text-pool.ts';

parentPort?.on(
  'message',
  serveTextTasks((message) => parentPort?.postMessage(message)),
);
