// The answer of /spec: what the server understands, as OpenAPI 3.1 (https://spec.openapis.org/oas/v3.1.0).

import type { RequestLimits } from './translate-handler.ts';

const text = { type: 'string' };
const textOrList = { oneOf: [text, { type: 'array', items: text }] };
const key = { api_key: { ...text, description: 'API key, if the server needs one' } };

/** A JSON body with these fields. */
const body = (properties: object, required: readonly string[]) => ({
  required: true,
  content: {
    'application/json': { schema: { type: 'object', properties: { ...properties, ...key }, required } },
  },
});

/** A JSON answer. */
const answers = (schema: object, failures: readonly number[] = []) => ({
  200: { description: 'success', content: { 'application/json': { schema } } },
  ...Object.fromEntries(
    failures.map((status) => [
      status,
      {
        description: 'the reason is in the field error',
        content: { 'application/json': { schema: { type: 'object', properties: { error: text } } } },
      },
    ]),
  ),
});

const guess = {
  type: 'object',
  properties: {
    language: { ...text, description: 'ISO 639-1 code; und if the text has no words' },
    confidence: { type: 'number', description: 'percent; at most 50 if the guess is not sure' },
  },
};

const failures = [400, 403, 408, 413, 429, 503];

/** The description of the API of a server with these limits. */
export function apiDescription({ texts, alternatives }: RequestLimits): object {
  const translation = {
    q: { ...textOrList, description: `a text, or at most ${texts} texts` },
    source: { ...text, default: 'auto', description: 'code of the source language; auto: detect it' },
    target: { ...text, description: 'code of the target language' },
    format: { ...text, enum: ['text', 'html'], default: 'text' },
    alternatives: { type: 'integer', minimum: 0, maximum: alternatives, default: 0 },
    lora_adapter: { ...text, description: 'name of a LoRA adapter of the server' },
  };
  const list = (items: object) => ({ type: 'array', items });
  const languages = list({
    type: 'object',
    properties: { code: text, name: text, targets: list(text) },
  });
  return {
    openapi: '3.1.0',
    info: { title: 'heddle serve', description: "LibreTranslate's API, and a stream", version: '1' },
    paths: {
      '/translate': {
        post: {
          summary: 'translates texts',
          requestBody: body(translation, ['q', 'target']),
          responses: answers(
            {
              type: 'object',
              properties: {
                translatedText: textOrList,
                alternatives: list(textOrList),
                detectedLanguage: guess,
              },
            },
            failures,
          ),
        },
      },
      '/translate/stream': {
        post: {
          summary: 'translates a text; server-sent events with its pieces',
          requestBody: body({ ...translation, q: text }, ['q', 'target']),
          responses: { 200: { description: 'events', content: { 'text/event-stream': { schema: text } } } },
        },
      },
      '/detect': {
        post: {
          summary: 'guesses the language of a text, best first',
          requestBody: body({ q: text }, ['q']),
          responses: answers(list(guess), failures),
        },
      },
      '/languages': { get: { summary: 'the languages of the models', responses: answers(languages) } },
      '/frontend/settings': { get: { summary: 'limits and keys', responses: answers({ type: 'object' }) } },
      '/health': { get: { summary: 'whether the server runs', responses: answers({ type: 'object' }) } },
      '/metrics': {
        get: {
          summary: 'metrics for Prometheus',
          responses: { 200: { description: 'metrics', content: { 'text/plain': { schema: text } } } },
        },
      },
    },
  };
}
