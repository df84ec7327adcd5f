/**
 * The works of the page as models of ONNX.
 */
import type { Tensor } from '../../src/tensor/Tensor.js'
import { draw } from '../Data.js'
import { x as left, y as right } from '../Elementwise.js'
import { batch, D, keep, noise, pull, T, values } from '../Rollout.js'
import { batch as images, layers, weights, x as pictures } from '../Unet.js'
import type { Model, Node } from './Onnx.js'

const scalar = (value: number): Tensor => ({ shape: [], data: Float32Array.of(value) })

/** `x sigmoid(x)`. */
const silu = (from: string, to: string): ReadonlyArray<Node> => [
  { does: 'Sigmoid', from: [from], to: [`${to}.s`] },
  { does: 'Mul', from: [from, `${to}.s`], to: [to] }
]

const matmul = (n: number): Model => ({
  nodes: [{ does: 'MatMul', from: ['a', 'b'], to: ['c'] }],
  inputs: { a: draw('a', [n, n]), b: draw('b', [n, n]) },
  known: {},
  output: ['c', [n, n]]
})

const elementwise: Model = {
  nodes: [
    ...silu('x', 'u'),
    { does: 'Mul', from: ['u', 'y'], to: ['v'] },
    { does: 'Mul', from: ['y', 'half'], to: ['w'] },
    { does: 'Add', from: ['v', 'w'], to: ['z'] }
  ],
  inputs: { x: left, y: right },
  known: { half: scalar(0.5) },
  output: ['z', left.shape]
}

const layer = (from: string, k: number, to: string): ReadonlyArray<Node> => [
  { does: 'MatMul', from: [from, `w${k}`], to: [`${to}.m`] },
  { does: 'Add', from: [`${to}.m`, `b${k}`], to: [to] }
]

const rollout = (): Model => {
  const { x, eps, ...known } = values
  const step = (t: number): ReadonlyArray<Node> => [
    ...layer(`x${t}`, 1, `h${t}`),
    ...silu(`h${t}`, `i${t}`),
    ...layer(`i${t}`, 2, `j${t}`),
    ...silu(`j${t}`, `k${t}`),
    ...layer(`k${t}`, 3, `p${t}`),
    { does: 'Mul', from: [`x${t}`, 'keep'], to: [`a${t}`] },
    { does: 'Mul', from: [`p${t}`, 'pull'], to: [`c${t}`] },
    { does: 'Mul', from: [`e${t}`, 'noise'], to: [`d${t}`] },
    { does: 'Add', from: [`a${t}`, `c${t}`], to: [`f${t}`] },
    { does: 'Add', from: [`f${t}`, `d${t}`], to: [`x${t + 1}`] }
  ]
  const steps = Array.from({ length: T }, (_, t) => t)
  return {
    nodes: steps.flatMap(step),
    inputs: {
      x0: x,
      ...Object.fromEntries(
        steps.map((t) => [`e${t}`, { shape: [batch, D], data: eps.data.subarray(t * batch * D, (t + 1) * batch * D) }])
      )
    },
    known: { ...known, keep: scalar(keep), pull: scalar(pull), noise: scalar(noise) },
    output: [`x${T}`, [batch, D]]
  }
}

/** Channels first, as ONNX has them. */
const turned = ({ shape: [h = 1, w = 1, i = 1, o = 1], data }: Tensor): Tensor => ({
  shape: [o, i, h, w],
  data: Float32Array.from({ length: data.length }, (_, at) => {
    const place = at % (h * w)
    const channel = Math.floor(at / (h * w))
    return data[(place * i + (channel % i)) * o + Math.floor(channel / i)] ?? 0
  })
})

const unet = (): Model => {
  const nodes: Array<Node> = [{ does: 'Transpose', from: ['x'], to: ['in'], numbers: { perm: [0, 3, 1, 2] } }]
  const conv = (v: string, k: number): string => {
    const numbers = { kernel_shape: [3, 3], pads: [1, 1, 1, 1] }
    nodes.push({ does: 'Conv', from: [v, `w${k}`, `b${k}`], to: [`y${k}`], numbers })
    return `y${k}`
  }
  const blockOf = (v: string, k: number): string => {
    nodes.push(...silu(conv(v, k), `z${k}`))
    return `z${k}`
  }
  const pool = (v: string): string => {
    const numbers = { kernel_shape: [2, 2], strides: [2, 2] }
    nodes.push({ does: 'AveragePool', from: [v], to: [`${v}.p`], numbers })
    return `${v}.p`
  }
  const grow = (v: string): string => {
    const words = { mode: 'nearest', coordinate_transformation_mode: 'asymmetric', nearest_mode: 'floor' }
    nodes.push({ does: 'Resize', from: [v, '', 'twice'], to: [`${v}.g`], words })
    return `${v}.g`
  }
  const join = (a: string, b: string): string => {
    nodes.push({ does: 'Concat', from: [a, b], to: [`${a}.j`], numbers: { axis: 1 } })
    return `${a}.j`
  }
  const high = blockOf(blockOf('in', 0), 1)
  const middle = blockOf(blockOf(pool(high), 2), 3)
  const low = blockOf(blockOf(pool(middle), 4), 5)
  const back = blockOf(blockOf(join(grow(low), middle), 6), 7)
  const end = conv(blockOf(join(grow(back), high), 8), layers.length - 1)
  nodes.push({ does: 'Transpose', from: [end], to: ['y'], numbers: { perm: [0, 2, 3, 1] } })
  return {
    nodes,
    inputs: { x: pictures },
    known: {
      twice: { shape: [4], data: Float32Array.of(1, 1, 2, 2) },
      ...Object.fromEntries(weights.flatMap(({ w, b }, k) => [[`w${k}`, turned(w)] as const, [`b${k}`, b] as const]))
    },
    output: ['y', [images, 16, 16, 3]]
  }
}

/** The models by the names of the works. */
export const models: Readonly<Record<string, () => Model>> = {
  ...Object.fromEntries([16, 256, 512, 1024].map((n) => [`matmul-${n}`, () => matmul(n)])),
  'elementwise-1m': () => elementwise,
  'mlp-rollout': rollout,
  'unet-forward': unet
}
