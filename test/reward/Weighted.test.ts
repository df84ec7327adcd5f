import * as E from 'fp-ts/lib/Either.js'
import { describe, expect, expectTypeOf, test } from 'vitest'
import * as Faces from '../../cli/tasks/faces/Faces.js'
import { classifier, logProbability } from '../../src/network/Classifier.js'
import { alignment } from '../../src/reward/Alignment.js'
import { dynamicDegree, smoothness } from '../../src/reward/Clip.js'
import { brightness } from '../../src/reward/Pixels.js'
import { blackBox, type BlackBox, type Differentiable } from '../../src/reward/Reward.js'
import { nameOf, onHost, type SumParameters, weighted } from '../../src/reward/Weighted.js'
import type { Expr } from '../../src/tensor/Expr.js'
import type { Exprs } from '../../src/tensor/Tree.js'
import type { Tensor } from '../../src/tensor/Tensor.js'
import { get } from '../network/adjoint.js'

type Images = readonly ['batch', number]

const bright = brightness<number>(4)
const two = blackBox('two', ({ shape }) => new Array<number>(shape[0] ?? 0).fill(2))
const description = { kind: 'classifier', features: 4, labels: 34, hidden: 3, blocks: 1 } as const
const glasses = logProbability(
  'log p(glasses = dark)',
  { description, parameters: { 'in.bias': { shape: [3], data: Float32Array.of(1, 2, 3) } } },
  Faces.block('glasses'),
  Faces.positions('glasses', ['dark'])
)
const aligned = alignment({
  network: classifier(description),
  blocks: Faces.attributeNames.map(Faces.block),
  width: 34,
  parameters: {}
})
const x: Tensor = { shape: [2, 4], data: Float64Array.of(1, 2, 3, 4, 0, 0, 0, 8) }

describe('the type of a sum', () => {
  test('of differentiable rewards is differentiable', () => {
    const sum = weighted([
      [1, bright],
      [2, glasses]
    ])
    expectTypeOf(sum).toEqualTypeOf<Differentiable<SumParameters, Images, Exprs>>()
    expect(sum._tag).toBe('Differentiable')
  })

  test('with a term that looks at the condition looks at it', () => {
    const sum = weighted([
      [1, bright],
      [1, aligned]
    ])
    expectTypeOf(sum).toEqualTypeOf<Differentiable<SumParameters, Images, Expr<Images>>>()
    expect(sum._tag).toBe('Differentiable')
  })

  test('with a black box is a black box', () => {
    const sum = weighted([
      [1, bright],
      [1, two]
    ])
    expectTypeOf(sum).toEqualTypeOf<BlackBox>()
    expect(sum._tag).toBe('BlackBox')
    const mixed = [[1, aligned] as const, [1, two] as const]
    // @ts-expect-error a black box sees no condition, and alignment needs one
    expect(weighted(mixed)._tag).toBe('BlackBox')
  })
})

describe('a sum', () => {
  test('has the parameters of its terms below their positions', () => {
    const sum = weighted([
      [1, bright],
      [2, glasses],
      [3, glasses]
    ])
    expect(Object.keys(sum.parameters)).toEqual(['1.in.bias', '2.in.bias'])
    expect(sum.shapes).toEqual({ 0: {}, 1: glasses.shapes, 2: glasses.shapes })
  })

  test('of nothing is 0', () => {
    expect(get(onHost(weighted<Images, Exprs>([]), x))).toEqual([0, 0])
  })

  test('is linear in its weights', async () => {
    expect(
      get(
        onHost(
          weighted([
            [3, bright],
            [-1, bright]
          ]),
          x
        )
      )
    ).toEqual([5, 4])
    expect(
      get(
        await weighted([
          [3, bright],
          [-1, two]
        ]).evaluate(x)()
      )
    ).toEqual([5.5, 4])
  })

  test('is named by its terms', () => {
    expect(
      nameOf([
        [1, bright],
        [-0.5, two],
        [2, two]
      ])
    ).toBe('brightness - 0.5 * two + 2 * two')
    expect(nameOf([[-1, bright]])).toBe('-brightness')
  })

  test('on the host of a batch of another width is an error', () => {
    const wrong = onHost(glasses, { shape: [2, 3], data: new Float64Array(6) })
    expect(E.isLeft(wrong) ? wrong.left._tag : '').toBe('RewardError')
  })
})

describe('clips', () => {
  const clip = { frames: 4, size: 1 }
  const of = (
    reward: Differentiable<Readonly<Record<never, never>>, Images, Exprs>,
    row: ReadonlyArray<number>
  ): unknown => get(onHost(reward, { shape: [1, row.length], data: Float64Array.from(row) }))

  test('are smooth where they move evenly', () => {
    expect(of(smoothness(clip), [1, 2, 3, 4])).toEqual([0])
    expect(of(smoothness(clip), [0, 1, 0, 1])).toEqual([-4])
    expect(of(smoothness({ frames: 2, size: 2 }), [0, 1, 0, 1])).toEqual([0])
    expect(of(smoothness(), new Array<number>(8 * 768).fill(0.5))).toEqual([0])
  })

  test('are dynamic where they change', () => {
    expect(of(dynamicDegree(clip), [1, 2, 3, 4])).toEqual([1])
    expect(of(dynamicDegree(clip), [0, -3, 0, 0])).toEqual([2])
    expect(of(dynamicDegree(clip), [5, 5, 5, 5])).toEqual([0])
  })
})
