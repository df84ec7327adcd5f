import * as fc from 'fast-check'
import * as E from 'fp-ts/lib/Either.js'
import { describe, expect, it } from 'vitest'
import * as Toys from '../../laws/arbitrary/Toys.js'
import * as Law from '../../laws/law/Lens.js'
import * as Run from '../../laws/run/Run.js'
import * as V from '../../laws/Verdict.js'
import { carry, past, release, type Carried } from '../../src/lens/Carried.js'
import { conv1d, conv2d, conv3d } from '../../src/lens/layer/Convolution.js'
import type { Rows } from '../../src/lens/Rows.js'
import * as L from '../../src/lens/Lens.js'
import type { Lens, None, Params } from '../../src/lens/Lens.js'
import { fromPatches, toPatches, type Patches } from '../../src/lens/layer/Patches.js'
import {
  averagePool1d,
  averagePool2d,
  averagePool3d,
  upsample1d,
  upsample2d,
  upsample3d
} from '../../src/lens/layer/Pooling.js'
import { channelFilm, plainBlock, pointwise, position, residualBlock } from '../../src/lens/layer/ResidualBlock.js'
import { joined, level, unet, type Level, type Skip } from '../../src/lens/layer/Unet.js'
import { erase } from '../../src/lens/Erase.js'
import { initial } from '../../src/lens/Initial.js'
import * as Key from '../../src/random/Key.js'
import * as X from '../../src/tensor/Expr.js'
import type { Expr } from '../../src/tensor/Expr.js'
import * as Program from '../../src/tensor/Program.js'
import * as Reference from '../../src/tensor/Reference.js'
import type { Shape } from '../../src/tensor/Shape.js'
import type { Exprs, Shapes } from '../../src/tensor/Tree.js'
import { get, values } from '../network/adjoint.js'

const subject = <P extends Params, A extends Exprs, B extends Exprs>(lens: Lens<P, A, B>, argument: Shapes) => ({
  name: 'lens',
  lens,
  argument,
  sizes: { batch: 2 }
})

const laws = <P extends Params, A extends Exprs, B extends Exprs>(
  lens: Lens<P, A, B>,
  argument: Shapes
): Promise<void> =>
  Run.forAll(
    fc.record({ key: Toys.key, x: Toys.number(2), y: Toys.number(2) }),
    ({ key, x, y }) => {
      const one = subject(lens, argument)
      return V.all(one.name, [Law.linear(one)(key, x, y), Law.adjoint(one)(key)])
    },
    { numRuns: 1 }
  )

/** Whether the adjoint law holds at three points. */
const holds = <P extends Params, A extends Exprs, B extends Exprs>(
  lens: Lens<P, A, B>,
  argument: Shapes
): ReadonlyArray<boolean> => [1, 2, 3].map((seed) => E.isRight(Law.adjoint(subject(lens, argument))(Key.make(seed))))

/** A lens whose pullback is another one. */
const changed = <A extends Exprs, B extends Exprs>(
  lens: Lens<None, A, B>,
  f: (bar: A, valueBar: B) => A
): Lens<None, A, B> =>
  L.pure((a) => {
    const [value, back] = lens.run({}, a)
    return [value, (bar) => f(back(bar)[1], bar)]
  })

type Stream = Carried<Expr, Rows<number>>
const stream = (...x: Shape): Shapes => ({ x: ['batch', ...x], c: ['batch', 3] })
const wrong = [false, false, false]
const right = [true, true, true]

/** A network of a rank: a block on the way down and one on the way up of each level, one in the middle, of 2 channels. */
const network = (levels: number, block: Block, down: Lens<None, Expr, Expr>, up: Lens<None, Expr, Expr>) => {
  const at = (key: string, inputs: number): Lens<Params, Stream, Stream> => erase(L.at(key, carry(block(inputs))))
  const all = Array.from(
    { length: levels },
    (_, i): Level<Params, Stream> => ({
      encode: at(`down${i}`, 2),
      down: erase(past(down)),
      up: erase(past(up)),
      decode: erase(L.compose(joined<Shape, Rows<number>>(), at(`up${i}`, 4)))
    })
  )
  return unet(all, at('middle', 2))
}

type Block = (inputs: number) => Lens<Params, Stream, Expr>
type Map = (inputs: number, outputs: number) => unknown

/** A convolution, given without its rank, and modulation by the condition. */
const blockOf =
  (convolution: Map): Block =>
  (inputs) =>
    erase(
      L.compose(
        // the tensors have the rank that the convolution wants
        past<Params, Expr, Rows<number>, Expr>(convolution(inputs, 2) as Lens<Params, Expr, Expr>),
        channelFilm<Shape>(3, 2)
      )
    )

const widen = (lens: unknown): Lens<None, Expr, Expr> => lens as Lens<None, Expr, Expr>

describe('the pullback is the transposed derivative of', () => {
  it('a U-Net of signals, two levels', () =>
    laws(
      network(
        2,
        blockOf((from, to) => conv1d(from, to, { size: 1 })),
        widen(averagePool1d(2)),
        widen(upsample1d(2))
      ),
      stream(4, 2)
    ))
  it('a U-Net of images', () =>
    laws(
      network(
        1,
        blockOf((from, to) => conv2d(from, to, { size: 1 })),
        widen(averagePool2d(2)),
        widen(upsample2d(2))
      ),
      stream(2, 2, 2)
    ))
  it('a U-Net of clips', () =>
    laws(
      network(
        1,
        blockOf((from, to) => conv3d(from, to, { size: 1 })),
        widen(averagePool3d(2)),
        widen(upsample3d(2))
      ),
      stream(2, 2, 2, 2)
    ))
  it('a residual block that changes the channels', () =>
    laws(
      residualBlock<Params, Shape>((from, to) => erase(pointwise<Shape>(from, to)), {
        inputs: 4,
        outputs: 2,
        groups: 2,
        condition: 3
      }),
      stream(2, 4)
    ))
  it('a residual block without a condition', () =>
    laws(
      plainBlock<Params, Shape>((from, to) => erase(pointwise<Shape>(from, to)), { inputs: 2, outputs: 4, groups: 2 }),
      ['batch', 3, 2]
    ))
  it('modulation by channel', () => laws(channelFilm<Shape>(3, 2), stream(2, 2, 2)))
  it('a dense map of channels', () => laws(pointwise<Shape>(2, 3), ['batch', 2, 2, 2]))
  it('positions', () => laws(position<Shape>([2, 3]), ['batch', 2, 3]))
  it('a skip connection', () => laws(joined<Shape, Rows<number>>(), { first: stream(3, 2), second: stream(3, 1) }))
  it('patches', async () => {
    const patches = { size: [4, 2, 3], patch: [2, 1] }
    await laws(toPatches<Shape>(patches), ['batch', 24])
    await laws(fromPatches<Shape>(patches), ['batch', 2, 2, 6])
  })
  it('what is carried, passed and released', async () => {
    const film = channelFilm<Shape>(3, 2)
    await laws(carry(film), stream(2, 2))
    await laws(past(pointwise<Shape>(2, 2)), stream(2, 2))
    await laws(release(pointwise<Shape>(2, 2)), stream(2, 2))
  })
})

describe('the laws refute', () => {
  const argument = { first: stream(3, 2), second: stream(3, 2) }
  const both = joined<Shape, Rows<number>>()
  const skipped = level(L.identity<Expr>(), double(), summed())

  it('nothing of these', () => {
    expect(holds(both, argument)).toEqual(right)
    expect(holds(skipped, ['batch', 2])).toEqual(right)
  })

  it('a skip connection whose halves are swapped on the way back', () => {
    const mutant = changed(both, ({ first, second }) => ({
      first: { x: second.x, c: first.c },
      second: { x: first.x, c: second.c }
    }))
    expect(holds(mutant, argument)).toEqual(wrong)
  })

  it('a skip connection that forgets the condition', () => {
    const mutant = changed(both, ({ first, second }) => ({ first: second, second: { ...second, x: first.x } }))
    expect(holds(mutant, argument)).toEqual(wrong)
  })

  it('a level that forgets what came along the skip', () => {
    const mutant = changed(skipped, (_, bar) => X.scale(bar, 2))
    expect(holds(mutant, ['batch', 2])).toEqual(wrong)
  })

  it('a carried condition that its reader does not reach', () => {
    const lens = carry(multiplied())
    const mutant = changed(lens, (bar, valueBar) => ({ ...bar, c: valueBar.c }))
    const shapes: Shapes = { x: ['batch', 2], c: ['batch', 2] }
    expect(holds(lens, shapes)).toEqual(right)
    expect(holds(mutant, shapes)).toEqual(wrong)
  })

  it('patches that come back in the order of the places', () => {
    const patches: Patches = { size: [4, 4, 1], patch: [2, 2] }
    const mutant = changed(toPatches<Shape>(patches), (_, bar) => X.reshape(bar, ['batch', 16]))
    expect(holds(mutant, ['batch', 16])).toEqual(wrong)
  })
})

function double(): Lens<None, Expr, Expr> {
  return L.pure((x) => [X.scale(x, 2), (bar) => X.scale(bar, 2)])
}

function summed(): Lens<None, Skip<Expr, Expr>, Expr> {
  return L.pure(({ first, second }) => [X.add(first, second), (bar) => ({ first: bar, second: bar })])
}

function multiplied(): Lens<None, Carried<Expr, Expr>, Expr> {
  return L.pure(({ x, c }) => [X.mul(x, c), (bar) => ({ x: X.mul(bar, c), c: X.mul(bar, x) })])
}

const run = (lens: Lens<None, Expr, Expr>, x: ReadonlyArray<number>, shape: ReadonlyArray<number>) => {
  const program = get(
    Program.make({ x: ['batch', ...shape] as Shape }, (inputs) => ({ y: lens.forward({}, inputs.x) }))
  )
  const out = get(Reference.run(program, { batch: 1 }, { x: { shape: [1, ...shape], data: Float64Array.from(x) } }))
  return [...(out['y']?.data ?? [])]
}

describe('what is computed', () => {
  it('without levels a U-Net is its middle', () => {
    expect(run(unet<Params, Expr>([], double()), [1, 2], [2])).toEqual([2, 4])
  })

  it('levels lie around one another, and each decodes what came up with what it kept', () => {
    const one: Level<Params, Expr> = { encode: double(), down: double(), up: double(), decode: summed() }
    // kept 2, then 8; the middle gives 32, which comes up as 64; 64 + 8 = 72 comes up as 144; 144 + 2
    expect(run(unet<Params, Expr>([one, one], double()), [1], [1])).toEqual([146])
  })

  it('patches are the channels of a place, row by row, and go back', () => {
    const patches: Patches = { size: [2, 4, 1], patch: [2, 2] }
    const x = [0, 1, 2, 3, 4, 5, 6, 7]
    const there = toPatches<Shape>(patches)
    expect(run(erase(there) as unknown as Lens<None, Expr, Expr>, x, [8])).toEqual([0, 1, 4, 5, 2, 3, 6, 7])
    const back = L.compose(there, fromPatches<Shape>(patches))
    expect(run(back as unknown as Lens<None, Expr, Expr>, x, [8])).toEqual(x)
  })

  it('a block that keeps the channels starts as the identity, whatever it is told', () => {
    const lens = residualBlock<Params, Shape>((from, to, gain) => erase(pointwise<Shape>(from, to, gain)), {
      inputs: 2,
      outputs: 2,
      groups: 1,
      condition: 3
    })
    const program = get(
      Program.make({ p: L.shapes(lens.parameters), a: stream(3, 2) }, (inputs) => ({
        // the trees of inputs have the shapes that the lens declares
        y: lens.forward(inputs.p as Parameters<typeof lens.forward>[0], inputs.a as unknown as Stream)
      }))
    )
    const key = Key.make(1)
    const p = Program.under('p', initial(lens.parameters, key))
    const a = values(stream(3, 2), 'a', key)
    const out = get(Reference.run(program, { batch: 3 }, { ...p, ...a }))
    expect(out['y']?.data).toEqual(a['a.x']?.data)
    expect(Object.keys(lens.parameters)).not.toContain('skip')
  })
})
