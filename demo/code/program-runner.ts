// Runs a program in the sandboxed frame code-frame.html: a frame for each run, which a stop removes.

import { el } from '../common/dom.ts';

/** What a program does. */
export type ProgramEvent =
  | { readonly type: 'print'; readonly level: 'log' | 'info' | 'debug' | 'warn' | 'error'; readonly text: string }
  /** An error; `line` is 0 if it is not of a line of the program. */
  | { readonly type: 'error'; readonly text: string; readonly line: number }
  | { readonly type: 'file'; readonly path: string; readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly type: 'end' };

/** A running program. */
export interface RunningProgram {
  stop(): void;
}

/** Milliseconds that the frame has to load. */
const frameTimeout = 20_000;

let library: Promise<string> | undefined;

/** The text of the library, loaded once. The frame cannot load it: to a host without CORS its origin is a foreign one. */
function loadLibrary(): Promise<string> {
  library ??= textOf('./code/library.js').catch((error: unknown) => {
    library = undefined;
    throw error;
  });
  return library;
}

async function textOf(url: string): Promise<string> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url}: the server answered ${response.status}`);
  return response.text();
}

/** Runs a program; `file` is what its global of that name is. Events go to `listener` until the program is stopped. */
export function runProgram(
  code: string,
  file: () => Promise<File>,
  listener: (event: ProgramEvent) => void,
): RunningProgram {
  const frame = el('iframe', {
    sandbox: 'allow-scripts',
    src: './code-frame.html',
    title: 'The running program',
    hidden: true,
  });
  const channel = new MessageChannel();
  let stopped = false;
  const fail = (error: unknown) => {
    if (stopped) return;
    listener({ type: 'error', text: error instanceof Error ? error.message : String(error), line: 0 });
    listener({ type: 'end' });
  };
  const ready = new Promise<void>((resolve, reject) => {
    const late = setTimeout(() => {
      const why =
        'a server that sends Cross-Origin-Embedder-Policy must send Cross-Origin-Resource-Policy: cross-origin with it';
      reject(new Error(`The frame code-frame.html did not load; ${why}.`));
    }, frameTimeout);
    const onMessage = ({ source, data }: MessageEvent) => {
      if (source !== frame.contentWindow || data !== 'ready') return;
      window.removeEventListener('message', onMessage);
      clearTimeout(late);
      resolve();
    };
    window.addEventListener('message', onMessage);
  });
  channel.port1.onmessage = ({ data }: MessageEvent<ProgramEvent>) => {
    if (!stopped) listener(data);
  };
  document.body.append(frame);
  const start = async () => {
    const usesFile = /\bfile\b/.test(code);
    const [text, given] = await Promise.all([loadLibrary(), usesFile ? file() : undefined, ready]);
    // The frame's origin is opaque: no other target would match it.
    if (!stopped) frame.contentWindow?.postMessage({ library: text, code, file: given }, '*', [channel.port2]);
  };
  start().catch(fail);
  return {
    stop() {
      stopped = true;
      channel.port1.close();
      frame.remove();
    },
  };
}
