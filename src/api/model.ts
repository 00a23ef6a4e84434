// Creates models. The code that evaluates, inspects and saves is imported at its first use, so that a page
// that only translates does not load it.

import { check } from '../core/errors.ts';
import { plainGreedy, sourceGraph, stepGraph } from '../decode/decoding-graphs.ts';
import type { Translator } from '../decode/translator.ts';
import { defaultTraits } from '../engine/ops/device-traits.ts';
import { printPlan } from '../engine/plan/plan.ts';
import { makePlan } from '../engine/plan/planner.ts';
import type { SavedModel } from '../formats/shared/saved-model.ts';
import type { ModelConfig } from '../model/model-config.ts';
import type { ParameterList } from '../model/parameter-layout.ts';
import { parameterList, tensorsFromWeights } from '../model/parameters.ts';
import { modelInLanguages } from '../session/open-model.ts';
import type { Session } from '../session/session.ts';
import { decodingIn, encodeTexts, generateTexts, modelLanguages } from './generate-texts.ts';
import { createModelEngine, type ModelParts } from './model-engine.ts';
import type { GenerateOptions, Model, PlanShape, TranslateOptions } from './model-types.ts';

const evaluating = () => import('./evaluate-model.ts');
const saving = () => import('./save-model.ts');

/** Data of a model for `train`: the saved model, and the folder or hub name that it was loaded from. */
interface Internals {
  /** The saved model, with its weights. */
  saved(): Promise<SavedModel>;
  readonly name: string;
}

const internals = new WeakMap<Model, Internals>();

/** The internals of a model. Throws a HeddleError for any other value. */
export function internalsOf(model: Model): Internals {
  const known = internals.get(model);
  check(known, 'This is not a model of heddle; get one from train() or loadModel()');
  return known;
}

/** Creates a model from its parts. */
export function createModel(saved: SavedModel, session: Session, parts: ModelParts = {}): Model {
  const { config, source, target, weights } = saved;
  const onEngine = createModelEngine(saved, session, parts);
  const { inTurn, addLora, useLora, dispose } = onEngine;
  const generate = (texts: readonly string[], options: GenerateOptions) =>
    generateTexts(saved, onEngine, texts, options);
  /** The engine for evaluation and scores. */
  const evaluationHost = async () => {
    const engine = await onEngine.engine();
    return { engine, parameters: onEngine.parameters, emit: session.emit, write: onEngine.write };
  };

  const model: Model = {
    config,
    tokenizers: { source, target },
    parameterCount: onEngine.parameters.count,
    notes: saved.notes ?? [],
    ...(saved.languages && { languages: modelLanguages(saved.languages) }),
    ...(parts.training && { training: parts.training }),
    translate: (async (texts: string | readonly string[], options: TranslateOptions = {}) => {
      const generations = await inTurn(() => generate([texts].flat(), options));
      const best = generations.map(([translation]) => translation?.text ?? '');
      return typeof texts === 'string' ? best[0] : best;
    }) as Model['translate'],
    async *stream(text, given = {}) {
      const configured = await modelInLanguages(saved, given);
      const options = decodingIn(given, saved, configured);
      const { full, encoded, shape } = encodeTexts([text], configured, options);
      if (full.length === 0) return;
      // The turn lasts until the loop ends, which `return` of this generator reports.
      let end = () => {};
      const over = new Promise<void>((resolve) => {
        end = resolve;
      });
      const started = new Promise<Translator>((resolve, reject) => {
        inTurn(async () => {
          resolve(await onEngine.translator(shape, options));
          await over;
        }).catch(reject);
      });
      try {
        for await (const piece of (await started).stream(encoded[0] as number[], options))
          if (piece.text) yield piece.text;
      } finally {
        end();
      }
    },
    generate: (async (texts: string | readonly string[], options: GenerateOptions = {}) => {
      const generations = await inTurn(() => generate([texts].flat(), options));
      return typeof texts === 'string' ? generations[0] : generations;
    }) as Model['generate'],
    evaluate: (pairs, options = {}) =>
      inTurn(async () => {
        const [evaluation, { evaluateModel }] = await Promise.all([evaluationHost(), evaluating()]);
        return evaluateModel(await modelInLanguages(saved, options), pairs, options, {
          ...evaluation,
          translate: async (texts, decode) =>
            (await generate(texts, decode)).map(([best]) => best?.text ?? ''),
        });
      }),
    score: (pairs, options = {}) =>
      inTurn(async () => {
        const [evaluation, { scorePairs }] = await Promise.all([evaluationHost(), evaluating()]);
        return scorePairs(await modelInLanguages(saved, options), pairs, options, evaluation);
      }),
    async attention(text, options = {}) {
      const [best] = await model.generate(text, { ...options, attention: true });
      check(best?.attention, 'attention: the text is empty');
      return best.attention;
    },
    async inspect(text, options = {}) {
      const { target: given } = options;
      const written = given ?? (await model.generate(text))[0]?.ids ?? [];
      const read = typeof written === 'string' ? target.encode(written) : written;
      const ids = [...source.encode(text), source.special.end];
      return inTurn(async () => {
        await onEngine.translator(encodeTexts([text], saved, {}).shape, {}); // which puts the weights on the engine
        return (await onEngine.inspector())(ids, read, options);
      });
    },
    plan: (shape) => decodingPlan(config, onEngine.parameters, shape),
    weights() {
      check(
        !saved.stored,
        `weights: this model has its weights only on the device, in ${onEngine.parameters.quantization?.format}; load it with weights f32`,
      );
      return tensorsFromWeights(parameterList(config), weights);
    },
    addLora,
    useLora,
    async save(where, options) {
      const { saveModel } = await saving();
      return saveModel(
        session.files,
        session.host.modelPath(where),
        await onEngine.merged(),
        parts.lora,
        options,
      );
    },
    async toBlob(options) {
      const { exportModel } = await saving();
      return new Blob((await exportModel(await onEngine.merged(), parts.lora, options)) as BlobPart[], {
        type: 'application/zip',
      });
    },
    dispose,
  };
  internals.set(model, { saved: onEngine.whole, name: parts.name ?? 'model' });
  return model;
}

/** The plans of greedy decoding: one for a batch of sources, one for every step. */
function decodingPlan(
  c: ModelConfig,
  p: ParameterList,
  { batch = 1, source, target }: PlanShape = {},
): string {
  const length = Math.min(32, c.maxLength);
  const shape = { batch, source: source ?? length, target: target ?? length };
  const graphs = { source: sourceGraph(c, p, shape), step: stepGraph(c, p, shape, plainGreedy) };
  return Object.entries(graphs)
    .map(([name, graph]) => `${name}\n\n${printPlan(makePlan(graph, { traits: defaultTraits }))}`)
    .join('\n');
}
