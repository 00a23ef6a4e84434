// What 'heddle' is in Node, by the "node" condition of package.json: the library with Node as its platform.

import './node.ts';

export * from './index.ts';
