// The script of a thread for large corpora (dist/text-thread.js); node-host.ts starts it.
import { parentPort } from 'node:worker_threads';
import { features } from '../features/features.ts';
import { serveTextTasks } from '../text/text-pool.ts';

parentPort?.on(
  'message',
  serveTextTasks((message) => parentPort?.postMessage(message), features.textTasks),
);
