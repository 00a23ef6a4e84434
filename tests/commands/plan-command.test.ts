// `heddle plan`: passes, memory and FLOPs, without a GPU.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { heddle, isOneLine } from '../support/cli.ts';

/** No Vulkan driver: planning must not need one. */
const noGpu = { env: { VK_DRIVER_FILES: '/nonexistent' } };

it('prints passes in order, shapes, slots, bytes and FLOPs, without a GPU', async () => {
  const { status, stdout, stderr } = await heddle(['plan', '--preset', 'small'], noGpu);
  expect([status, stderr]).toEqual([0, '']);
  const lines = stdout.split('\n');
  const passes = lines.filter((line) => /^\d+ {2}/.test(line));
  expect(passes.map((line) => Number.parseInt(line, 10))).toEqual(passes.map((_, i) => i));
  expect(passes[0]).toMatch(/embedding.*encoder\.embed.*f32 \[32,32,128\].*slot/);
  expect(passes.at(-1)).toMatch(/adamw.*weights.*moment1.*moment2/);
  expect(stdout).toMatch(/^state +weights +[\d.]+ MiB$/m);
  expect(stdout).toMatch(/^peak +[\d.]+ MiB, lower bound [\d.]+ MiB/m);
  expect(stdout).toMatch(
    new RegExp(`^${passes.length} dispatches, [\\d.]+ GFLOP a run, [\\d.]+ of matrix products$`, 'm'),
  );
});

it('counts the parameters of the Keras example', async () => {
  const { stdout } = await heddle(['plan', '--preset', 'keras', '--batch-size', '64'], noGpu);
  expect(stdout).toContain('rmsprop');
  expect(stdout).toMatch(/^keras: 19,960,216 parameters; 64 rows of 20 source and 20 target positions$/m);
});

it('plans evaluation and decoding too', async () => {
  const evaluation = await heddle(['plan', '--preset', 'tiny', '--run', 'evaluation'], noGpu);
  expect(evaluation.stdout).toContain('self_attention');
  expect(evaluation.stdout).not.toContain('backward');
  const decoding = await heddle(
    ['plan', '--preset', 'tiny', '--run', 'decoding', '--batch-size', '2'],
    noGpu,
  );
  expect(decoding.stdout).toMatch(/once a batch of sources[\s\S]*once a token[\s\S]*/);
});

it('plans gradient checkpointing: less memory, more compute', async () => {
  const total = async (...options: string[]) => {
    const { stdout } = await heddle(['plan', '--preset', 'tiny', ...options], noGpu);
    return [/^peak +([\d.]+)/m, /([\d.]+) GFLOP a run/m].map((line) => Number(line.exec(stdout)?.[1]));
  };
  const [peak, work] = await total();
  const [lower, more] = await total('--gradient-checkpointing');
  expect(lower! / peak!).toBeLessThan(1);
  expect(more! / work!).toBeGreaterThan(1);
});

it('plans mixed precision: activations in at most 60 % of the memory', async () => {
  const activations = async (precision: string) => {
    const { stdout } = await heddle(['plan', '--preset', 'small', '--precision', precision], noGpu);
    return { stdout, mib: Number(/^activations +([\d.]+) MiB in \d+ slots$/m.exec(stdout)?.[1]) };
  };
  const [f16, f32] = [await activations('f16'), await activations('f32')];
  expect(f16.mib / f32.mib).toBeLessThan(0.6);
  const [, all, share] =
    /^without f16 and gradient checkpointing: activations ([\d.]+) MiB \(this plan: ([\d.]+) %\),/m.exec(
      f16.stdout,
    ) ?? [];
  expect(Number(all)).toBe(f32.mib);
  expect(Number(share)).toBeCloseTo((100 * f16.mib) / f32.mib, 0);
  expect(f32.stdout).not.toContain('without f16');
});

it('takes sizes and leaves out rewrites', async () => {
  const sizes = [
    'plan',
    '--preset',
    'tiny',
    '--batch-size',
    '2',
    '--source-length',
    '5',
    '--target-length',
    '7',
    '--vocab-size',
    '50',
  ];
  const fused = (await heddle(sizes, noGpu)).stdout;
  expect(fused).toContain('2 rows of 5 source and 7 target positions');
  expect(fused).toMatch(/f32 \[2,5,64\]/);
  expect(fused).toContain('add_layer_norm');
  const plain = (await heddle([...sizes, '--no-fuse', 'residual-norm'], noGpu)).stdout;
  expect(plain).not.toContain('add_layer_norm');
  const decoding = (await heddle([...sizes, '--run', 'decoding'], noGpu)).stdout;
  expect(decoding).toContain('add_layer_norm');
  const twoOff = [...sizes, '--run', 'decoding', '--no-fuse', 'residual-norm,linear-activation'];
  const plainDecoding = (await heddle(twoOff, noGpu)).stdout;
  expect(plainDecoding).not.toContain('add_layer_norm');
  expect(plainDecoding).toMatch(/^\d+ +activation\b/m);
  const narrow = (await heddle([...sizes, '--set', 'dModel=24', '--set', 'heads=3'], noGpu)).stdout;
  expect(narrow).toMatch(/f32 \[2,5,24\]/);
});

it('names an unknown rewrite, and a model that exceeds the limits, with the numbers', async () => {
  const rewrite = await heddle(['plan', '--no-fuse', 'residual-norm,everything'], noGpu);
  expect(rewrite.stderr).toMatch(/no rewrite everything; the rewrites are .*residual-norm/);
  expect(isOneLine(rewrite.stderr)).toBe(true);
  const large = await heddle(['plan', '--batch-size', '4096'], noGpu);
  expect(large.stderr).toMatch(
    /needs a binding of [\d,]+ bytes, at most 134,217,728 bytes are allowed; use a smaller batch, shorter sequences, a smaller vocabulary/,
  );
  expect([isOneLine(large.stderr), large.status]).toEqual([true, 1]);
  // No batch and no sequence helps a table of embeddings.
  const table = await heddle(['plan', '--preset', 'base', '--vocab-size', '300000'], noGpu);
  expect(table.stderr).toMatch(
    /table \[300000,512\] needs .* are allowed; use a smaller vocabulary or a smaller model$/m,
  );
});

it('plans quantized weights, and training of a subset of the parameters', async () => {
  const plan = async (...args: string[]) =>
    (await heddle(['plan', '--preset', 'tiny', ...args], noGpu)).stdout;
  const bytes = (text: string) =>
    [...text.matchAll(/^state +(?:weights|packed\S*) +([\d.]+) MiB$/gm)].reduce(
      (n, [, x]) => n + Number(x),
      0,
    );
  const [f32, int8] = [
    await plan('--run', 'evaluation'),
    await plan('--run', 'evaluation', '--weights', 'int8'),
  ];
  expect(bytes(int8)).toBeLessThan(0.3 * bytes(f32));
  const frozen = await plan('--freeze', 'encoder.*');
  expect(frozen).toMatch(/layer_norm_backward.*decoder/);
  expect(frozen).not.toMatch(/layer_norm_backward.*encoder/);
  const { stderr, status } = await heddle(['plan', '--preset', 'tiny', '--weights', 'f16'], noGpu);
  expect([status, stderr]).toEqual([
    1,
    'heddle: plan: weights as f16 cannot be trained; plan --run evaluation or decoding, or a LoRA adapter (--lora-rank N)\n',
  ]);
});

describe('a folder with nothing but a configuration', () => {
  const folder = mkdtempSync(join(tmpdir(), 'heddle-plan-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const write = (fields: object) => writeFileSync(join(folder, 'config.json'), JSON.stringify(fields));
  const layers = { encoder_layers: 6, decoder_layers: 6 };
  const mib = (text: string, name: string) =>
    Number(new RegExp(`^ *${name} +([\\d.,]+) MiB$`, 'm').exec(text)?.[1]?.replace(',', ''));

  it('has a table of options that save memory: a MarianMT of 74 million weights trains on int8 in less than 400 MiB', async () => {
    write({
      model_type: 'marian',
      vocab_size: 58101,
      d_model: 512,
      encoder_ffn_dim: 2048,
      decoder_ffn_dim: 2048,
      ...layers,
      encoder_attention_heads: 8,
      decoder_attention_heads: 8,
      activation_function: 'swish',
      scale_embedding: true,
      max_position_embeddings: 512,
      pad_token_id: 58100,
      eos_token_id: 0,
      decoder_start_token_id: 58100,
      dropout: 0.1,
    });
    const args = ['plan', folder, '--batch-size', '16', '--lora', '8', '--weights', 'int8'];
    const { stdout } = await heddle(args, noGpu);
    expect(stdout).toMatch(/73,944,309 parameters; 16 rows of 32 source and 32 target positions/);
    const int8 = mib(stdout, '--lora-rank 8 --weights int8');
    expect(int8).toBeLessThan(400);
    const all = mib(stdout, 'all weights in f32');
    for (const name of ['--gradient-checkpointing', '--lora-rank 8'])
      expect(mib(stdout, name), name).toBeLessThan(all);
    expect(mib(stdout, '--lora-rank 8 --weights f16')).toBeLessThan(mib(stdout, '--lora-rank 8'));
    expect(int8).toBeLessThan(mib(stdout, '--lora-rank 8 --weights f16'));
    for (const more of [
      '--gradient-accumulation-steps 4 \\(4 rows each\\)',
      '--precision f16 --gradient-checkpointing',
    ])
      expect(mib(stdout, `--lora-rank 8 --weights int8 ${more}`), more).toBeLessThan(int8);
  });

  it('plans training of all weights of mT5 small, and says which bindings the adapter must allow', async () => {
    write({ model_type: 'mt5', d_model: 512, num_layers: 8 });
    const { stdout } = await heddle(['plan', folder, '--run', 'training', '--batch-size', '4'], noGpu);
    expect(stdout).toMatch(
      /^the largest binding, of \S+ \([\w.]+\), takes [\d.]+ MiB: the adapter must allow that as maxStorageBufferBindingSize/m,
    );
    expect(mib(stdout, '--precision f16')).toBeLessThan(mib(stdout, 'all weights in f32'));
  });

  /** Plans decoding of one text with a model of NLLB's shape. */
  async function planNllb(d_model: number, layers: number, ...options: string[]): Promise<string> {
    const [ffn, heads] = [4 * d_model, 16];
    write({
      model_type: 'm2m_100',
      vocab_size: 256206,
      d_model,
      encoder_layers: layers,
      decoder_layers: layers,
      encoder_ffn_dim: ffn,
      decoder_ffn_dim: ffn,
      encoder_attention_heads: heads,
      decoder_attention_heads: heads,
      activation_function: 'relu',
      scale_embedding: true,
      max_position_embeddings: 1024,
      pad_token_id: 1,
      bos_token_id: 0,
      eos_token_id: 2,
      decoder_start_token_id: 2,
      dropout: 0.1,
    });
    const args = ['plan', folder, '--run', 'decoding', '--batch-size', '1', ...options];
    return (await heddle(args, noGpu)).stdout;
  }

  it('plans NLLB 600M as f16 in less than 2 GiB, without its weights', async () => {
    const stdout = await planNllb(1024, 12, '--weights', 'f16');
    expect(stdout).toMatch(/615,073,792 parameters/);
    expect(mib(stdout, 'state +quantized.f16')).toBeGreaterThan(1100);
    const session = mib(stdout, 'session of both plans:');
    expect(session).toBeGreaterThan(mib(stdout, 'state +quantized.f16'));
    expect(session).toBeLessThan(2048);
    expect(stdout).toMatch(
      /^the largest buffer, quantized\.f16, takes [\d,.]+ MiB: the adapter must allow that as maxBufferSize \(every one allows 256\.00 MiB\)$/m,
    );
  });

  it('plans NLLB 600M and 3.3B as int4 with four beams', async () => {
    const beams = ['--weights', 'int4', '--cache-type', 'f16', '--beams', '4', '--source-length'];
    const small = await planNllb(1024, 12, ...beams, '256');
    expect(mib(small, 'layers by weight format; weights')).toBeLessThan(450);
    expect(mib(small, 'session of both plans:')).toBeLessThan(600);
    const large = await planNllb(2048, 24, ...beams, '64');
    expect(large).toMatch(/3,344,863,232 parameters/);
    expect(mib(large, 'session of both plans:')).toBeLessThan(2.2 * 1024);
    expect(large).not.toContain('maxStorageBufferBindingSize');
  });

  it('fine-tunes whisper-tiny with LoRA on int8, four windows of 30 s, in less than 600 MiB', async () => {
    const sides = (name: string, value: number) => ({
      [`encoder_${name}`]: value,
      [`decoder_${name}`]: value,
    });
    write({
      model_type: 'whisper',
      vocab_size: 51865,
      num_mel_bins: 80,
      d_model: 384,
      activation_function: 'gelu',
      ...sides('layers', 4),
      ...sides('attention_heads', 6),
      ...sides('ffn_dim', 1536),
      dropout: 0,
      max_source_positions: 1500,
      max_target_positions: 448,
      scale_embedding: false,
      eos_token_id: 50257,
      pad_token_id: 50257,
      decoder_start_token_id: 50258,
    });
    const options = ['--lora-rank', '8', '--weights', 'int8', '--batch-size', '4'];
    const { stdout, stderr } = await heddle(['plan', folder, ...options], noGpu);
    expect(stdout, stderr).toContain('4 rows of 3000 source');
    expect(mib(stdout, '--lora-rank 8 --weights int8')).toBeLessThan(600);
    expect(Number(/^peak +([\d.]+) MiB/m.exec(stdout)?.[1])).toBeLessThan(600);
  });
});
