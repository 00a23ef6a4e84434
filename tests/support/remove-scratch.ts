// Runs before each test file in Node: removes the file's folder when it is done.
import { afterAll } from 'vitest';
import { removeScratch } from './cli.ts';

afterAll(removeScratch);
