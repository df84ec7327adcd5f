import { Chain, cosine, ddim, type Denoiser } from 'halforder/chain'
import {
  at,
  averagePool2d,
  compose,
  conv2d,
  dense,
  embedding,
  fanout,
  type Dense,
  groupNorm,
  type InputOf,
  type Convolution,
  Lens,
  layerNorm,
  make,
  type OutputOf,
  type ParamsOf,
  residual,
  type Rows,
  selfAttention,
  tanh
} from 'halforder/lens'
import { brightness } from 'halforder/reward'
import { Expr, Program } from 'halforder/tensor'

// These statements are checked by the compiler and never run: each `@ts-expect-error` is a program that must not compile.

const equal = <A>(value: A & ([A] extends [never] ? never : unknown)): A => value
declare const anything: never

// -------------------------------------------------------------------------------------
// what a lens is made of
// -------------------------------------------------------------------------------------

const layer = dense(2, 8)
type Layer = typeof layer

const weight: ParamsOf<Layer>['weight'] = Expr.input('w', [2, 8])
const into: InputOf<Layer> = Expr.input('x', ['batch', 2])
const out: OutputOf<Layer> = Expr.input('y', ['batch', 8])
equal<Dense.Dense<2, 8>>({ weight, bias: Expr.input('b', [8]) })
equal<readonly [Rows<2>, Rows<8>]>([into, out])
// @ts-expect-error the argument has two columns
const wide: InputOf<Layer> = Expr.input('x', ['batch', 3])
// @ts-expect-error the weight is [2, 8]
const turned: ParamsOf<Layer>['weight'] = Expr.input('w', [8, 2])
// @ts-expect-error a program is no lens
const none: ParamsOf<number> = {}

const net = compose(at('a', dense(2, 8)), compose(tanh(), at('b', dense(8, 1))))
equal<ParamsOf<typeof net>['b']>({ weight: Expr.input('w', [8, 1]), bias: Expr.input('b', [1]) })

// -------------------------------------------------------------------------------------
// make infers
// -------------------------------------------------------------------------------------

const gains = make({ gain: Lens.parameter([3], 0, 1) }, ({ gain }, x: Rows<3>) => [
  Expr.mul(x, Expr.broadcastTo(gain, x.shape)),
  (bar: Rows<3>) => [
    { gain: Expr.sumTo(Expr.mul(bar, x), gain.shape) },
    Expr.mul(bar, Expr.broadcastTo(gain, bar.shape))
  ]
])
equal<Lens.Lens<{ readonly gain: Expr.Expr<readonly [3]> }, Rows<3>, Rows<3>>>(gains)

// @ts-expect-error the gain that comes back is that of three numbers, not of four
make({ gain: Lens.parameter([3]) }, ({ gain }, x: Rows<3>) => [
  x,
  (bar: Rows<3>) => [{ gain: Expr.zeros([4]) }, Expr.mul(bar, Expr.broadcastTo(gain, bar.shape))]
])

// the declarations of lenses bring their parameters, alone, side by side and spread into one
const again = make(layer.parameters, (p, x: Rows<2>) => layer.run(p, x))
equal<Layer>(again)
const [first, second] = [at('a', dense(2, 2)), at('b', dense(2, 2))]
const beside = make({ one: first.parameters, two: second.parameters }, (p, x: Rows<2>) => {
  const [y, back] = first.run(p.one, x)
  const [z, forth] = second.run(p.two, y)
  return [
    z,
    (bar: Rows<2>) => {
      const [two, yBar] = forth(bar)
      const [one, xBar] = back(yBar)
      return [{ one, two }, xBar]
    }
  ]
})
equal<ParamsOf<typeof beside>['two']['b']['bias']>(Expr.input('b', [2]))
const spread = make({ ...first.parameters, ...second.parameters, scale: Lens.parameter([2]) }, (p, x: Rows<2>) => {
  const [y, back] = first.run(p, Expr.mul(x, p.scale))
  const [z, forth] = second.run(p, y)
  return [
    z,
    (bar: Rows<2>) => {
      const [two, yBar] = forth(bar)
      const [one, xBar] = back(yBar)
      return [{ ...one, ...two, scale: Expr.sumTo(Expr.mul(xBar, x), [2]) }, Expr.mul(xBar, p.scale)]
    }
  ]
})
equal<ParamsOf<typeof spread>['scale']>(Expr.input('s', [2]))
equal<ParamsOf<typeof spread>['a']>({ weight: Expr.input('w', [2, 2]), bias: Expr.input('b', [2]) })

const dynamic: Lens.Parameters = net.parameters
// @ts-expect-error declarations that are known when the program runs only: state the parameters, `make<P, A, B>`
make(dynamic, (p, x: Rows<2>) => [x, (bar: Rows<2>) => [p.a.weight, bar]])

// -------------------------------------------------------------------------------------
// programs over a lens
// -------------------------------------------------------------------------------------

const program = Program.make({ p: Lens.shapesOf(net), x: ['batch', 2] }, ({ p, x }) => ({ y: net.forward(p, x) }))
void program
Program.make({ p: Lens.shapesOf(net), x: ['batch', 3] }, ({ p, x }) => ({
  // @ts-expect-error the network reads two columns
  y: net.forward(p, x)
}))
Program.make({ p: Lens.shapesOf(layer), x: ['batch', 2] }, ({ p, x }) => ({
  // @ts-expect-error these are the parameters of one layer
  y: net.forward(p, x)
}))

declare const denoiser: Denoiser.Denoiser<Dense.Dense<2, 2>, 2, 1>
const chain = ddim({ denoiser, schedule: cosine(4), eta: 1 })
Program.make({ params: Lens.shapesOf(chain), x: chain.state, c: ['batch', 1], t: [] }, ({ params, x, c, t }) => ({
  mean: chain.mean(t).forward(params, { x, c }),
  // or as inputs that a function makes by itself
  again: chain.mean(t).forward(Lens.inputsOf('params', chain), { x, c: Chain.conditionInputs(chain) })
}))
Program.make({ x: ['batch', 2] }, ({ x }) => ({ value: brightness(2).lens({}).forward({}, x) }))

// -------------------------------------------------------------------------------------
// literal channels
// -------------------------------------------------------------------------------------

declare const image: Convolution.Images<4>
conv2d(4, 8).forward(anything, image)
// @ts-expect-error the image has four channels
conv2d(3, 8).forward(anything, image)
compose(compose(conv2d(1, 4), averagePool2d(2)), conv2d(4, 8))
// @ts-expect-error four channels leave the first convolution
compose(conv2d(1, 4), conv2d(3, 8))
// @ts-expect-error four channels leave the pooling too
compose(compose(conv2d(1, 4), averagePool2d(2)), conv2d(3, 8))
compose(conv2d(1, 4), groupNorm(4, 2))
// @ts-expect-error the norm is of five channels
compose(conv2d(1, 4), groupNorm(5, 5))
// @ts-expect-error nine columns do not come out of eight
compose(dense(2, 8), dense(9, 1))
// @ts-expect-error a residual lens keeps what it reads
residual(dense(3, 4))
// @ts-expect-error both read the same argument
fanout(dense(2, 3), dense(3, 3))
// @ts-expect-error the row has two columns
layerNorm(3).forward(anything, into)
compose(embedding(10, 4), selfAttention(4))
// @ts-expect-error tokens have four features
compose(embedding(10, 4), selfAttention(5))

void [wide, turned, none]
