// The film of the front page: the moving picture of a recorded translation. Loaded when a visitor comes to it.

import { byId } from '../common/dom.ts';
import { MovingPicture } from '../picture/moving-picture.ts';
import recordedScene from '../picture/recorded-scene.json' with { type: 'json' };
import type { Scene } from '../picture/scene.ts';

/** Shows the film. */
export function showPicture(): void {
  byId('film').replaceChildren(new MovingPicture(recordedScene as unknown as Scene).element);
}
