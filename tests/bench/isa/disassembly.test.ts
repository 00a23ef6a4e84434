// Reads AMD's disassembly and statistics of a kernel.
import { describe, expect, it } from 'vitest';
import { parseKernel } from '../../../bench/isa/disassembly.ts';

const statistics = `*** SHADER STATS ***
VGPRs: 48
Spilled SGPRs: 1
Spilled VGPRs: 2
LDS size: 8704
Scratch size: 16
Subgroups per SIMD: 30
`;

/**
 * A loop of a product after the loop in which RADV clears workgroup memory; BB5 to BB6 is an inner loop that
 * is not unrolled.
 */
const product = `Compute Shader
disasm:
BB0:
	s_mov_b32 s13, -1                                           ; be8d00c1
BB1:
	v_mov_b32_e32 v4, 0                                         ; 7e080280
	ds_store_b128 v1, v[4:7]                                    ; db7c0000
	s_branch BB1                                                ; bfa0fff1
BB4:
	buffer_load_b128 v[0:3], v8, s[4:7], null offen             ; e0
	v_min_u32_e32 v9, s1, v9                                    ; 26
	v_fma_f32 v10, v0, v1, v10                                  ; d6
	v_dual_fmac_f32 v11, v0, v2 :: v_dual_fmac_f32 v12, v0, v3  ; c8
BB5:
	ds_load_b128 v[20:23], v9                                   ; db
	v_fmac_f32_e32 v13, v20, v21                                ; 56
BB6:
	s_cbranch_scc1 BB5                                          ; bf
BB7:
	v_rcp_iflag_f32_e32 v14, v14                                ; 7e
	s_add_u32 s13, s13, -1                                      ; 80
	s_barrier                                                   ; bf
	s_cbranch_scc0 BB4                                          ; bf
BB8:
	buffer_store_b64 v[10:11], v8, s[4:7], null offen           ; e0
	s_endpgm                                                    ; bf

${statistics}`;

describe('parseKernel', () => {
  it('counts the instructions of the heaviest loop, inner loops 8 times', () => {
    const kernel = parseKernel(product);
    expect(kernel?.loop).toMatchObject({
      fma: 3 + 8,
      valu: 2,
      lds: 8,
      loads: 1,
      loadBytes: 16,
      stores: 0,
      storeBytes: 0,
      boundsChecks: 1,
      divisions: 1,
      loopCounters: 1,
      barriers: 1,
      matrix: 0,
      scratch: 0,
    });
    expect(kernel?.share).toBeCloseTo(11 / 13);
    expect(kernel?.assembly[0]).toBe('BB4:');
  });

  it('reads the statistics', () => {
    expect(parseKernel(product)).toMatchObject({
      registers: 48,
      waves: 30,
      spills: 3,
      scratch: 16,
      workgroupBytes: 8704,
      looped: true,
    });
  });

  it('counts the whole kernel if there is no loop, and the bytes of each width', () => {
    const kernel = parseKernel(
      `disasm:\nBB0:\n\tbuffer_load_b32 v0, v1, s[0:3], null\n\tglobal_load_dwordx4 v[0:3], v1, s[0:1]\n\tbuffer_store_b128 v[0:3], v1\n\tv_wmma_f32_16x16x16_f16 v[0:7], v[8:15], v[16:23], v[0:7]\n\n${statistics}`,
    );
    expect(kernel?.looped).toBe(false);
    expect(kernel?.loop).toMatchObject({
      loads: 2,
      loadBytes: 20,
      stores: 1,
      storeBytes: 16,
      matrix: 1,
      fma: 0,
    });
  });

  it('weights a matrix instruction by its cycles', () => {
    const loop = `disasm:\nBB0:\n\ts_nop 0\nBB1:\n\tbuffer_load_b64 v[8:9], v1\n\tv_add_nc_u32_e32 v1, 32, v1
\tv_wmma_f32_16x16x16_f16 v[0:7], v[8:15], v[16:23], v[0:7]\n\ts_cbranch_scc1 BB1\n\n${statistics}`;
    expect(parseKernel(loop)).toMatchObject({ share: 32 / 33, loop: { matrix: 1, fma: 0, valu: 1 } });
  });

  it('returns undefined for text without a disassembly', () => {
    expect(parseKernel('radv: warning')).toBeUndefined();
  });
});
