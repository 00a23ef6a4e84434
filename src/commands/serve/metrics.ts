// Counters and histograms of a server in Prometheus's text format.

const seconds = [0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30];
const sizes = [1, 2, 4, 8, 16, 32, 64];

/** A histogram with cumulative buckets. */
class Histogram {
  readonly #bounds: readonly number[];
  readonly #counts: number[];
  #sum = 0;
  #count = 0;

  constructor(bounds: readonly number[]) {
    this.#bounds = bounds;
    this.#counts = bounds.map(() => 0);
  }

  add(value: number): void {
    for (const [i, bound] of this.#bounds.entries())
      if (value <= bound) this.#counts[i] = (this.#counts[i] ?? 0) + 1;
    this.#sum += value;
    this.#count++;
  }

  lines(name: string): string[] {
    return [
      ...this.#bounds.map((bound, i) => `${name}_bucket{le="${bound}"} ${this.#counts[i]}`),
      `${name}_bucket{le="+Inf"} ${this.#count}`,
      `${name}_sum ${this.#sum}`,
      `${name}_count ${this.#count}`,
    ];
  }
}

/** The numbers of a server. */
export class Metrics {
  readonly #requests = new Map<string, number>();
  readonly #latency = new Histogram(seconds);
  readonly #batchSize = new Histogram(sizes);
  readonly #batchTime = new Histogram(seconds);
  #characters = 0;

  request(endpoint: string, status: number, duration: number): void {
    const labels = `endpoint="${endpoint}",status="${status}"`;
    this.#requests.set(labels, (this.#requests.get(labels) ?? 0) + 1);
    this.#latency.add(duration);
  }

  batch(texts: number, duration: number): void {
    this.#batchSize.add(texts);
    this.#batchTime.add(duration);
  }

  characters(count: number): void {
    this.#characters += count;
  }

  /** The text of /metrics. `waiting`: texts in the queues. */
  text(waiting: number): string {
    const block = (name: string, type: string, help: string, lines: readonly string[]) =>
      [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, ...lines].join('\n');
    const requests = [...this.#requests].map(([labels, n]) => `heddle_requests_total{${labels}} ${n}`);
    return `${[
      block('heddle_requests_total', 'counter', 'Requests by endpoint and status.', requests),
      block(
        'heddle_request_seconds',
        'histogram',
        'Time of a request.',
        this.#latency.lines('heddle_request_seconds'),
      ),
      block('heddle_characters_total', 'counter', 'Characters of source texts.', [
        `heddle_characters_total ${this.#characters}`,
      ]),
      block('heddle_queue_texts', 'gauge', 'Texts that wait for a batch.', [`heddle_queue_texts ${waiting}`]),
      block(
        'heddle_batch_texts',
        'histogram',
        'Texts in a batch.',
        this.#batchSize.lines('heddle_batch_texts'),
      ),
      block(
        'heddle_batch_seconds',
        'histogram',
        'Time of a batch.',
        this.#batchTime.lines('heddle_batch_seconds'),
      ),
    ].join('\n')}\n`;
  }
}
