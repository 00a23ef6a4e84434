// heddle serve

import type { Command } from 'commander';
import { HeddleError } from '../core/errors.ts';
import { features } from '../features/features.ts';
import { readInputText } from '../files/read-input.ts';
import { dawnGpu } from '../host/dawn.ts';
import { nodeFiles } from '../host/node-files.ts';
import { nodeHost } from '../host/node-host.ts';
import type { WeightFormat } from '../model/quantized-parameters.ts';
import { Session } from '../session/session.ts';
import { addDecodingFlags, type DecodingFlags, decodeOptionsOf } from './decode-flags.ts';
import { exitStatuses } from './interruption.ts';
import { errorText, eventText } from './message-flags.ts';
import { log, warn } from './output.ts';
import {
  addHostOptions,
  bytes,
  deviceOption,
  list,
  weightsExcludeOption,
  weightsOption,
  whole,
} from './parse-values.ts';
import type { HostOptions } from './run-command.ts';
import { Access } from './serve/access.ts';
import { TranslationServer } from './serve/http-server.ts';
import { Metrics } from './serve/metrics.ts';
import { openModels, parseModelSpec } from './serve/served-models.ts';
import type { ServedTexts } from './serve/served-texts.ts';
import { TranslateHandler } from './serve/translate-handler.ts';

interface Options
  extends DecodingFlags,
    Pick<HostOptions, 'host' | 'device' | 'adapter' | 'memoryLimit' | 'memoryBudget' | 'tune'> {
  port: number;
  address: string;
  lora?: string[];
  weights?: WeightFormat;
  weightsExclude?: string[];
  apiKeys?: string;
  cors?: string;
  rateLimit: number;
  charLimit: number;
  textLimit: number;
  maxBody: number;
  queue: number;
  batchSize: number;
  grace: number;
}

/** Adds the command `serve`; `loadTexts` loads how it translates texts. [sentences] */
export function addServe(program: Command, loadTexts?: () => Promise<ServedTexts>): void {
  const command = program
    .command('serve')
    .description("serve translations over HTTP with LibreTranslate's API")
    .argument('<model...>', 'models: en-es=DIR, a folder whose name ends with en-es, or a multilingual model')
    .option('--port <n>', 'port; 0: any free one', whole(0), 5000)
    .option('--address <host>', 'address to listen on; 0.0.0.0: all of this machine', '127.0.0.1')
    .option(
      '--lora <name=dir>',
      'LoRA adapter for the field lora_adapter of requests to its model; may be repeated, or a list with commas',
      list,
    )
    .option('--api-keys <file>', 'file with an API key on each line; without one no key is needed')
    .option('--cors <origin>', 'origin whose pages may call the server, or *  (default: none)')
    .option('--rate-limit <n>', 'requests per minute of a key or address (0: no limit)', whole(0), 0)
    .option('--char-limit <n>', 'characters per request (0: no limit)', whole(0), 0)
    .option('--text-limit <n>', 'texts per request', whole(1), 1000)
    .option('--max-body <bytes>', 'size of a request', bytes, 2 ** 20)
    .option('--queue <texts>', 'sentences that may wait; further requests get status 503', whole(1), 10_000)
    .option('--batch-size <texts>', 'sentences per batch', whole(1), 32)
    .option('--grace <s>', 'seconds that open requests have after a signal', whole(0), 10)
    .addOption(weightsOption())
    .addOption(weightsExcludeOption());
  addDecodingFlags(command);
  addHostOptions(command, ['dawn', 'cpu']).addOption(deviceOption());
  command.action((models: string[], options: Options) => run(models, options, loadTexts));
}

async function run(
  models: string[],
  options: Options,
  loadTexts?: () => Promise<ServedTexts>,
): Promise<void> {
  const decode = decodeOptionsOf(options);
  const loras = Object.fromEntries((options.lora ?? []).map(adapterOf));
  const keys = options.apiKeys === undefined ? [] : await keysOf(options.apiKeys);
  const session = new Session(
    { ...nodeHost(), gpu: () => dawnGpu({ adapter: options.adapter }) },
    {
      features,
      device: options.host === 'cpu' ? 'cpu' : options.device,
      tune: options.tune,
      memoryLimit: options.memoryLimit,
      memoryBudget: options.memoryBudget,
      onEvent: (event) => {
        if (event.type === 'warning') warn(eventText(event));
        if (event.type === 'message') log(eventText(event));
      },
    },
  );
  const metrics = new Metrics();
  const { weights, weightsExclude, batchSize, queue: maxTexts } = options;
  const limits = { loras, weights, weightsExclude, batchSize, maxTexts };
  const served = await openModels(models.map(parseModelSpec), session, limits, metrics);
  const isLocal = /^(?:127\.|localhost$|::1$)/.test(options.address);
  const handler = new TranslateHandler(
    served,
    { characters: options.charLimit, texts: options.textLimit, alternatives: 16 },
    { decode, texts: await loadTexts?.() },
  );
  const server = new TranslationServer(handler, {
    access: new Access({ keys, requestsPerMinute: options.rateLimit, cors: options.cors, isLocal }),
    metrics,
    maxBodyBytes: options.maxBody,
    waiting: () => served.reduce((n, { queue }) => n + queue.waiting, 0),
    onError: (error) => warn(`heddle: ${errorText(error)}`),
  });
  const port = await server.listen(options.port, options.address);
  const pairs = served.map(
    (model) =>
      `${model.pair ? `${model.pair.source}-${model.pair.target}` : 'all languages'} (${model.name})`,
  );
  log(`serving ${pairs.join(', ')} on http://${options.address}:${port}`);
  if (!isLocal && keys.length === 0)
    warn('heddle: everybody in the network may use the server; --api-keys limits it');
  const status = await stopSignal();
  log('heddle: finishing open requests; press Ctrl-C again to stop at once');
  await server.close(options.grace * 1000);
  for (const { model } of served) model.dispose();
  await session.close();
  process.exitCode = status;
}

/**
 * Resolves at a signal to the exit status: 130 after Ctrl-C, and 0 after SIGTERM and SIGHUP, by which service managers
 * stop a server. A second signal ends the process.
 */
function stopSignal(): Promise<number> {
  return new Promise((resolve) => {
    let isStopping = false;
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
      process.on(signal, () => {
        if (isStopping) process.exit(exitStatuses[signal]);
        isStopping = true;
        resolve(signal === 'SIGINT' ? exitStatuses[signal] : 0);
      });
  });
}

/** `name=dir`. */
function adapterOf(text: string): [string, string] {
  const at = text.indexOf('=');
  if (at < 1) throw new HeddleError('write name=dir', { area: `--lora ${text}` });
  return [text.slice(0, at), text.slice(at + 1)];
}

/** The keys of a file. Throws a HeddleError if it has none. */
async function keysOf(path: string): Promise<string[]> {
  const keys = (await readInputText(nodeFiles(), path))
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
  if (keys.length === 0) throw new HeddleError('there is no key in the file', { area: `--api-keys ${path}` });
  return keys;
}
