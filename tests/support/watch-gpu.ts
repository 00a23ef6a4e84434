// Runs before each test file with a GPU: what WebGPU reports during a test fails it.
import { watchTests } from './gpu.ts';

watchTests();
