// Runs before each test file: tests build graphs of any model without loading it.

import { loadSublayers } from '../../src/model/load-sublayers.ts';
import { modelConfig } from '../../src/model/model-config.ts';

await loadSublayers(modelConfig({ srcVocab: 8, tgtVocab: 8, decoderSelfAttention: 'ssru' }));
