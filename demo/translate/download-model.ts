// Downloads the model in the page, beside the code of the worker: on a slow network both are on their way at once.

import { say } from '../common/page-texts.ts';

/**
 * Downloads a model file. `onShare` receives the part that has arrived. Throws an error for the visitor if it does not
 * arrive.
 */
export async function downloadModel(url: string, onShare: (share: number) => void): Promise<File> {
  try {
    const response = await fetch(url);
    if (!response.ok || !response.body) throw new Error(`the server answered ${response.status}`);
    const total = Number(response.headers.get('content-length')) || Number.POSITIVE_INFINITY;
    const parts: Uint8Array<ArrayBuffer>[] = [];
    let arrived = 0;
    for (const reader = response.body.getReader(); ; ) {
      const { done, value } = await reader.read();
      if (done) break;
      parts.push(value);
      arrived += value.length;
      onShare(Math.min(1, arrived / total));
    }
    return new File(parts, 'model.safetensors');
  } catch (error) {
    console.error('the model did not arrive:', error);
    throw new Error(say`The model could not be downloaded; check the network connection.`);
  }
}
