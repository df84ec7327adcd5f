/**
 * How far a mode is from the reference on one case.
 */
import * as E from 'fp-ts/lib/Either.js'
import { gpuJs, type Mode } from '../../src/kernel/GpuJs.js'
import * as Reference from '../../src/tensor/Reference.js'
import { type Case, runOn } from '../kernel/arbitrary.js'

/**
 * The largest |difference| / bound over the elements of all outputs, and where it is. 0 / 0 counts as 0, and nothing is
 * claimed where f32 may overflow.
 */
export interface Agreement {
  readonly ratio: number
  readonly at: string
}

/** Runs a case on a fresh target of a mode. */
export const agreement = async (mode: Mode, example: Case): Promise<Agreement> => {
  const target = gpuJs({ mode })
  try {
    const got = await runOn(target, example)
    const reference = Reference.runWithBounds(example.program, example.sizes ?? {}, example.values)
    if (E.isLeft(reference)) throw new Error(JSON.stringify(reference.left))
    const { values, bounds } = reference.right
    let worst: Agreement = { ratio: 0, at: '' }
    for (const { name } of example.program.outputs) {
      const [expected, bound, value] = [values[name], bounds[name], got[name]]
      if (expected === undefined || bound === undefined || value === undefined) throw new Error(`no output '${name}'`)
      if (value.shape.join() !== expected.shape.join() || value.data.length !== expected.data.length) {
        throw new Error(`${name}: shape [${value.shape.join()}] with ${value.data.length} elements`)
      }
      for (let i = 0; i < expected.data.length; i++) {
        const [want = 0, slack = 0, have = 0] = [expected.data[i], bound.data[i], value.data[i]]
        if (!Number.isFinite(slack) || !(Math.abs(want) + slack < 3e38)) continue
        const difference = Math.abs(want - have)
        const ratio = difference === 0 ? 0 : difference / slack
        if (!(ratio <= worst.ratio)) worst = { ratio, at: `${name}[${i}]: ${have}, expected ${want} to within ${slack}` }
      }
    }
    return worst
  } finally {
    await target.dispose()
  }
}
