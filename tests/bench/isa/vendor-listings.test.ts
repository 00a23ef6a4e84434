// Reads what the compilers of each vendor print: a loop of multiply-adds with one access to scratch memory.

import { expect, it } from 'vitest';
import { kernelsIn } from '../../../bench/isa/compilers.ts';
import { parsers, vendors } from '../../../bench/isa/vendor-listings.ts';

const printed = {
  intel: `
Native code for unnamed compute shader
SIMD16 shader: 6 instructions. 1 loops. 1234 cycles. 2:3 spills:fills, 4 sends, scheduled with mode top-down.
LABEL0:
mad(16)         g26<1>F         g10<8,8,1>F     g12<8,8,1>F     g14<1,1,1>F { align1 1H };
(+f0.0) mad(8)  g28<1>F         g10<8,8,1>F     g12<8,8,1>F     g14<1,1,1>F { align1 1Q };
add(16)         g30<1>D         g30<8,8,1>D     1D              { align1 1H };
sync nop(1)                     null<0,1,0>UB                   { align1 WE_all 1N };
send(16)        g40UD           g41UD           nullUD          0x00000000 { align1 1H };
            dp data 1 MsgDesc: ( DC, bti 253, SIMD16 )  mlen 2
while(16)       JIP:  LABEL0                                    { align1 1H };
send(16)        nullUD          g127UD          nullUD          0x00000000 { align1 WE_all 1H EOT };
            thread_spawner MsgDesc: mlen 1
`,
  nvidia: `
NAK IR:
block 0 L0 [] -> {1}
  r0 = iadd3 r0 r1 r2 // 0
block 1 L1 [] -> {1, 2}
  r4 = ffma r4 r5 r6
  r4 = ffma r4 r5 r6
  r5 = iadd3 r5 r1 r2
  st.local [r9] r4
  @p0 bra L1
block 2 L2 []
  exit
Instruction count: 8
Static cycle count: 99
Num GPRs: 40
SLM size: 16
`,
  apple: `
   0: 1122 ffma r0, r1, r2, r3
   4: 1122 ffma r0, r1, r2, r3
   8: 1122 iadd r0, r1, r2
   c: 1122 stack_store r0
  10: 1122 jmp_any -16
  14: 1122 stop
CS shader: 6 instrs, 10 alu, 1 fscib, 2:3 spills:fills, 16 scratch, 80 gprs, 640 threads, 1 loops
`,
  adreno: `
Native code for unnamed CL shader main:
l0:
(rpt1)mad.f32 r0.x, r1.x, r2.x, r0.x
add.s r0.y, r0.y, 1
stp.f32 r0.x, p[0], 1
br p0.x, #l0
end
; 6 instr, 0 nops, 4 full, 0 half
`,
  mali: `
block0 {
}
   FMA.f32 r0, r1, r2, r3
   FMA.f32 r0, r1, r2, r3
   IADD.u32 r4, r4, 0x1
   STORE.i32 r0, thread_local_pointer
   BRANCHZ.ne r4, offset:-5
   NOP.end
SHADER-DB: main - MESA_SHADER_COMPUTE shader: 6 inst, 2.5 cycles, 1.0 fma, 0.5 cvt, 0.0 sfu, 0.0 v, 0.0 t, 2.0 ls, 2 threads, 1 loops, 2:3 spills:fills
`,
  amd: `
disasm:
BB0:
	s_mov_b32 s13, -1          ; be8d00c1
BB1:
	v_dual_fmac_f32 v11, v0, v2 :: v_dual_fmac_f32 v12, v0, v3  ; c8
	v_add_u32 v9, s1, v9       ; 26
	scratch_store_b32 v1, v2   ; aa
	s_cbranch_scc0 BB1         ; bf
BB2:
	s_endpgm                   ; bf
*** SHADER STATS ***
VGPRs: 48
Spilled SGPRs: 1
Spilled VGPRs: 2
Scratch size: 16
Subgroups per SIMD: 30
Instructions: 6
`,
} as const;

const expected = {
  intel: { simd: 16, cycles: 1234, spills: 2, fills: 3, loop: { fma: 1.5 } },
  nvidia: { registers: 40, threads: 1536, cycles: 99, spills: 1, fills: 0, scratch: 16, loop: { fma: 2 } },
  apple: { registers: 80, threads: 640, spills: 2, fills: 3, loop: { fma: 2 } },
  adreno: { registers: 4, spills: 1, loop: { fma: 2 } },
  mali: { threads: 2, cycles: 2.5, spills: 2, fills: 3, loop: { fma: 2 } },
  amd: { registers: 48, threads: 30, spills: 3, scratch: 16, loop: { fma: 2 } },
} as const;

it.each(vendors)('%s', (vendor) => {
  const kernel = parsers[vendor](printed[vendor]);
  expect(kernel).toMatchObject({ looped: true, ...expected[vendor] });
  expect(kernel?.loop).toMatchObject({ alu: 1, mem: 1, spill: 1, matrix: 0 });
  expect(kernel?.parsed).toBeGreaterThanOrEqual(0.8 * (kernel?.instructions ?? 0));
});

it.each(vendors)('%s: returns undefined for other text', (vendor) => {
  expect(parsers[vendor]('MESA: warning: something')).toBeUndefined();
});

it('reads the kernels, and says if the parser reads other instructions than the driver counts', async () => {
  const announce = (name: string) => `@@ ${JSON.stringify({ from: 'heddle', name, module: 0 })}\n`;
  const text = printed.amd.replace('Instructions: 6', 'Instructions: 60');
  const parts = [`${announce('one')}${printed.amd}\n`, `${announce('two')}${text}`];
  const { kernels, problems } = await kernelsIn('navi31', parts);
  expect(kernels.map(({ announcement }) => announcement.name)).toEqual(['one', 'two']);
  expect(problems).toEqual([
    expect.stringMatching(/navi31: two: the driver counts 60 instructions, the parser 6/),
  ]);
});
