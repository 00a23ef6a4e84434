// The program of jobs in Deno (dist/headless-deno.js). Node sends a line of JSON on its standard input for
// each call of a function of headless-page.ts, and receives events and results as lines on its standard
// output.

import './headless-page.ts';
import type { DenoCall, DenoReply } from './remote/json-transport.ts';

/** The part of Deno's API that is used. */
declare const Deno: {
  stdin: { readable: ReadableStream<BufferSource> };
  stdout: { writable: WritableStream<Uint8Array> };
  exit(): never;
};

const output = Deno.stdout.writable.getWriter();
const send = (reply: DenoReply) => output.write(new TextEncoder().encode(`${JSON.stringify(reply)}\n`));

console.log = console.error; // standard output is for replies
globalThis.heddleEmit = (event) => send({ type: 'event', text: event });

let text = '';
for await (const chunk of Deno.stdin.readable.pipeThrough(new TextDecoderStream())) {
  const lines = (text + chunk).split('\n');
  text = lines.pop() ?? '';
  for (const line of lines) {
    const call = JSON.parse(line) as DenoCall;
    if (call.type === 'run')
      void heddle.run(call.text).then((response) => send({ type: 'response', text: response }));
    else if (call.type === 'abort') heddle.abort();
    else void send({ type: 'pong' });
  }
}
Deno.exit();
