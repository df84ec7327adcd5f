/**
 * Does this machine multiply and add in one instruction that rounds once? Kernels are up to half again as fast with it.
 *
 * WebAssembly has the instruction since version 3.0 (relaxed SIMD): it is in browsers and in Node from version 22 on.
 * Node 20 has it behind a flag of V8.
 *
 * @since 0.1.0
 */
import { code, encodeModule } from './Encoder.js'

/**
 * Whether kernels may use it. `auto`: where the machine has it, which on Node 20 sets V8's flag
 * `--experimental-wasm-relaxed-simd` for the process. `off`: never, so that machines with and without it give the same
 * bits.
 *
 * @category model
 * @since 0.1.0
 */
export type Fma = (typeof fmas)[number]

/**
 * Every choice.
 *
 * @category constants
 * @since 0.1.0
 */
export const fmas = ['auto', 'off'] as const

/** A module with the instruction in it. */
const probe = (): Uint8Array<ArrayBuffer> => {
  const out = code()
  const local = out.local('v128')
  for (let i = 0; i < 3; i++) out.get(local)
  out.vector('f32x4.relaxed_madd')
  out.set(local)
  return encodeModule({ functions: [out], run: 0, initial: 1, maximum: 1, shared: false })
}

const known = (): boolean => WebAssembly.validate(probe())

// a page has no `process`, and old versions of Node have no `getBuiltinModule`
const raiseFlag = (): void =>
  globalThis.process?.getBuiltinModule?.('node:v8')?.setFlagsFromString('--experimental-wasm-relaxed-simd')

/**
 * Whether kernels that are made from now on have the instruction. With `auto` it looks at the machine, and may raise
 * V8's flag: call it where a device is opened.
 *
 * @category utils
 * @since 0.1.0
 */
export const enabled = (fma: Fma): boolean => {
  if (fma === 'off' || typeof WebAssembly === 'undefined') return false
  if (known()) return true
  raiseFlag()
  return known()
}
