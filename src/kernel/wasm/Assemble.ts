/**
 * A kernel as a WebAssembly module.
 *
 * @since 0.1.0
 */
import type { Spec } from '../plan/Spec.js'
import { type Code, code, encode } from './Encoder.js'
import { contraction } from './Contraction.js'
import { elementwise, reduction } from './Elementwise.js'
import type { Memory } from './Terms.js'

/**
 * The size of the memory that a module imports, in pages of 64 KiB.
 *
 * @category model
 * @since 0.1.0
 */
export interface Pages {
  readonly initial: number
  readonly maximum: number
  readonly shared: boolean
}

/**
 * The bytes of a module whose `run` computes the whole output: the core, then the epilogue over what the core wrote.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const assemble = ({ cells, core, epilogue }: Spec, memory: Memory, pages: Pages): Uint8Array<ArrayBuffer> => {
  const functions: Array<Code> = []
  const phases: Array<number> = []
  const add = (codes: ReadonlyArray<Code>): void => {
    functions.push(...codes)
    phases.push(functions.length - 1)
  }
  switch (core._tag) {
    case 'Elementwise':
      core.parts.forEach((part) => add([elementwise(memory, part)]))
      break
    case 'Frame': {
      const clear = code()
      clear.zeros(memory.output, 4 * cells)
      add([clear])
      add([elementwise(memory, core.part)])
      break
    }
    case 'Reduction':
      add([reduction(memory, core)])
      break
    case 'Contraction':
      add(contraction(memory, core, functions.length))
      break
  }
  if (epilogue !== undefined) add([elementwise(memory, epilogue)])
  const run = code(['i32', 'i32', 'i32'])
  phases.forEach((phase) => run.call(phase))
  functions.push(run)
  return encode({ functions, run: functions.length - 1, ...pages })
}
