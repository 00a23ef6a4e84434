// Runs before each test file with a GPU: errors that WebGPU reports during a test fail it.
import { watchTests } from './gpu.ts';

watchTests();
