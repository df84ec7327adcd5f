/**
 * Layers whose numbers do not fit one another, or their argument: a program with one does not close, and says what must divide or
 * be what. They were once accepted and computed something else.
 */
import * as E from 'fp-ts/lib/Either.js'
import { describe, expect, it } from 'vitest'
import { segment } from '../../src/chain/Chain.js'
import { perStep, type Part } from '../../src/chain/PerStep.js'
import { cosine } from '../../src/chain/Schedule.js'
import { ddim } from '../../src/chain/sampler/Ddim.js'
import { lora, merge } from '../../src/lens/Adapter.js'
import { erase } from '../../src/lens/Erase.js'
import { program } from '../../src/lens/Forward.js'
import { initial } from '../../src/lens/Initial.js'
import * as L from '../../src/lens/Lens.js'
import type { Lens, Params } from '../../src/lens/Lens.js'
import { selfAttention, splitHeads } from '../../src/lens/layer/Attention.js'
import { film, timeEmbedding } from '../../src/lens/layer/Conditioning.js'
import { conv1d, conv2d } from '../../src/lens/layer/Convolution.js'
import { dense } from '../../src/lens/layer/Dense.js'
import { embedding } from '../../src/lens/layer/Embedding.js'
import { logSumExp } from '../../src/lens/layer/LogSumExp.js'
import { logSoftmax, meanSquaredError } from '../../src/lens/layer/Loss.js'
import { groupNorm, layerNorm } from '../../src/lens/layer/Normalization.js'
import { fromPatches, toPatches } from '../../src/lens/layer/Patches.js'
import { averagePool1d, averagePool2d, upsample2d } from '../../src/lens/layer/Pooling.js'
import { unet } from '../../src/network/Unet.js'
import { meanOverFrames } from '../../src/reward/Clip.js'
import { brightness } from '../../src/reward/Pixels.js'
import * as Key from '../../src/random/Key.js'
import * as X from '../../src/tensor/Expr.js'
import * as Program from '../../src/tensor/Program.js'
import * as Reference from '../../src/tensor/Reference.js'
import * as Sh from '../../src/tensor/Shape.js'
import type { Shape } from '../../src/tensor/Shape.js'
import { tabulate } from '../../src/tensor/Tensor.js'
import * as Tree from '../../src/tensor/Tree.js'
import type { Exprs, Shapes } from '../../src/tensor/Tree.js'
import { network } from '../chain/network.js'

type Any = Lens<Params, Exprs, Exprs>

// a lens of any argument: its shapes are wrong on purpose, so that the type checker would refuse some
const any = <P extends Params, A extends Exprs, B extends Exprs>(lens: Lens<P, A, B>): Any =>
  erase(lens) as unknown as Any

const drawn = (errors: ReadonlyArray<Sh.ShapeError>): string => errors.map(Sh.showError).join('\n')

/** What is wrong with a lens forward, and with its pullback alone, whose value is not asked for. */
const faults = (lens: Any, argument: Shapes): string => {
  const forward = program(lens, argument)
  const params = L.shapes(lens.parameters)
  const back = Program.make<Shapes, Exprs>({ params, argument }, (): Exprs => {
    const [value, pullback] = lens.run(Tree.inputs('params', params), Tree.inputs('argument', argument))
    const ones = Tree.mapExprs(value, ({ shape }) => X.fill(shape, 1))
    const [p, a] = pullback(ones)
    return { p, a }
  })
  const [first, second] = [forward, back].map((one) => (E.isLeft(one) ? drawn(one.left) : 'accepted'))
  return first === second ? (first ?? '') : `forward: ${first}\nback: ${second}`
}

const such = 'take such a number'

describe('layers', () => {
  const rows = ['batch', 6]
  it.each<readonly [string, Any, Shapes, string]>([
    [
      'groups that do not divide the channels',
      any(groupNorm<number, Shape>(6, 4)),
      rows,
      'groupNorm: expected groups: a divisor of the 6 channels, got 4; take one of 1, 2, 3, 6'
    ],
    [
      'half a group',
      any(groupNorm<number, Shape>(6, 0.5)),
      rows,
      `groupNorm: expected groups: a whole number of at least 1, got 0.5; ${such}`
    ],
    [
      'no group',
      any(groupNorm<number, Shape>(6, 0)),
      rows,
      `groupNorm: expected groups: a whole number of at least 1, got 0; ${such}`
    ],
    [
      'blocks of two on five pixels',
      any(averagePool2d(2)),
      ['batch', 5, 5, 3],
      'averagePool2d: expected factor: a divisor of the 5 entries of axis 1, got 2; take one of 1, 5\n' +
        'averagePool2d: expected factor: a divisor of the 5 entries of axis 2, got 2; take one of 1, 5'
    ],
    [
      'a factor for one of two axes',
      any(averagePool2d([2])),
      ['batch', 4, 4, 3],
      'averagePool2d: expected factor: one number, or 2, one for each axis, got [2]; give as many as there are axes of places'
    ],
    [
      'blocks of an axis whose size is a name',
      any(averagePool1d(2)),
      ['batch', 'n', 3],
      'averagePool1d: expected an axis 1 of literal size, got [batch, n, 3]; count axes from 0, and give the size as a number'
    ],
    [
      'upsampling by a half',
      any(upsample2d([2, 1.5])),
      ['batch', 4, 4, 3],
      `upsample2d: expected factor: a whole number of at least 1, got 1.5; ${such}`
    ],
    [
      'padding of a half',
      any(conv1d(1, 1, { padding: 1.5 })),
      ['batch', 8, 1],
      `conv1d: expected padding: a whole number of at least 0, got 1.5; ${such}`
    ],
    [
      'a stride of none',
      any(conv1d(1, 1, { stride: 0 })),
      ['batch', 8, 1],
      `conv1d: expected stride: a whole number of at least 1, got 0; ${such}`
    ],
    [
      'a negative stride and a window of a half',
      any(conv2d(1, 1, { stride: [1, -2], size: 2.5 })),
      ['batch', 8, 8, 1],
      `conv2d: expected size: a whole number of at least 1, got 2.5; ${such}\n` +
        `conv2d: expected stride: a whole number of at least 1, got -2; ${such}`
    ],
    [
      'a window for one of two axes',
      any(conv2d(1, 1, { size: [3] })),
      ['batch', 8, 8, 1],
      'conv2d: expected size: one number, or 2, one for each axis, got [3]; give as many as there are axes of places'
    ],
    [
      'a gain that is no number',
      any(conv1d(1, 1, { gain: Number.NaN })),
      ['batch', 8, 1],
      `conv1d: expected gain: a finite number, got NaN; ${such}`
    ],
    [
      'heads that do not divide the features',
      any(selfAttention(8, { heads: 3 })),
      ['batch', 4, 8],
      'attention: expected heads: a divisor of the 8 features, got 3; take one of 1, 2, 4, 8'
    ],
    [
      'half a head',
      any(splitHeads<number, number>(0.5)),
      ['batch', 4, 8],
      `splitHeads: expected heads: a whole number of at least 1, got 0.5; ${such}`
    ],
    [
      'an odd number of features of a time',
      any(timeEmbedding(5)),
      ['batch', 1],
      `timeEmbedding: expected half of the features: a whole number of at least 1, got 2.5; ${such}`
    ],
    [
      'patches that do not divide',
      any(toPatches<Shape>({ size: [5, 4, 3], patch: [2, 2] })),
      ['batch', 60],
      'patches: expected patch: a divisor of the 5 places of axis 0, got 2; take one of 1, 5'
    ],
    [
      'patches back that do not divide',
      any(fromPatches<Shape>({ size: [5, 4, 3], patch: [2, 2] })),
      ['batch', 5, 4, 3],
      'patches: expected patch: a divisor of the 5 places of axis 0, got 2; take one of 1, 5'
    ],
    [
      'a patch for one of two axes',
      any(toPatches<Shape>({ size: [4, 4, 3], patch: [2] })),
      ['batch', 48],
      'patches: expected patch: one number, or 2, one for each axis, got [2]; give as many as there are axes of places'
    ],
    [
      'a composition of no lens',
      any(L.repeat(0, () => L.identity<X.Expr>())),
      rows,
      `repeat: expected lenses: a whole number of at least 1, got 0; ${such}`
    ],
    [
      'factors of half a rank',
      any(lora({ rank: 1.5 })(() => true)(dense(6, 2))),
      rows,
      "input 'params.adapter.weight.down': expected sizes that are whole numbers from 0 on, or names, got [6, 1.5]; " +
        'round each size; where one is divided, take a divisor of it\n' +
        "input 'params.adapter.weight.up': expected sizes that are whole numbers from 0 on, or names, got [1.5, 2]; " +
        'round each size; where one is divided, take a divisor of it\n' +
        `lora: expected rank: a whole number of at least 1, got 1.5; ${such}`
    ],
    [
      'factors of no rank',
      any(lora({ rank: 0 })(() => true)(dense(6, 2))),
      rows,
      `lora: expected rank: a whole number of at least 1, got 0; ${such}`
    ]
  ])('%s', (_, lens, argument, expected) => expect(faults(lens, argument)).toBe(expected))

  it('an embedding of half an entry, and one of fewer than none', () => {
    for (const count of [2.5, -3]) {
      expect(faults(any(embedding(count, 2)), ['batch', 4])).toContain(
        `oneHot: expected count: a whole number of at least 1, got ${count}; ${such}`
      )
    }
  })

  it('rows of another width than the layer was made for', () => {
    const three = ['batch', 3]
    const pair = { x: three, c: three }
    for (const [lens, argument] of [
      [any(meanSquaredError(4)), pair],
      [any(logSoftmax(4)), three],
      [any(logSoftmax(4)), ['batch', 1]],
      [any(logSumExp(4)), ['batch', 1]],
      [any(layerNorm(4)), ['batch', 1]],
      [any(film(2, 4)), { x: ['batch', 1], c: ['batch', 2] }],
      [any(brightness(4).lens({})), three],
      [any(meanOverFrames({ frames: 3, size: 2 }, brightness<number>(2)).lens({})), ['batch', 8]]
    ] as const) {
      expect(faults(lens, argument)).toContain('retype: expected [batch, ')
    }
  })

  it('a U-Net of three groups on eight channels', () => {
    const { lens } = unet({
      kind: 'unet',
      size: [4, 4, 1],
      labels: 2,
      patch: 1,
      channels: [8],
      groups: 3,
      embedding: 4,
      share: 'cosine'
    })
    expect(faults(any(lens), { x: ['batch', 16], time: ['batch', 1], c: ['batch', 2] })).toBe(
      'groupNorm: expected groups: a divisor of the 8 channels, got 3; take one of 1, 2, 4, 8'
    )
  })

  it('a layer of sizes that are none, and its first values', () => {
    for (const [features, name] of [
      [2.5, '2.5'],
      [-3, '-3']
    ] as const) {
      const layer = any(dense(features, 2))
      expect(faults(layer, ['batch', 2])).toContain(
        `input 'params.weight': expected sizes that are whole numbers from 0 on, or names, got [${name}, 2]; ` +
          'round each size; where one is divided, take a divisor of it'
      )
      expect(initial(layer.parameters, Key.make(1))['weight']?.shape).toEqual([0, 2])
    }
  })

  it('merging factors of no rank', () => {
    expect(merge({ rank: 0 })(() => true)(dense(2, 2).parameters, {})).toEqual(
      E.left([
        {
          _tag: 'ShapeError',
          operation: 'lora',
          expected: 'rank: a whole number of at least 1',
          got: '0',
          remedy: such
        }
      ])
    )
  })

  it('a group norm over places whose number is a name has their mean', () => {
    const closed = program(any(groupNorm<number, Shape>(2, 1)), ['batch', 'n', 2])
    const x = tabulate([1, 3, 2], (i) => i * i)
    const values = {
      argument: x,
      'params.gain': tabulate([2], () => 1),
      'params.bias': tabulate([2], () => 0)
    }
    const out = E.flatMap((p: Program.Program) => Reference.run(p, { batch: 1, n: 3 }, values))(closed)
    const literal = E.flatMap((p: Program.Program) => Reference.run(p, { batch: 1 }, values))(
      program(any(groupNorm<number, Shape>(2, 1)), ['batch', 3, 2])
    )
    const got = E.isRight(out) ? Array.from(out.right['value']?.data ?? []) : []
    expect(got).toHaveLength(6)
    // of 0, 1, 4, 9, 16, 25 the mean is 55 / 6 and the variance 979 / 6 - (55 / 6)^2
    const deviation = Math.sqrt(979 / 6 - (55 / 6) ** 2 + 1e-5)
    got.forEach((z, i) => expect(z).toBeCloseTo((i * i - 55 / 6) / deviation, 12))
    expect(E.isRight(literal) && Array.from(literal.right['value']?.data ?? [])).toEqual(got)
  })
})

describe('chains', () => {
  const chain = ddim({ denoiser: network, schedule: cosine(4), eta: 1 })
  const state = { x: chain.state, c: chain.condition, eps: [2, ...chain.state] }
  const of = (h: number, top: number): string => faults(any(segment(chain, h)(X.scalar(top))), state)

  it('segments of steps that are not there', () => {
    expect(of(1.5, 4)).toBe(`segment: expected steps: a whole number of at least 1, got 1.5; ${such}`)
    expect(of(0, 4)).toBe(`segment: expected steps: a whole number of at least 1, got 0; ${such}`)
    expect(of(3, 2)).toBe(
      'segment: expected steps within 1..4, got 3 from step 2 down; start it higher or make it shorter'
    )
    expect(of(2, 5)).toContain(
      'segment: expected steps within 1..4, got 2 from step 5 down; start it higher or make it shorter'
    )
  })

  it('parts of one name, or out of order', () => {
    const parts = (...all: readonly [Part<string>, ...ReadonlyArray<Part<string>>]): string => {
      const parted = perStep<string>(all)(chain)
      return faults(any(parted.mean(X.scalar(2))), { x: chain.state, c: parted.condition })
    }
    expect(parts(['a', 3], ['b', 1])).toBe('accepted')
    expect(parts(['a', 3], ['a', 1])).toBe('perStep: expected a name for each part, got a, a; rename the second')
    expect(parts(['a', 1], ['b', 3])).toBe(
      'perStep: expected lowest steps that fall, from 4 on, got a from 1, b from 3; put the coarsest part first'
    )
    expect(parts(['a', 2.5], ['b', 1])).toBe(
      `perStep: expected lowest step: a whole number of at least 1, got 2.5; ${such}`
    )
  })
})

describe('an index outside of an embedding', () => {
  const run = (outside?: 'held' | 'none'): ReadonlyArray<number> => {
    const closed = program(any(embedding<number, 3, 1>(3, 1, 1, outside)), ['batch', 5])
    const values = {
      argument: tabulate([1, 5], (i) => [-1, 0, 2.5, 3, 1e9][i] ?? 0),
      'params.weight': tabulate([3, 1], (i) => i + 1)
    }
    const out = E.flatMap((p: Program.Program) => Reference.run(p, { batch: 1 }, values))(closed)
    return E.isRight(out) ? Array.from(out.right['value']?.data ?? []) : []
  }

  it('has the nearest row, or where that is asked for a row of zeros', () => {
    expect(run()).toEqual([1, 1, 3, 3, 3])
    expect(run('held')).toEqual([1, 1, 3, 3, 3])
    expect(run('none')).toEqual([0, 1, 3, 0, 0])
  })
})
