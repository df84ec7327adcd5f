import { describe, expect, test } from 'vitest'
import * as Run from '../../laws/run/Run.js'
import type { Attribute } from '../../src/format/Onnx.js'
import { known } from '../../src/network/graph/Import.js'
import type { Tensor } from '../../src/tensor/Tensor.js'
import { graph, imported, ints, node } from './graphs.js'

type Shape = ReadonlyArray<number | string>

interface Case {
  readonly op: string
  readonly shapes: ReadonlyArray<Shape>
  readonly attributes?: Readonly<Record<string, Attribute>>
  readonly constants?: ReadonlyArray<Tensor | undefined>
  readonly place?: (path: string, x: number) => number
  readonly opset?: number
  readonly outputs?: number
}

const positive = (_: string, x: number): number => 0.5 + Math.abs(x)
/** Away from the kinks at whole numbers, of which a half is none. */
const smooth = (_: string, x: number): number => Math.round(2 * x) / 2 + 0.23 + 0.01 * Math.tanh(x)
/** Numbers that are far from one another, so that the largest stays the largest, and that f32 has. */
const apart = (_: string, x: number): number => Math.round(x * 1024) / 256

const image: Shape = ['batch', 4, 6, 5]
const small: Shape = ['batch', 3]
const none = undefined

const unary = (op: string, place?: Case['place'], attributes: Case['attributes'] = {}): Case => ({
  op,
  shapes: [small],
  attributes,
  ...(place === undefined ? {} : { place })
})

const cases: ReadonlyArray<Case> = [
  ...['Neg', 'Exp', 'Tanh', 'Sigmoid', 'Erf', 'Sin', 'Cos', 'Softplus', 'Mish', 'Gelu', 'Identity', 'Dropout'].map(
    (op) => unary(op)
  ),
  unary('Gelu', none, { approximate: 'tanh' }),
  ...['Log', 'Sqrt', 'Reciprocal'].map((op) => unary(op, positive)),
  ...['Abs', 'Relu', 'LeakyRelu', 'Elu', 'Selu', 'HardSigmoid', 'HardSwish', 'Softsign', 'ThresholdedRelu', 'Clip'].map(
    (op) => unary(op, smooth)
  ),
  unary('Clip', smooth, { min: -0.5, max: 0.5 }),
  unary('Elu', smooth, { alpha: 2 }),
  ...['Add', 'Sub', 'Mul', 'Sum', 'Mean'].map(
    (op): Case => ({
      op,
      shapes: [
        ['batch', 2, 3],
        [2, 1]
      ]
    })
  ),
  { op: 'Div', shapes: [small, [3]], place: positive },
  { op: 'Pow', shapes: [small, [3]], place: positive },
  ...[2, 3, 0.5, -1].map(
    (p): Case => ({
      op: 'Pow',
      shapes: [small],
      constants: [none, { shape: [], data: Float64Array.of(p) }],
      place: positive
    })
  ),
  { op: 'PRelu', shapes: [small, [3]], place: smooth },
  ...['Max', 'Min'].map((op): Case => ({ op, shapes: [small, small, [3]], place: apart })),
  { op: 'Where', shapes: [small, [3]], constants: [ints([1, 0, 1])] },
  { op: 'Reshape', shapes: [['batch', 2, 6]], constants: [none, ints([0, 3, -1])] },
  { op: 'Reshape', shapes: [['batch', 2, 6]], constants: [none, ints([-1, 6])] },
  { op: 'Flatten', shapes: [image] },
  { op: 'Squeeze', shapes: [['batch', 1, 3]], constants: [none, ints([1])] },
  { op: 'Unsqueeze', shapes: [small], constants: [none, ints([1, -1])] },
  { op: 'Transpose', shapes: [image], attributes: { perm: [2, 0, 3, 1] } },
  { op: 'Expand', shapes: [['batch', 1, 3]], constants: [none, ints([1, 4, 3])] },
  {
    op: 'Concat',
    shapes: [
      ['batch', 2, 3],
      ['batch', 4, 3]
    ],
    attributes: { axis: 1 }
  },
  { op: 'Split', shapes: [['batch', 7]], attributes: { axis: 1 }, constants: [none, ints([3, 4])], outputs: 2 },
  { op: 'Slice', shapes: [image], constants: [none, ints([1, -1]), ints([4, -7]), ints([1, 2]), ints([2, -2])] },
  { op: 'Tile', shapes: [['batch', 2, 3]], constants: [none, ints([1, 2, 3])] },
  { op: 'Pad', shapes: [image], constants: [none, ints([0, 0, 1, -1, 0, 0, 2, 1])] },
  ...['reflect', 'edge', 'wrap'].map(
    (mode): Case => ({
      op: 'Pad',
      shapes: [image],
      attributes: { mode },
      constants: [none, ints([0, 0, 2, 1, 0, 0, 1, 3])]
    })
  ),
  {
    op: 'Pad',
    shapes: [image],
    constants: [none, ints([0, 0, 1, 0, 0, 0, 0, 2]), { shape: [], data: Float64Array.of(3) }]
  },
  { op: 'SpaceToDepth', shapes: [['batch', 2, 4, 6]], attributes: { blocksize: 2 } },
  ...['DCR', 'CRD'].map(
    (mode): Case => ({ op: 'DepthToSpace', shapes: [['batch', 8, 2, 3]], attributes: { blocksize: 2, mode } })
  ),
  { op: 'Gather', shapes: [['batch', 5, 2]], attributes: { axis: 1 }, constants: [none, ints([3, -1, 0, 3])] },
  ...['ReduceSum', 'ReduceMean', 'ReduceSumSquare', 'ReduceLogSumExp'].map(
    (op): Case => ({
      op,
      shapes: [image],
      constants: op === 'ReduceSum' ? [none, ints([1, -1])] : [],
      attributes: op === 'ReduceSum' ? {} : { axes: [0, 2], keepdims: 0 }
    })
  ),
  ...['ReduceL1', 'ReduceL2'].map((op): Case => ({ op, shapes: [small], attributes: { axes: [1] }, place: smooth })),
  ...['ReduceMax', 'ReduceMin'].map((op): Case => ({ op, shapes: [small], attributes: { axes: [1] }, place: apart })),
  ...['Softmax', 'LogSoftmax'].flatMap(
    (op): ReadonlyArray<Case> => [
      { op, shapes: [image], attributes: { axis: 1 } },
      { op, shapes: [['batch', 2, 3]], opset: 11 }
    ]
  ),
  {
    op: 'MatMul',
    shapes: [
      ['batch', 2, 3],
      [3, 4]
    ]
  },
  {
    op: 'MatMul',
    shapes: [
      ['batch', 2, 3],
      ['batch', 3, 4]
    ]
  },
  { op: 'MatMul', shapes: [[3], ['batch', 3, 4]] },
  { op: 'Gemm', shapes: [['batch', 3], [4, 3], [4]], attributes: { transB: 1, alpha: 2, beta: 0.5 } },
  {
    op: 'Gemm',
    shapes: [
      [3, 'batch'],
      [3, 4]
    ],
    attributes: { transA: 1 }
  },
  {
    op: 'Einsum',
    shapes: [
      ['batch', 2, 3],
      ['batch', 3, 4]
    ],
    attributes: { equation: 'bij,bjk->bik' }
  },
  { op: 'Einsum', shapes: [['batch', 3, 3]], attributes: { equation: '...ii->...i' } },
  {
    op: 'Einsum',
    shapes: [
      ['batch', 2],
      ['batch', 3]
    ],
    attributes: { equation: 'ij,ik->k' }
  },
  { op: 'LayerNormalization', shapes: [['batch', 2, 5], [5], [5]] },
  {
    op: 'LayerNormalization',
    shapes: [
      ['batch', 2, 5],
      [2, 5],
      [2, 5]
    ],
    attributes: { axis: 1 }
  },
  { op: 'GroupNormalization', shapes: [image, [2], [2]], attributes: { num_groups: 2 } },
  { op: 'GroupNormalization', shapes: [image, [4], [4]], attributes: { num_groups: 2 }, opset: 21 },
  { op: 'InstanceNormalization', shapes: [image, [4], [4]] },
  {
    op: 'BatchNormalization',
    shapes: [image, [4], [4]],
    constants: [none, none, none, ints([0, 1, 2, 3]), ints([1, 2, 3, 4])]
  },
  { op: 'Conv', shapes: [image, [3, 4, 3, 3], [3]], attributes: { pads: [1, 1, 1, 1] } },
  { op: 'Conv', shapes: [image, [3, 4, 3, 2]], attributes: { pads: [0, 1, 1, 0], strides: [2, 1] } },
  { op: 'Conv', shapes: [image, [6, 2, 2, 2], [6]], attributes: { group: 2, dilations: [2, 1], strides: [1, 2] } },
  {
    op: 'Conv',
    shapes: [
      ['batch', 2, 7],
      [3, 2, 3]
    ],
    attributes: { auto_pad: 'SAME_UPPER', strides: [2] }
  },
  {
    op: 'ConvTranspose',
    shapes: [['batch', 4, 3, 2], [4, 3, 3, 2], [3]],
    attributes: { strides: [2, 1], pads: [1, 0, 0, 1], output_padding: [1, 0] }
  },
  {
    op: 'ConvTranspose',
    shapes: [
      ['batch', 4, 3],
      [4, 3, 2]
    ],
    attributes: { group: 2, dilations: [2] }
  },
  {
    op: 'AveragePool',
    shapes: [image],
    attributes: { kernel_shape: [3, 2], strides: [2, 1], pads: [1, 0, 0, 1], ceil_mode: 1 }
  },
  {
    op: 'MaxPool',
    shapes: [['batch', 2, 4, 4]],
    attributes: { kernel_shape: [3, 2], strides: [2, 1], pads: [1, 0, 0, 1] },
    place: apart
  },
  { op: 'GlobalAveragePool', shapes: [image] },
  { op: 'GlobalMaxPool', shapes: [['batch', 2, 2, 2]], place: apart },
  ...['nearest', 'linear', 'cubic'].map(
    (mode): Case => ({
      op: 'Resize',
      shapes: [image],
      attributes: { mode },
      constants: [none, none, none, ints([2, 4, 9, 3])]
    })
  ),
  { op: 'Resize', shapes: [image], constants: [none, none, { shape: [4], data: Float64Array.of(1, 1, 2, 2) }] },
  { op: 'Upsample', shapes: [image], attributes: { scales: [1, 1, 3, 2] }, opset: 9 }
]

/** The batch of a resize by sizes is said, so that it is literal there. */
const shapesOf = ({ op, shapes, constants = [] }: Case): ReadonlyArray<Shape> =>
  op === 'Resize' && constants[3] !== undefined
    ? shapes.map((shape) => shape.map((d) => (d === 'batch' ? 2 : d)))
    : shapes

const modelOf = (one: Case) => {
  const shapes = [...shapesOf(one)]
  const given = one.constants ?? []
  const count = Math.max(given.length, shapes.length + given.filter((tensor) => tensor !== undefined).length)
  // inputs that are no constants take the shapes in turn; of those that are left out the names are empty
  const omitted = one.op === 'Resize' ? [1, 2].filter((at) => given[at] === undefined) : []
  const names = Array.from({ length: count }, (_, i) =>
    given[i] !== undefined ? `c${i}` : omitted.includes(i) ? '' : `x${i}`
  )
  const inputs = Object.fromEntries(
    names.flatMap((name) => (name.startsWith('x') ? [[name, shapes.shift() ?? []] as const] : []))
  )
  const constants = Object.fromEntries(
    given.flatMap((tensor, i) => (tensor === undefined ? [] : [[`c${i}`, tensor] as const]))
  )
  const outputs = Array.from({ length: one.outputs ?? 1 }, (_, i) => `y${i}`)
  return imported(
    graph([node(one.op, names, outputs, one.attributes)], inputs, { constants, outputs, opset: one.opset ?? 17 })
  )
}

describe('operators of graphs', () => {
  test.each(cases.map((one, i) => [`${one.op} ${i}`, one] as const))(
    '%s: the pullback is the transpose of the derivative',
    async (name, one) => {
      const model = modelOf(one)
      if (model._tag !== 'Lens') throw new Error('no pullback')
      await Run.lens(
        {
          name,
          lens: model.lens,
          argument: Object.fromEntries(model.inputs.map(({ name: input, shape }) => [input, shape])),
          sizes: { batch: 2 },
          ...(one.place === undefined ? {} : { place: one.place })
        },
        { numRuns: 2 }
      )
    }
  )

  /** Operators that no cotangent goes through: their values do not move, or are numbers of their own. */
  const still = [
    'And',
    'Cast',
    'Constant',
    'ConstantOfShape',
    'Equal',
    'Greater',
    'GreaterOrEqual',
    'Less',
    'LessOrEqual',
    'Not',
    'OneHot',
    'Or',
    'Range',
    'Shape',
    'Size',
    'Xor'
  ]

  test('every operator with a pullback is in the table', () => {
    expect([...new Set([...cases.map(({ op }) => op), ...still])].sort()).toEqual([...known])
  })
})
