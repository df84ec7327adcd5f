/**
 * What can be addressed: sizes that are past it are found here, before anything is allocated.
 *
 * @since 0.1.0
 */
import type { BoundProgram } from '../../tensor/Program.js'
import type { Sizes } from '../../tensor/Shape.js'
import { size } from '../../tensor/Tensor.js'
import type { Plan } from './Plan.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * The most elements that one array of a kernel may have, and who says so.
 *
 * @category model
 * @since 0.1.0
 */
export interface Reach {
  readonly elements: number
  readonly who: string
}

// -------------------------------------------------------------------------------------
// constants
// -------------------------------------------------------------------------------------

/**
 * Positions, and the counts of loops, are 32-bit numbers with a sign.
 *
 * @category constants
 * @since 0.1.0
 */
export const host: Reach = { elements: 2 ** 31, who: 'an array' }

// -------------------------------------------------------------------------------------
// predicates
// -------------------------------------------------------------------------------------

/**
 * What of a program can be nowhere on the host, in words: a dimension, an input or an output.
 *
 * @category predicates
 * @since 0.1.0
 */
export const programExcess = ({ inputs, outputs }: BoundProgram, sizes: Sizes): string | undefined => {
  const long = Object.entries(sizes).find(([, entries]) => entries > host.elements)
  if (long !== undefined)
    return `dimension '${long[0]}' has ${long[1]} entries, and an axis has at most ${host.elements}`
  const ports = [
    ...inputs.map(({ name, shape }) => [`input '${name}'`, shape] as const),
    ...outputs.map(({ name, shape }) => [`output '${name}'`, shape] as const)
  ]
  const large = ports.find(([, shape]) => size(shape) > host.elements)
  return large === undefined ? undefined : arrayExcess(large[0], size(large[1]), host)
}

/**
 * What of a plan a kernel can not reach, in words: an array, or an axis that is only walked.
 *
 * @category predicates
 * @since 0.1.0
 */
export const planExcess = ({ buffers, kernels }: Plan, reach: Reach): string | undefined => {
  const large = buffers.find((buffer) => buffer.size > reach.elements)
  if (large !== undefined) {
    const what = large._tag === 'Input' ? `input '${large.name}'` : 'an intermediate array'
    return arrayExcess(what, large.size, reach)
  }
  const axis = kernels.flatMap(axes).find((entries) => entries > host.elements)
  return axis === undefined ? undefined : `a loop takes ${axis} steps, and loops count up to ${host.elements}`
}

const axes = ({ spec: { core, epilogue } }: Plan['kernels'][number]): ReadonlyArray<number> => {
  const after = epilogue?.dims ?? []
  switch (core._tag) {
    case 'Elementwise':
      return [...core.parts.flatMap((part) => part.dims), ...after]
    case 'Padding':
      return [...core.part.dims, ...after]
    case 'Reduction':
    case 'Contraction':
      return [...core.dims, ...after]
  }
}

/**
 * What to say of a memory of so many bytes where at most so many can be addressed.
 *
 * @category predicates
 * @since 0.1.0
 */
export const memoryExcess = (bytes: number, most: number): string | undefined =>
  bytes <= most ? undefined : `the program asks for ${bytes} bytes of memory at once, and WebAssembly addresses ${most}`

const arrayExcess = (what: string, elements: number, { elements: most, who }: Reach): string =>
  `${what} asks for ${4 * elements} bytes, and ${who} has at most ${4 * most} (${most} elements)`
