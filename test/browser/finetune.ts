/**
 * A fine-tune in a page on WebGPU, each of whose program runs is checked on the way against `webasm` on the same inputs.
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { rlr } from '../../src/estimator/Catalogue.js'
import { accuracy, gpuJs } from '../../src/kernel/index.js'
import { sgd } from '../../src/optimizer/Optimizer.js'
import * as Key from '../../src/random/Key.js'
import { Reference } from '../../src/tensor/index.js'
import type { Program, Values } from '../../src/tensor/Program.js'
import type { Sizes } from '../../src/tensor/Shape.js'
import type { Target } from '../../src/tensor/Target.js'
import * as Finetune from '../../src/training/Finetune.js'
import { conditions, params, right, T, tiny } from '../training/tiny.js'

/**
 * What was seen: how many runs of programs were checked; the largest difference from `webasm` of an element, of the sum of what
 * both may be off; the share of elements for which that sum is finite; how far the parameters moved at most; and how far they are
 * from those of the same fine-tune on `webasm`. Steps are along the gradient as it is: Adam's first one is as long for an
 * element that is nothing but rounding.
 */
export interface Seen {
  readonly steps: number
  readonly runs: number
  readonly worst: number
  readonly claimed: number
  readonly moved: number
  readonly apart: number
}

interface Tally {
  runs: number
  worst: number
  claimed: number
  elements: number
}

/** Adds the elements of a run to what was seen. */
const check = (tally: Tally, program: Program, sizes: Sizes, values: Values, got: Values, other: Values): void => {
  const slack = (['webgpu', 'webasm'] as const).map(
    (mode) => right(Reference.runWithBounds(program, sizes, values, accuracy(mode))).bounds
  )
  tally.runs++
  for (const { name } of program.outputs) {
    const [a, b] = [got[name]?.data ?? [], other[name]?.data ?? []]
    if (a.length !== b.length) throw new Error(`${name} has ${a.length} and ${b.length} elements`)
    for (let i = 0; i < a.length; i++) {
      const most = slack.reduce((n, bounds) => n + (bounds[name]?.data[i] ?? 0), 0)
      tally.elements++
      if (!Number.isFinite(most)) continue
      tally.claimed++
      const difference = Math.abs((a[i] ?? 0) - (b[i] ?? 0))
      const ratio = difference === 0 ? 0 : difference / most
      // a NaN is kept too
      if (!(ratio <= tally.worst)) tally.worst = ratio
    }
  }
}

/** A target that runs on one and checks against another. */
const checked = (tally: Tally, on: Target, against: Target): Target => ({
  name: on.name,
  compile: (program, sizes) =>
    pipe(
      E.Do,
      E.bind('own', () => on.compile(program, sizes)),
      E.bind('other', () => against.compile(program, sizes)),
      E.map(({ own, other }) => ({
        ...own,
        run: (values: Values) =>
          pipe(
            TE.Do,
            TE.bind('got', () => own.run(values)),
            TE.bind('expected', () => other.run(values)),
            TE.map(({ got, expected }) => {
              check(tally, program, sizes, values, got, expected)
              return got
            })
          ),
        dispose: async () => {
          await own.dispose()
          await other.dispose()
        }
      }))
    ),
  dispose: async () => {
    await on.dispose()
    await against.dispose()
  }
})

/** The parameters after some steps on a target. */
const trained = async (target: Target, steps: number): Promise<Finetune.State> => {
  const optimizer = sgd(0.1)
  const compiled = right(
    Finetune.compile(tiny(right(rlr({ T, h: 2, radius: 0.05 }))), { optimizer, conditions, target })
  )
  let state = compiled.start(params)
  for await (const next of Finetune.unfold(compiled, Key.make(5), state, steps)) state = right(next).state
  await compiled.dispose()
  await target.dispose()
  return state
}

/** Fine-tunes for some steps. */
export const finetune = async (steps: number): Promise<Seen> => {
  const tally: Tally = { runs: 0, worst: 0, claimed: 0, elements: 0 }
  const state = await trained(checked(tally, gpuJs({ mode: 'webgpu' }), gpuJs()), steps)
  const plain = await trained(gpuJs(), steps)
  let [apart, moved] = [0, 0]
  for (const [name, { data }] of Object.entries(plain.params)) {
    data.forEach((value: number, i: number) => {
      apart = Math.max(apart, Math.abs(value - (state.params[name]?.data[i] ?? Number.NaN)))
      moved = Math.max(moved, Math.abs(value - (params[name]?.data[i] ?? Number.NaN)))
    })
  }
  const { runs, worst, claimed, elements } = tally
  return { steps: state.step, runs, worst, claimed: claimed / elements, moved, apart }
}
