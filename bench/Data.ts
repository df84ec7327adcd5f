/** The numbers of the benchmarks, drawn from one seed. */
import * as Draw from '../src/random/Draw.js'
import * as Key from '../src/random/Key.js'
import type { Tensor } from '../src/tensor/Tensor.js'

/** Normals of a standard deviation, by name. */
export const draw = (name: string, shape: ReadonlyArray<number>, deviation = 1): Tensor => {
  const { data } = Draw.normal32(Key.foldInString(Key.make(1), name), shape)
  return { shape, data: data.map((v) => v * deviation) }
}
