// Runs before each test file in Node: removes the file's temporary folder afterwards.
import { afterAll } from 'vitest';
import { removeScratch } from './cli.ts';

afterAll(removeScratch);
