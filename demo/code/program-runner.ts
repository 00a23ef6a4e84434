// Runs programs, each in a new sandboxed frame (code-frame.html). Stopping a program removes its frame.

import { messageOf } from '../../src/entries/host.ts';
import { say } from '../common/page-texts.ts';

/** Event of a running program. */
export type ProgramEvent =
  | {
      readonly type: 'print';
      readonly level: 'log' | 'info' | 'debug' | 'warn' | 'error';
      readonly text: string;
    }
  /** An error; `line` is 0 if it has no line in the program. */
  | { readonly type: 'error'; readonly text: string; readonly line: number }
  | { readonly type: 'file'; readonly path: string; readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly type: 'end' };

/** A running program. */
export interface RunningProgram {
  stop(): void;
}

/** Timeout for loading the frame, in milliseconds. */
const frameTimeout = 20_000;

let library: Promise<string> | undefined;

/**
 * Loads the text of the library once. The frame cannot load it: its opaque origin needs CORS, which many
 * hosts lack.
 */
function loadLibrary(): Promise<string> {
  library ??= textOf('./code/library.js').catch((error: unknown) => {
    library = undefined;
    throw error;
  });
  return library;
}

async function textOf(url: string): Promise<string> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(say`${url}: the server answered ${response.status}`);
  return response.text();
}

/** Runs a program; `file` becomes a global variable. Events go to `listener` until the program is stopped. */
export function runProgram(
  code: string,
  file: () => Promise<File>,
  listener: (event: ProgramEvent) => void,
): RunningProgram {
  const frame = document.createElement('iframe');
  frame.sandbox.add('allow-scripts');
  frame.src = './code-frame.html';
  frame.title = say`The running program`;
  frame.hidden = true;
  const channel = new MessageChannel();
  let stopped = false;
  const fail = (error: unknown) => {
    if (stopped) return;
    listener({ type: 'error', text: messageOf(error), line: 0 });
    listener({ type: 'end' });
  };
  const ready = new Promise<void>((resolve, reject) => {
    const late = setTimeout(() => {
      const advice = say`If the server sends Cross-Origin-Embedder-Policy, it must send this file with Cross-Origin-Resource-Policy: cross-origin.`;
      reject(new Error(say`The frame code-frame.html did not load. ${advice}`));
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
    // The frame's origin is opaque: only the target '*' matches it.
    if (!stopped)
      frame.contentWindow?.postMessage({ library: text, code, file: given }, '*', [channel.port2]);
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
