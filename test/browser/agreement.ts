/**
 * How far a mode is from the reference on one case.
 */
import * as E from 'fp-ts/lib/Either.js'
import { accuracy, gpuJs, type Mode } from '../../src/kernel/GpuJs.js'
import * as Reference from '../../src/tensor/Reference.js'
import { type Case, runOn } from '../kernel/arbitrary.js'

/**
 * The largest |difference| / bound over the elements of all outputs, and where it is. 0 / 0 counts as 0. Nothing is
 * claimed where f32 may overflow: `claimed` is the share of the elements for which something is.
 */
export interface Agreement {
  readonly ratio: number
  readonly at: string
  readonly claimed: number
}

/** Runs a case on a fresh target of a mode. */
export const agreement = async (mode: Mode, example: Case): Promise<Agreement> => {
  const target = gpuJs({ mode })
  try {
    const got = await runOn(target, example)
    const { program, values: inputs, sizes = {} } = example
    const reference = Reference.runWithBounds(program, sizes, inputs, accuracy(mode))
    if (E.isLeft(reference)) throw new Error(JSON.stringify(reference.left))
    const { values, bounds } = reference.right
    let worst = { ratio: 0, at: '' }
    let claimed = 0
    let elements = 0
    for (const { name } of program.outputs) {
      const [expected, bound, value] = [values[name], bounds[name], got[name]]
      if (expected === undefined || bound === undefined || value === undefined) throw new Error(`no output '${name}'`)
      if (value.shape.join() !== expected.shape.join() || value.data.length !== expected.data.length) {
        throw new Error(`${name}: shape [${value.shape.join()}] with ${value.data.length} elements`)
      }
      elements += expected.data.length
      for (let i = 0; i < expected.data.length; i++) {
        const [want = 0, slack = 0, have = 0] = [expected.data[i], bound.data[i], value.data[i]]
        if (!Number.isFinite(slack) || !(Math.abs(want) + slack < 3e38)) continue
        claimed++
        const difference = Math.abs(want - have)
        const ratio = difference === 0 ? 0 : difference / slack
        if (!(ratio <= worst.ratio)) worst = { ratio, at: `${name}[${i}]: ${have}, expected ${want} to within ${slack}` }
      }
    }
    return { ...worst, claimed: elements === 0 ? 1 : claimed / elements }
  } finally {
    await target.dispose()
  }
}
