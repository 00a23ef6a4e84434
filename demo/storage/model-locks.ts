// Locks of models: a Web Lock per model, so that one tab at a time writes it. The browser releases the lock
// when the tab closes or crashes.

import { HeddleError } from '../../src/core/errors.ts';
import { msg } from '../../src/core/message.ts';

/** Thrown if this or another tab has locked the model. */
export class LockedError extends HeddleError {
  override readonly name = 'LockedError';
}

const prefix = 'heddle model ';

/** Models locked by this worker. */
const held = new Set<string>();

/**
 * Locks a model for writing and returns a function that releases the lock. Throws a LockedError if the model
 * is locked. Readers need no lock: folders are replaced atomically.
 */
export function lockModel(name: string): Promise<() => void> {
  return new Promise((resolve, reject) => {
    const request = navigator.locks.request(`${prefix}${name}`, { ifAvailable: true }, (lock) => {
      if (!lock) {
        reject(
          new LockedError(
            held.has(name)
              ? msg`The model ${name} is being trained.`
              : msg`The model ${name} is being trained in another tab. This tab can translate with it, but not change it. Use another name, or stop the training in the other tab.`,
          ),
        );
        return undefined;
      }
      held.add(name);
      return new Promise<void>((release) => {
        resolve(() => {
          held.delete(name);
          release();
        });
      });
    });
    request.catch((error: Error) => {
      // A visitor who blocks storage blocks locks: no other tab has this model.
      if (error.name === 'SecurityError') resolve(() => undefined);
      else reject(error);
    });
  });
}

/** Runs `work` while this worker holds the lock of a model. */
export async function withModelLock<T>(name: string, work: () => Promise<T>): Promise<T> {
  const release = await lockModel(name);
  try {
    return await work();
  } finally {
    release();
  }
}

/** Returns the locked models, and whether this worker or another tab has locked them. */
export async function lockedModels(): Promise<ReadonlyMap<string, 'this-tab' | 'other-tab'>> {
  const { held: all = [] } = await navigator.locks.query().catch((): LockManagerSnapshot => ({}));
  return new Map(
    all.flatMap(({ name = '' }) => {
      if (!name.startsWith(prefix)) return [];
      const model = name.slice(prefix.length);
      return [[model, held.has(model) ? 'this-tab' : 'other-tab']];
    }),
  );
}
