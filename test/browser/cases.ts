/**
 * The programs that every mode must agree with the reference on: those of the kernel tests, and what a fine-tuning run
 * is made of.
 */
import * as E from 'fp-ts/lib/Either.js'
import { ddim } from '../../src/chain/sampler/Ddim.js'
import { cosine } from '../../src/chain/Schedule.js'
import { rlr } from '../../src/estimator/Catalogue.js'
import { problem, programs } from '../../src/estimator/Gradient.js'
import { dense } from '../../src/lens/layer/Dense.js'
import { silu } from '../../src/lens/layer/Activation.js'
import * as L from '../../src/lens/Lens.js'
import { layerNorm } from '../../src/lens/layer/Normalization.js'
import { mlp } from '../../src/network/Mlp.js'
import { brightness } from '../../src/reward/Pixels.js'
import * as X from '../../src/tensor/Expr.js'
import type { Values } from '../../src/tensor/Program.js'
import * as Sh from '../../src/tensor/Shape.js'
import { size, type Tensor } from '../../src/tensor/Tensor.js'
import type { Case } from '../kernel/arbitrary.js'
import { close, draw, examples } from '../kernel/examples.js'

// -------------------------------------------------------------------------------------
// elementwise
// -------------------------------------------------------------------------------------

/** `n` numbers from `low` to `high`, both included. */
const ramp = (low: number, high: number, n = 257): Tensor => ({
  shape: [n],
  data: Float32Array.from({ length: n }, (_, i) => low + ((high - low) * i) / (n - 1))
})

/** `n` numbers from `low` to `high`, each the same factor above the one before. */
const powers = (low: number, high: number, n = 257): Tensor => ({
  shape: [n],
  data: ramp(Math.log(low), Math.log(high), n).data.map(Math.exp)
})

const over = (body: (x: X.Expr) => Readonly<Record<string, X.Expr>>, x: Tensor): Case => ({
  ...close({ x: x.shape }, ({ x: input }) => body(input)),
  values: { x }
})

const elementwise: Readonly<Record<string, Case>> = {
  'exp from -80 to 80': over((x) => ({ y: X.exp(x) }), ramp(-80, 80)),
  'log from 1e-30 to 1': over((x) => ({ y: X.log(x) }), powers(1e-30, 1)),
  'log around 1': over((x) => ({ y: X.log(x) }), ramp(0.5, 2)),
  'tanh from -12 to 12': over((x) => ({ y: X.tanh(x) }), ramp(-12, 12)),
  'tanh from 1e-20 to 20': over((x) => ({ y: X.tanh(x), z: X.tanh(X.neg(x)) }), powers(1e-20, 20)),
  'tanh around 0': over((x) => ({ y: X.tanh(x) }), ramp(-0.01, 0.01)),
  'sigmoid from -90 to 90': over((x) => ({ y: X.sigmoid(x) }), ramp(-90, 90)),
  'erf from -5 to 5': over((x) => ({ y: X.erf(x) }), ramp(-5, 5)),
  'erf from 1e-20 to 5': over((x) => ({ y: X.erf(x) }), powers(1e-20, 5)),
  'sqrt from 0 to 1e6': over((x) => ({ y: X.sqrt(x) }), ramp(0, 1e6)),
  'sin and cos from -3.1 to 3.1': over((x) => ({ s: X.sin(x), c: X.cos(x) }), ramp(-3.1, 3.1)),
  'sin and cos from 1e-10 to 1e10': over((x) => ({ s: X.sin(x), c: X.cos(x) }), powers(1e-10, 1e10)),
  'sin and cos from -100 to 100': over((x) => ({ s: X.sin(x), c: X.cos(x) }), ramp(-100, 100)),
  'quotients and comparisons': over(
    (x) => ({
      quotient: X.div(X.scalar(1), X.add(X.mul(x, x), X.scalar(0.1))),
      less: X.less(x, X.neg(x)),
      equal: X.equal(x, X.abs(x)),
      chosen: X.select(X.less(x, X.scalar(0)), X.max(x, X.scalar(-1)), X.min(x, X.scalar(1)))
    }),
    ramp(-2, 2)
  )
}

// -------------------------------------------------------------------------------------
// contractions
// -------------------------------------------------------------------------------------

const product = (rows: number, inner: number, columns: number): Case =>
  close({ x: [rows, inner], w: [inner, columns] }, ({ x, w }) => {
    const y = X.matmul(x, w)
    const bar = X.tanh(y)
    return { y, toLeft: X.matmul(bar, X.transpose(w)), toRight: X.matmul(X.transpose(x), bar) }
  })

const contractions: Readonly<Record<string, Case>> = {
  'products of one row and of one column': close({ x: [9, 33], row: [1, 9], column: [33, 1] }, (all) => ({
    a: X.matmul(all.row, all.x),
    b: X.matmul(all.x, all.column)
  })),
  ...Object.fromEntries(
    [
      [5, 7, 9],
      [16, 16, 16],
      [17, 65, 31],
      [64, 256, 96]
    ].map(([m = 1, k = 1, n = 1]) => [`a product ${m} x ${k} x ${n} and its two adjoints`, product(m, k, n)])
  ),
  'an output of more rows than a texture is wide': close({ x: [70000], y: [3] }, ({ x, y }) => ({
    y: X.einsum('i,j->ij', X.tanh(x), y)
  }))
}

// -------------------------------------------------------------------------------------
// networks and chains
// -------------------------------------------------------------------------------------

const network: Case = close(
  { x: ['batch', 24], gain: [24], shift: [24], weight: [24, 40], bias: [40], bar: ['batch', 40] },
  ({ x, gain, shift, weight, bias, bar }) => {
    const lens = L.compose(
      L.compose(L.at('norm', layerNorm(24)), L.at('dense', dense(24, 40))),
      silu<readonly ['batch', 40]>()
    )
    const [y, back] = lens.run({ norm: { gain, bias: shift }, dense: { weight, bias } }, x)
    const [parameters, argument] = back(bar)
    return { y, parameters, argument }
  },
  { batch: 6 }
)

/** The steps of the chain. */
export const steps = 4

/** The programs of the RLR estimator on a chain, two segments, each with drawn inputs. */
const finetuning = (): Readonly<Record<string, Case>> => {
  const T = steps
  const denoiser = mlp({ features: 12, labels: 4, hidden: 16, blocks: 1, embedding: 8, share: 'cosine' })
  const estimator = rlr({ T, h: 2, radius: 0.05 })
  if (E.isLeft(estimator)) throw new Error(JSON.stringify(estimator.left))
  const chain = ddim({ denoiser, schedule: cosine(T), eta: 1 })
  const built = programs(problem(chain, brightness(12), 4)(estimator.right))
  if (E.isLeft(built)) throw new Error(JSON.stringify(built.left))
  const sizes = { batch: 4 }
  return Object.fromEntries(
    Object.entries(built.right).map(([name, program]): readonly [string, Case] => {
      const values = program.inputs.map(({ name: input, shape }, i): readonly [string, Tensor] => {
        const { bound } = Sh.bind(shape, sizes)
        // between two whole numbers, where no rounding moves an index to another entry of a table
        if (input === 'high') return [input, { shape: [], data: Float32Array.of(T - 0.75) }]
        if (input === 'radius') return [input, { shape: [], data: Float32Array.of(0.05) }]
        if (input === 'mask') return [input, { shape: bound, data: new Float32Array(size(bound)).fill(1) }]
        const drawn = draw(bound, i)
        // small, so that bounds stay finite through the layer norms of all steps
        const scale = input.startsWith('params') ? 0.06 : 0.5
        return [input, { shape: bound, data: Float32Array.from(drawn.data, (v: number) => scale * v) }]
      })
      return [`${name} of a chain of ${T} steps`, { program, values: Object.fromEntries(values), sizes }]
    })
  )
}

// -------------------------------------------------------------------------------------
// threads
// -------------------------------------------------------------------------------------

/** Programs with work enough for several threads, by far: one that keeps rows, and one that sums over them. */
export const wide: Readonly<Record<string, Case>> = {
  'a network': close(
    { x: ['batch', 400], w: [400, 400] },
    ({ x, w }) => {
      let y = x
      for (let t = 0; t < 6; t++) y = X.tanh(X.matmul(y, w))
      return { y }
    },
    { batch: 48 }
  ),
  'a gradient': close(
    { x: ['batch', 800], bar: ['batch', 800] },
    ({ x, bar }) => ({ weight: X.matmul(X.transpose(X.tanh(x)), bar), bias: X.sum(bar, [0]) }),
    { batch: 64 }
  )
}

const [height, width] = [2900, 2897]

const counted = close({ row: [width], column: [height, 1] }, ({ row, column }) => ({ y: X.add(row, column) }))

/**
 * More elements than f32 tells halves of, each of which is its own place, so that it shows who wrote it: positions on a GPU
 * are computed, here past what is a texture's width, what is a row of workgroups, and what f32 rounds.
 */
export const places: Case = {
  ...counted,
  values: {
    row: { shape: [width], data: Float32Array.from({ length: width }, (_, i) => i) },
    column: { shape: [height, 1], data: Float32Array.from({ length: height }, (_, i) => width * i) }
  }
}

/** Where the first element is that is not its place, of how many. */
export const misplaced = ({ y }: Values): readonly [first: number, of: number] => {
  const data = y?.data ?? []
  return [data.findIndex((v, i) => v !== i), data.length]
}

/** Programs whose results are the same numbers on every mode, infinities among them. */
export const exact: Readonly<Record<string, Case>> = {
  'infinite literals': over(
    (x) => {
      const clipped = X.min(X.max(x, X.scalar(-Infinity)), X.scalar(1e39))
      return { clipped, masked: X.select(X.less(x, X.scalar(0)), X.scalar(-Infinity), x) }
    },
    ramp(-2, 2)
  ),
  'axes of size 0': close({ x: [3, 0], y: [3, 2], w: [0, 2] }, ({ x, y, w }) => ({
    x,
    sums: X.sum(x, [1]),
    largest: X.maximum(x, [1]),
    masked: X.max(y, X.broadcastTo(X.reshape(X.maximum(x, [1]), [3, 1]), [3, 2])),
    product: X.add(X.matmul(x, w), y),
    padded: X.pad(x, 1, 1, 3),
    empty: X.neg(x)
  }))
}

/** The cases that the kernel tests do not run already. */
export const own: Readonly<Record<string, Case>> = {
  ...elementwise,
  ...contractions,
  'layer norm, a dense layer and SiLU, with their pullback': network,
  ...finetuning()
}

/** Every case by name. */
export const cases: Readonly<Record<string, Case>> = { ...own, ...examples }
