import * as fc from 'fast-check'
import * as E from 'fp-ts/lib/Either.js'
import { describe, expect, test } from 'vitest'
import { bradleyTerry } from '../../cli/tasks/faces/AestheticObjective.js'
import * as L from '../../src/lens/Lens.js'
import { aesthetic } from '../../cli/tasks/faces/Aesthetic.js'
import { certainty, classifier } from '../../src/network/Classifier.js'
import * as Faces from '../../cli/tasks/faces/Faces.js'
import { prompts } from '../../cli/tasks/faces/Prompts.js'
import * as Key from '../../src/random/Key.js'
import type { Span } from '../../src/lens/Columns.js'
import { alignment, type Total } from '../../src/reward/Alignment.js'
import { dynamicDegree, meanOverFrames, smoothness } from '../../src/reward/Clip.js'
import { brightness } from '../../src/reward/Pixels.js'
import type { Differentiable } from '../../src/reward/Reward.js'
import { weighted } from '../../src/reward/Weighted.js'
import type { Expr } from '../../src/tensor/Expr.js'
import * as X from '../../src/tensor/Expr.js'
import type { Values } from '../../src/tensor/Program.js'
import type { Exprs } from '../../src/tensor/Tree.js'
import { adjoint } from '../network/adjoint.js'

type Images = readonly ['batch', number]
type Rows = Expr<Images>
type Input = { readonly x: Rows; readonly c: Rows }

/** A reward as a lens of output and condition, which is held. */
const lensOf = <P extends L.Params, C extends Exprs>(
  reward: Differentiable<P, Images, C>,
  conditionOf: (c: Rows) => C
): L.Lens<P, Input, Expr<readonly ['batch']>> =>
  L.make(reward.shapes, (p, { x, c }) => {
    const [value, back] = reward.lens(conditionOf(c)).run(p, x)
    return [
      value,
      (bar) => {
        const [pBar, xBar] = back(bar)
        return [pBar, { x: xBar, c: X.zeros(c.shape) }]
      }
    ]
  })

/** Conditions that name some attributes and leave others open. */
const named =
  (key: Key.Key) =>
  (inputs: Values): Values => {
    return { ...inputs, 'a.c': prompts(0.5)(key, 3) }
  }

type Check = (key: Key.Key) => ReturnType<typeof adjoint>

const check =
  <P extends L.Params, C extends Exprs>(
    reward: Differentiable<P, Images, C>,
    features: number,
    conditionOf: (c: Rows) => C
  ): Check =>
  (key) =>
    adjoint(
      lensOf(reward, conditionOf),
      { x: ['batch', features], c: ['batch', Faces.labelWidth] },
      ['batch'],
      key,
      ['a.c'],
      named(key)
    )

const blocks: ReadonlyArray<Span> = Faces.attributeNames.map(Faces.block)
const network = classifier({ kind: 'classifier', features: 6, labels: 34, hidden: 5, blocks: 1 })
const aligned = (total: Total): Differentiable<L.Params, Images, Rows> => {
  const reward = alignment({ network, blocks, width: Faces.labelWidth, parameters: {}, total })
  // the adjoint check passes the tree of inputs that the network declares
  return reward as unknown as Differentiable<L.Params, Images, Rows>
}
const clear = certainty(
  'clarity',
  { description: { kind: 'classifier', features: 6, labels: 34, hidden: 5, blocks: 1 }, parameters: {} },
  blocks
)
const nothing = (): Readonly<Record<never, never>> => ({})
const clip = { frames: 4, size: 3 }
const score = aesthetic({ kind: 'aesthetic', side: 4, pool: 2, hidden: 3 }, {})

/** The reward with its pullback changed. */
const tampered = <P extends L.Params, C extends Exprs>(
  reward: Differentiable<P, Images, C>,
  change: (xBar: Rows) => Rows
): Differentiable<P, Images, C> => ({
  ...reward,
  lens: (c) =>
    L.make(reward.shapes, (p, x) => {
      const [value, back] = reward.lens(c).run(p, x)
      return [
        value,
        (bar) => {
          const [pBar, xBar] = back(bar)
          return [pBar, change(xBar)]
        }
      ]
    })
})

const property = (run: Check): fc.IProperty<[number]> =>
  fc.property(fc.integer(), (seed) => {
    const { left, right, tolerance } = run(Key.make(seed))
    expect(Math.abs(left - right)).toBeLessThanOrEqual(tolerance)
    expect(tolerance).toBeLessThan(1e-3 * (1 + Math.abs(left)))
  })

/** The mean of the absolute value has kinks: differences of 2^-10 are never crossed by a step of 2^-7 only away from them. */
const awayFromKinks =
  (key: Key.Key) =>
  (inputs: Values): Values => {
    const x = inputs['a.x']
    if (x === undefined) return inputs
    const rows = x.shape[0] ?? 1
    const data = Float64Array.from(x.data, (v, i) => {
      const frame = Math.floor((i % (x.data.length / rows)) / clip.size)
      return v + 64 * (frame % 2 === 0 ? frame : -frame)
    })
    return named(key)({ ...inputs, 'a.x': { ...x, data } })
  }

const rewards: ReadonlyArray<readonly [string, Check, Check]> = [
  [
    'alignment, sum',
    check(aligned('sum'), 6, (c) => c),
    check(
      tampered(aligned('sum'), (bar) => X.scale(bar, 1.01)),
      6,
      (c) => c
    )
  ],
  [
    'alignment, mean',
    check(aligned('mean'), 6, (c) => c),
    // the pullback of the sum
    (key) => {
      const mean = lensOf(aligned('mean'), (c) => c)
      const sum = lensOf(aligned('sum'), (c) => c)
      const mixed = L.make(mean.parameters, (p: L.Params, a: Input) => [mean.run(p, a)[0], sum.run(p, a)[1]] as const)
      return adjoint(mixed, { x: ['batch', 6], c: ['batch', 34] }, ['batch'], key, ['a.c'], named(key))
    }
  ],
  [
    'clarity',
    check(clear, 6, nothing),
    // an entropy's pullback without what the logarithm's own change takes off
    check(
      tampered(clear, (bar) => X.add(bar, X.fill(['batch', 6], 0.01))),
      6,
      nothing
    )
  ],
  [
    'smoothness',
    check(smoothness(clip), 12, nothing),
    check(
      tampered(smoothness(clip), (bar) => X.retype(X.pad(X.slice(bar, 1, 3, 9), 1, 3, 12), ['batch', 12])),
      12,
      nothing
    )
  ],
  [
    'dynamic degree',
    (key) =>
      adjoint(
        lensOf(dynamicDegree(clip), nothing),
        { x: ['batch', 12], c: ['batch', 34] },
        ['batch'],
        key,
        ['a.c'],
        awayFromKinks(key)
      ),
    (key) =>
      adjoint(
        lensOf(tampered(dynamicDegree(clip), X.abs), nothing),
        { x: ['batch', 12], c: ['batch', 34] },
        ['batch'],
        key,
        ['a.c'],
        awayFromKinks(key)
      )
  ],
  [
    'the aesthetic score',
    check(score, 48, nothing),
    check(
      tampered(score, (bar) => X.scale(bar, 4)),
      48,
      nothing
    )
  ],
  [
    'the aesthetic score of frames',
    check(meanOverFrames({ frames: 2, size: 48 }, score), 96, nothing),
    check(
      tampered(meanOverFrames({ frames: 2, size: 48 }, score), (bar) => X.scale(bar, 2)),
      96,
      nothing
    )
  ],
  [
    'a sum',
    check(
      weighted([
        [1, aligned('sum')],
        [-0.5, brightness<number>(6)],
        [0.25, aligned('mean')]
      ]),
      6,
      (c) => c
    ),
    check(
      tampered(
        weighted([
          [1, aligned('sum')],
          [-0.5, brightness<number>(6)]
        ]),
        (bar) => X.add(bar, X.fill(['batch', 6], 0.5 / 6))
      ),
      6,
      (c) => c
    )
  ]
]

describe('pullbacks are adjoint to derivatives', () => {
  test.each(rewards)('%s', (_, run) => {
    fc.assert(property(run), { numRuns: 5 })
  })

  test("Bradley and Terry's loss", () => {
    fc.assert(
      property((key) => adjoint(bradleyTerry, { x: ['batch'], c: ['batch'] }, ['batch'], key)),
      { numRuns: 5 }
    )
  })
})

describe('a wrong pullback is caught', () => {
  test.each(rewards)('%s', (_, __, mutant) => {
    expect(fc.check(property(mutant), { numRuns: 5 }).failed).toBe(true)
  })

  test("Bradley and Terry's loss, with the sign of the choice reversed", () => {
    const wrong: typeof bradleyTerry = L.pure(({ x, c }) => [
      bradleyTerry.forward({}, { x, c }),
      (bar) => ({ x: X.mul(bar, X.add(X.sigmoid(x), c)), c: X.neg(X.mul(bar, x)) })
    ])
    const run = property((key) => adjoint(wrong, { x: ['batch'], c: ['batch'] }, ['batch'], key))
    expect(E.isLeft(E.tryCatch(() => fc.assert(run, { numRuns: 5 }), String))).toBe(true)
  })
})
