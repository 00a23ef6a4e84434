// Events of workers as the page gets them.

import { expect, it } from 'vitest';
import { inLanguage } from '../../demo/common/worker-client.ts';
import { type Message, msg } from '../../src/core/message.ts';

/** Events as those of the page Speech. */
type WorkerEvent =
  | { readonly type: 'status'; readonly text: string | Message }
  | { readonly type: 'partial'; readonly heard: string };

it('renders the messages of events, and leaves what was heard as it is', () => {
  const status = inLanguage<WorkerEvent>({ type: 'status', text: msg`Reading ${'a'}` });
  expect(status).toEqual({ type: 'status', text: 'Reading a' });
  const partial: WorkerEvent = { type: 'partial', heard: 'Models' };
  expect(inLanguage<WorkerEvent>(partial)).toBe(partial);
});
