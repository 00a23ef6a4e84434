// Entry 'heddle' in Node (condition "node" in package.json): the library with Node as its host.

import './node.ts';

export * from './heddle.ts';
