import type { Denoiser } from 'halforder/chain'
import { Foreign } from 'halforder/format'
import { at, Carried, compose, conv2d, Erase, groupNorm, Lens, level, silu, timeEmbedding } from 'halforder/lens'
import { ResidualBlock, Unet, upsample2d, type Convolution, type Rows } from 'halforder/lens'
import { Expr } from 'halforder/tensor'

type Places = readonly ['batch', number, number, number]
type Images = Convolution.Images<number>
type Times = Rows<number>
type Stream = Carried.Carried<Images, Times>

/** A lens on images, past which the features of the time are carried. */
const past = <P extends Lens.Params>(lens: Lens.Lens<P, Images, Images>): Lens.Lens<P, Stream, Stream> =>
  Carried.past(lens)

const time = timeEmbedding<number>(4)

/** Rows as images: height, width, channel. The label is not read. */
const enter: Lens.Lens<Lens.None, Denoiser.DenoiserInput<48, 1>, Stream> = Lens.pure((a) => {
  const [c, back] = time.run({}, a.time)
  return [
    { x: Expr.reshape(a.x, ['batch', 4, 4, 3]), c },
    (bar) => ({ x: Expr.reshape(bar.x, ['batch', 48]), time: back(bar.c)[1], c: Expr.zeros(a.c.shape) })
  ]
})

const leave: Lens.Lens<Lens.None, Images, Rows<48>> = Lens.pure((x) => [
  Expr.reshape(x, ['batch', 48]),
  (bar) => Expr.reshape(bar, ['batch', 4, 4, 3])
])

const encode = compose(past(at('in', conv2d<number, number>(3, 4))), past(silu<Places>()))
const down = compose(
  past(at('down', conv2d<number, number>(4, 8, { stride: 2 }))),
  past(at('norm', groupNorm<number, Places>(8, 2)))
)
const told = Carried.carry(at('film', ResidualBlock.channelFilm<Places>(4, 8)))
const up = compose(past(silu<Places>()), past(upsample2d<number>(2)))
const inner = compose(down, compose(told, up))
const body = level(encode, inner, Unet.joined<Places, Times>())
const out = Carried.release<Lens.Params, Images, Times, Images>(Erase.erase(at('out', conv2d<number, number>(12, 3))))

/** Two levels with one skip: `out([up(silu(norm(down(h)) + time)), h])` with `h = silu(in(x))`. */
export const unet: Denoiser.Denoiser<Lens.Params, 48, 1> = {
  features: 48,
  labels: 1,
  networkCalls: 1,
  lens: Erase.erase(compose(enter, compose(body, compose(out, leave))))
}

export const unetMapping: Foreign.Mapping = [
  ...Foreign.convolution('inc', 'in'),
  ...Foreign.convolution('down.conv', 'down'),
  ...Foreign.normalization('down.norm', 'norm'),
  // the other tool adds the time and does not scale by it
  ...Foreign.linear('temb', 'film.shift'),
  ...Foreign.fill('film.scale.*'),
  ...Foreign.convolution('outc', 'out')
]
