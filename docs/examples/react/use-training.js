// A hook that trains a model: its progress, its errors, and how to cancel it.
import { errorKind, train } from 'heddle';
import { useCallback, useEffect, useRef, useState } from 'react';

/** Returns `{ state, step, loss, error, model, start(pairs, options), cancel() }`; state: idle, training or ready. */
export function useTraining() {
  const [progress, setProgress] = useState({ state: 'idle', step: 0 });
  const [model, setModel] = useState();
  const stop = useRef();

  const start = useCallback(async (pairs, options) => {
    stop.current?.abort();
    const own = new AbortController();
    stop.current = own;
    setModel(undefined);
    setProgress({ state: 'training', step: 0 });
    try {
      const trained = await train(pairs, {
        ...options,
        signal: own.signal,
        onStep: ({ step, loss }) => setProgress({ state: 'training', step, loss }),
      });
      setModel(trained);
      setProgress((before) => ({ ...before, state: 'ready' }));
    } catch (error) {
      if (stop.current !== own) return; // another training has begun
      setProgress({ state: 'idle', step: 0, error: errorKind(error) === 'aborted' ? undefined : error });
    }
  }, []);
  const cancel = useCallback(() => stop.current?.abort(), []);

  // A component that is removed ends its training, and a model that is replaced frees its GPU memory.
  useEffect(() => () => stop.current?.abort(), []);
  useEffect(() => () => model?.dispose(), [model]);
  return { ...progress, model, start, cancel };
}
