// One tab at a time writes a model: a Web Lock by its name, held as long as it is trained or changed. The browser frees it when the
// tab is closed, however that happens.

/** Thrown where another tab, or this one, has the model. */
export class LockedError extends Error {
  override readonly name = 'LockedError';
}

const prefix = 'heddle model ';

/** Models that this worker holds. */
const held = new Set<string>();

/**
 * Takes a model; gives a function that lets go of it. Throws a LockedError where it is taken. Readers take nothing: what they read is
 * whole at any moment.
 */
export function takeModel(name: string): Promise<() => void> {
  return new Promise((resolve, reject) => {
    const taken = navigator.locks.request(`${prefix}${name}`, { ifAvailable: true }, (lock) => {
      if (!lock) {
        reject(
          new LockedError(
            held.has(name)
              ? `The model ${name} is being trained.`
              : `The model ${name} is being trained in another tab. Here it can be used for translating, not changed; train under another name, or stop it there.`,
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
    taken.catch(reject);
  });
}

/** Does something while this worker has the model. */
export async function withModel<T>(name: string, work: () => Promise<T>): Promise<T> {
  const release = await takeModel(name);
  try {
    return await work();
  } finally {
    release();
  }
}

/** Which of all models are taken: by this worker, or by another tab's. */
export async function takenModels(): Promise<ReadonlyMap<string, 'here' | 'elsewhere'>> {
  const { held: all = [] } = await navigator.locks.query();
  return new Map(
    all.flatMap(({ name = '' }) => {
      if (!name.startsWith(prefix)) return [];
      const model = name.slice(prefix.length);
      return [[model, held.has(model) ? 'here' : 'elsewhere']];
    }),
  );
}
