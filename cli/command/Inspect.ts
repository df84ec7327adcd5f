/**
 * `halforder inspect`: what is in a model's file, what is assumed of it, and what it does not say.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { plain } from 'halforder/document/Shown'
import type { Imported } from 'halforder/network/graph/Import'
import { template } from 'halforder/network/Record'
import type { Values } from 'halforder/tensor/Program'
import { show } from 'halforder/tensor/Shape'
import { size } from 'halforder/tensor/Tensor'
import { fail } from '../edge/Failure.js'
import { type Doubts, doubtsOf } from './file/Doubts.js'
import { type Found, open } from './ForeignModel.js'

/**
 * The command's options, as they are typed.
 *
 * @category model
 * @since 0.1.0
 */
export interface InspectOptions {
  readonly weightsKey?: string
  readonly part?: 'encoder' | 'decoder'
  readonly json?: boolean
}

const counted = (values: Values): string => {
  const numbers = Object.values(values).reduce((n, { shape }) => n + size(shape), 0)
  return `${Object.keys(values).length} tensors, ${numbers} numbers`
}

// a file may have thousands
const most = 40

const tensors = (values: Values): ReadonlyArray<string> => {
  const lines = Object.entries(values).map(([name, { shape }]) => `  ${plain(name)} ${show(shape)}`)
  return lines.length > most ? [...lines.slice(0, most), `  ... (${lines.length} in all)`] : lines
}

/** What inputs are taken for, by their kinds and shapes. */
const assumed = ({ inputs }: Imported): ReadonlyArray<string> =>
  inputs.flatMap(({ name, shape, kind }): ReadonlyArray<string> => {
    if (kind === 'int' && shape.length === 1) {
      return [/label|class|^y$/.test(name) ? `${name}: the label's row` : `${name}: the time, in whole steps`]
    }
    if (kind === 'float' && shape.length === 1) return [`${name}: the time, as a number`]
    return shape.length === 4 ? [`${name}: images, channels first`] : []
  })

const missing = (model: Imported, { said }: Doubts): ReadonlyArray<string> => [
  ...(model._tag === 'Forward'
    ? [
        `a pullback of ${model.without.map(({ op, node }) => `${op} (node ${plain(node)})`).join(', ')}: the model runs forward only`
      ]
    : []),
  ...(said
    ? []
    : [
        `what the output is (noise, data, velocity), at which end of the time the data are, and the range of the data: a record such as ${template(model)}`
      ])
]

/** Lines below a heading, where there are some. */
const section = (heading: string, all: ReadonlyArray<string>): ReadonlyArray<string> =>
  all.length === 0 ? [] : [`${heading}:`, ...all.map((line) => `  ${line}`)]

const lines = (path: string, found: Found, doubts: Doubts): ReadonlyArray<string> => {
  if (found._tag === 'Weights') {
    return [
      `${path}: weights (${found.format}), ${counted(found.weights)}`,
      ...tensors(found.weights),
      'missing: the network; give config.json beside them, or export the model to ONNX'
    ]
  }
  const { model } = found
  return [
    `${path}: a model (${found.format}), ${counted(model.values)} in parameters`,
    'inputs:',
    ...model.inputs.map(({ name, shape, kind }) => `  ${plain(name)} ${show(shape)} ${kind}`),
    'outputs:',
    ...model.outputs.map(({ name, shape }) => `  ${plain(name)} ${show(shape)}`),
    'parameters:',
    ...tensors(model.values),
    ...section('assumed', assumed(model)),
    ...section('missing', missing(model, doubts)),
    ...section('doubtful', doubts.doubted)
  ]
}

const object = (path: string, found: Found, doubts: Doubts): unknown => {
  const shapes = (values: Values): unknown =>
    Object.fromEntries(Object.entries(values).map(([name, { shape }]) => [name, shape]))
  return found._tag === 'Weights'
    ? { path, format: found.format, weights: shapes(found.weights) }
    : {
        path,
        format: found.format,
        differentiable: found.model._tag === 'Lens',
        inputs: found.model.inputs,
        outputs: found.model.outputs,
        parameters: shapes(found.model.values),
        assumed: assumed(found.model),
        missing: missing(found.model, doubts),
        doubtful: doubts.doubted
      }
}

/**
 * Runs the command and gives its exit code: 0, or 2 where the file is none that is read.
 *
 * @category effects
 * @since 0.1.0
 */
export const inspect = async (path: string, options: InspectOptions): Promise<number> => {
  const found = await pipe(
    open(path, options),
    TE.bindTo('found'),
    TE.bind('doubts', ({ found: one }) => doubtsOf(one))
  )()
  if (E.isLeft(found)) return fail('inspect')(found.left)
  const { found: one, doubts } = found.right
  const output = options.json === true ? JSON.stringify(object(path, one, doubts)) : lines(path, one, doubts).join('\n')
  process.stdout.write(`${output}\n`)
  return 0
}
