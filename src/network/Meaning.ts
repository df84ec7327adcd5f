/**
 * What the numbers of a model from elsewhere mean, said once: which input is the time and how it counts, what the output is, how
 * images lie, and which row a label is. Everything else follows: `denoiserOf` makes of the model a denoiser for any chain.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import type { Denoiser, DenoiserInput } from '../chain/Denoiser.js'
import * as Prediction from '../chain/Prediction.js'
import type { Schedule } from '../chain/Schedule.js'
import { flow as flowShares } from '../chain/Share.js'
import { type DocumentError, fault } from '../document/Document.js'
import * as L from '../lens/Lens.js'
import type { Lens, Params } from '../lens/Lens.js'
import type { Rows } from '../lens/Rows.js'
import * as X from '../tensor/Expr.js'
import type { Expr } from '../tensor/Expr.js'
import * as I from '../tensor/Indexing.js'
import { type Shape, show } from '../tensor/Shape.js'
import { size, tabulate } from '../tensor/Tensor.js'
import type { Imported, Named } from './graph/Import.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * What a model's numbers mean.
 *
 * - `alphaBar`: the share of data at each step that the model was trained at, from the least noise to the most; the model is told
 *   the step, counted from 0.
 * - `flow`: instead of that, straight paths `(1 - s) data + s noise`: what the model is told at the `data` and at the `noise`, 0 and 1000, say.
 * - `prediction`: what the output is: the noise (`epsilon`), the data (`clean`), `sqrt(alphaBar) noise - sqrt(1 - alphaBar) data`
 *   (`velocity`), or what a straight path gains as the told time grows, `noise - data` or, where it grows to the data, the negative
 *   (`flow`).
 * - `layout`: how a row of numbers lies in the model's input: as it is (`rows`), or as images with `channels first` or `channels last`.
 *   Rows here are height, width, channel.
 * - `x`, `time`, `label`, `output`: names of inputs and of the output. Default: the first of their kind.
 * - `labels`: how many labels there are, counted from 0, and `nullLabel`, that of none. Default: no labels.
 * - `guided`: on straight paths, the told times between which guidance is applied, without the ends. Default: always.
 * - `range`: of the data, where they are shown. Default: from -1 to 1.
 *
 * @category model
 * @since 0.1.0
 */
export interface Meaning {
  readonly alphaBar?: ReadonlyArray<number>
  readonly flow?: { readonly data: number; readonly noise: number }
  readonly prediction: 'epsilon' | 'clean' | 'velocity' | 'flow'
  readonly layout: 'rows' | 'channels first' | 'channels last'
  readonly x?: string
  readonly time?: string
  readonly label?: string
  readonly output?: string
  readonly labels?: number
  readonly nullLabel?: number
  readonly guided?: readonly [after: number, before: number]
  readonly range?: readonly [least: number, most: number]
}

/** What a meaning comes to for one model. */
interface Roles {
  readonly x: string
  readonly time: string
  readonly label: string | undefined
  readonly output: string
  readonly shape: ReadonlyArray<number>
  readonly others: ReadonlyArray<string>
}

// -------------------------------------------------------------------------------------
// times
// -------------------------------------------------------------------------------------

/**
 * How many steps a time of 1 is: a power of two, so that a step divided by it and multiplied again is the step.
 *
 * @category utils
 * @since 0.1.0
 */
export const unitOf = ({ alphaBar = [] }: Pick<Meaning, 'alphaBar'>): number =>
  2 ** Math.ceil(Math.log2(Math.max(alphaBar.length, 2)))

/**
 * The schedule of a chain that visits some of a model's steps, from the least noise to the most. `last` is the share of data behind
 * the last step of the chain. Default: 1.
 *
 * @category constructors
 * @since 0.1.0
 */
export const schedule = (
  meaning: Pick<Meaning, 'alphaBar'>,
  steps: ReadonlyArray<number> = [...(meaning.alphaBar ?? []).keys()],
  last = 1
): Schedule => ({
  T: steps.length,
  alphaBar: [last, ...steps.map((step) => meaning.alphaBar?.[step] ?? 0)],
  time: [0, ...steps.map((step) => step / unitOf(meaning))]
})

// -------------------------------------------------------------------------------------
// roles
// -------------------------------------------------------------------------------------

type Input = Imported['inputs'][number]

/** What has to be said, in the words of the record. */
const unsaid = (field: string, expected: string, got: string): DocumentError => ({
  ...fault(field, expected, undefined, `set \`${field}\` in the record of what the model's numbers mean`),
  got
})

const listed = (inputs: ReadonlyArray<Input>): string =>
  inputs.map(({ name, shape, kind }) => `${name} ${show(shape)} ${kind}`).join(', ') || 'none'

const isColumn = ({ shape }: Input): boolean => shape.length === 1 || (shape.length === 2 && shape[1] === 1)

/** The input of a name, or the first that fits. */
const role = (
  field: 'x' | 'time' | 'label',
  inputs: ReadonlyArray<Input>,
  name: string | undefined,
  fits: (input: Input) => boolean
): E.Either<DocumentError, Input> => {
  const found = inputs.find((input) => (name === undefined ? fits(input) : input.name === name))
  return found === undefined
    ? E.left(unsaid(field, name === undefined ? 'an input that is it' : `an input called ${name}`, listed(inputs)))
    : E.right(found)
}

const rolesOf = ({ inputs, outputs }: Imported, meaning: Meaning): E.Either<DocumentError, Roles> => {
  const x = role('x', inputs, meaning.x, (input) => !isColumn(input) && input.kind === 'float')
  if (E.isLeft(x)) return x
  const time = role('time', inputs, meaning.time, (input) => isColumn(input) && !/label|class/.test(input.name))
  if (E.isLeft(time)) return time
  const rest = inputs.filter((input) => input !== x.right && input !== time.right)
  const told = meaning.labels === undefined ? undefined : role('label', rest, meaning.label, isColumn)
  if (told !== undefined && E.isLeft(told)) return told
  const label = told?.right.name
  const others = rest.filter(({ name }) => name !== label)
  if (others.length > 0)
    return E.left(unsaid('labels', 'inputs that are the state, the time or the label', listed(others)))
  const shape = x.right.shape.slice(1)
  if (x.right.shape[0] !== 'batch' || !shape.every((d) => typeof d === 'number')) {
    return E.left(unsaid('x', 'a batch of literal size in all other axes', show(x.right.shape)))
  }
  const rows = meaning.layout === 'rows'
  if (rows ? shape.length !== 1 : shape.length < 2) {
    return E.left(unsaid('layout', rows ? "'channels first' for images" : "'rows' for rows", show(x.right.shape)))
  }
  // three colors or one, behind or before a square that is larger
  const [first = 0, second = 0, third = 0] = shape.map(Number)
  const few = (n: number): boolean => n === 1 || n === 3
  const behind = few(third) && first === second && first > third
  const before = few(first) && second === third && second > first
  if (shape.length === 3 && (meaning.layout === 'channels first' ? behind : before && !rows)) {
    return E.left(unsaid('layout', behind ? "'channels last'" : "'channels first'", show(x.right.shape)))
  }
  const span = Math.abs((meaning.flow?.noise ?? 0) - (meaning.flow?.data ?? 0))
  if (meaning.flow !== undefined && time.right.kind === 'int' && span <= 1) {
    return E.left(
      unsaid(
        'flow',
        `times in whole steps for ${time.right.name}, such as { data: 0, noise: 1000 }`,
        `a span of ${span}`
      )
    )
  }
  const output = outputs.find(({ name }) => meaning.output === undefined || name === meaning.output)
  const same = output !== undefined && output.shape.length === x.right.shape.length
  if (!same)
    return E.left(unsaid('output', `an output as ${show(x.right.shape)}`, outputs.map(({ name }) => name).join(', ')))
  const literal = shape.map(Number)
  return E.right({ x: x.right.name, time: time.right.name, label, output: output.name, shape: literal, others: [] })
}

// -------------------------------------------------------------------------------------
// denoisers
// -------------------------------------------------------------------------------------

/** The axes of rows as images with channels last, and their order with channels first. */
const laid = (shape: ReadonlyArray<number>): { readonly apart: Shape; readonly order: ReadonlyArray<number> } => ({
  apart: ['batch', ...shape.slice(1), shape[0] ?? 1],
  order: [0, shape.length, ...shape.slice(1).map((_, i) => i + 1)]
})

const inverse = (order: ReadonlyArray<number>): ReadonlyArray<number> => order.map((_, i) => order.indexOf(i))

const permuted = (a: Expr, order: ReadonlyArray<number>): Expr => X.permute<Shape, ReadonlyArray<number>>(a, order)

/**
 * Rows of height, width, channel as images with channels first, of the shape `[channels, height, width]`.
 *
 * @category utils
 * @since 0.1.0
 */
export const toImages = (rows: Expr, shape: ReadonlyArray<number>): Expr => {
  const { apart, order } = laid(shape)
  return permuted(X.reshape<Shape>(rows, apart), order)
}

/**
 * The inverse of `toImages`.
 *
 * @category utils
 * @since 0.1.0
 */
export const toRows = (images: Expr, shape: ReadonlyArray<number>): Rows<number> => {
  const { order } = laid(shape)
  return X.reshape(permuted(images, inverse(order)), ['batch', size(shape)])
}

/** The numbers of a table at whole steps, one a row. */
const looked = (values: ReadonlyArray<number>, steps: Rows<1>): Rows<1> => {
  const table = X.constant(
    tabulate([values.length, 1], (i) => values[i] ?? 0),
    [values.length, 1]
  )
  return X.retype(I.gather<Shape, number, 'batch'>(table, 0, X.reshape(steps, ['batch'])), ['batch', 1])
}

/** The row of each label: labels come with a 1 at their place, or as zeros for none. */
const rowOf = (c: Rows<number>, labels: number, none: number | undefined): Expr => {
  const places = X.constant(
    tabulate([labels], (i) => i - (none ?? 0)),
    [labels]
  )
  const sum = X.sum<Shape, readonly [1]>(X.mul<Shape, Shape>(c, X.broadcastTo(places, c.shape)), [1])
  return X.add<Shape, readonly []>(sum, X.scalar(none ?? 0))
}

/** The network on rows, told the step. */
const onRows = (
  lens: Lens<Params, Named, Named>,
  model: Imported,
  { x: state, time, label, output, shape }: Roles,
  meaning: Meaning
): Lens<Params, DenoiserInput<number, number>, Rows<number>> => {
  const { layout, labels = 1, nullLabel } = meaning
  const images = layout === 'channels first'
  const timeShape = model.inputs.find(({ name }) => name === time)?.shape ?? ['batch']
  const outShape = model.outputs.find(({ name }) => name === output)?.shape ?? []
  const [channels = 1] = shape
  const wide = images && typeof outShape[1] === 'number' && outShape[1] > channels
  const told = toldOf(meaning)
  return L.make<Params, DenoiserInput<number, number>, Rows<number>>(lens.parameters, (p, input) => {
    const labelled = label === undefined ? {} : { [label]: rowOf(input.c, labels, nullLabel) }
    const [out, back] = lens.run(p, {
      [state]: images ? toImages(input.x, shape) : X.reshape<Shape>(input.x, ['batch', ...shape]),
      [time]: X.reshape<Shape>(told(input.time), timeShape),
      ...labelled
    })
    const value = out[output] ?? X.zeros(outShape)
    // what a network says of the variance stands behind, and is left out
    const mean = wide ? X.slice<Shape, number, number>(value, 1, 0, channels) : value
    return [
      images ? toRows(mean, shape) : X.reshape(mean, ['batch', size(shape)]),
      (bar) => {
        const inside = images ? toImages(bar, shape) : X.reshape<Shape>(bar, ['batch', ...shape])
        const whole = wide ? X.pad<Shape, number, number>(inside, 1, 0, Number(outShape[1])) : inside
        const [pBar, aBar] = back({ [output]: whole })
        const xBar = aBar[state] ?? X.zeros(input.x.shape)
        return [
          pBar,
          {
            x: images ? toRows(xBar, shape) : X.reshape(xBar, input.x.shape),
            time: X.zeros(input.time.shape),
            c: X.zeros(input.c.shape)
          }
        ]
      }
    ]
  })
}

/** What a model is told at a time in [0, 1]. */
const toldOf =
  (meaning: Meaning) =>
  (time: Rows<1>): Rows<1> => {
    const { flow } = meaning
    if (flow === undefined) return X.scale(time, unitOf(meaning))
    return X.add(X.scale(time, flow.noise - flow.data), X.fill(time.shape, flow.data))
  }

/** What cannot be meant together. */
const contradiction = ({ alphaBar, flow, prediction, guided }: Meaning): DocumentError | undefined => {
  if (flow === undefined) {
    if (alphaBar === undefined) return unsaid('alphaBar', 'the shares of data at its steps, or `flow`', 'neither')
    const falling = alphaBar.every((a, i) => a > 0 && a <= 1 && (i === 0 || a < (alphaBar[i - 1] ?? 1)))
    if (!falling || alphaBar.length === 0) {
      return unsaid('alphaBar', 'shares of data in (0, 1] that fall from step to step', `${alphaBar.length} others`)
    }
    if (prediction === 'flow') return unsaid('flow', 'straight paths, since the prediction is theirs', 'none')
    return guided === undefined ? undefined : unsaid('guided', 'straight paths beside it', 'none')
  }
  if (alphaBar !== undefined) return unsaid('flow', 'straight paths, or `alphaBar`', 'both')
  if (flow.data === flow.noise) {
    return unsaid('flow', 'two times, of the data and of the noise', `${flow.data} for both`)
  }
  return prediction === 'flow' || prediction === 'clean'
    ? undefined
    : unsaid('prediction', "'flow' or 'clean', on straight paths", `'${prediction}'`)
}

/**
 * A model's network as it is, on rows: told times in [0, 1], it predicts what the record says, of the state in the scale that it was
 * trained in. On straight paths a velocity is `noise - data`.
 *
 * Left: the field of the record that has to say something else; a model that runs forward only.
 *
 * @category constructors
 * @since 0.1.0
 */
export const networkOf = (
  model: Imported,
  meaning: Meaning
): E.Either<DocumentError, Denoiser<Params, number, number>> => {
  if (model._tag === 'Forward') {
    const [first] = model.without
    return E.left(unsaid('model', 'operators with pullbacks', `${first?.op} in node ${first?.node}, which has none`))
  }
  const wrong = contradiction(meaning)
  if (wrong !== undefined) return E.left(wrong)
  const { flow } = meaning
  const backwards = meaning.prediction === 'flow' && flow !== undefined && flow.data > flow.noise
  return E.map((roles: Roles): Denoiser<Params, number, number> => {
    const lens = onRows(model.lens, model, roles, meaning)
    return {
      features: size(roles.shape),
      labels: meaning.labels ?? 1,
      networkCalls: 1,
      lens: backwards
        ? L.compose(
            lens,
            L.pure((v: Rows<number>) => [X.neg(v), (bar) => X.neg(bar)])
          )
        : lens
    }
  })(rolesOf(model, meaning))
}

/** The state of a straight path, of a state of unit variance. */
const inPath = (
  lens: Lens<Params, DenoiserInput<number, number>, Rows<number>>
): Lens<Params, DenoiserInput<number, number>, Rows<number>> =>
  L.make(lens.parameters, (p, input) => {
    const { data, noise } = flowShares(input.time)
    const scale = X.broadcastTo(X.add(X.sqrt(data), X.sqrt(noise)), input.x.shape)
    const [value, back] = lens.run(p, { ...input, x: X.div(input.x, scale) })
    return [
      value,
      (bar) => {
        const [pBar, inner] = back(bar)
        return [pBar, { ...inner, x: X.div(inner.x, scale) }]
      }
    ]
  })

/**
 * The denoiser of a model: the noise in rows of numbers. Chains on it have a schedule of `schedule(meaning)`, or, on straight paths, the
 * times of the shares that are called `flow`.
 *
 * Left: as for `networkOf`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const denoiserOf = (
  model: Imported,
  meaning: Meaning
): E.Either<DocumentError, Denoiser<Params, number, number>> =>
  E.map((network: Denoiser<Params, number, number>): Denoiser<Params, number, number> => {
    const { prediction, flow } = meaning
    if (prediction === 'epsilon') return network
    if (flow !== undefined) {
      const lens = prediction === 'clean' ? inPath(network.lens) : network.lens
      return Prediction.epsilon(flowShares)({ ...network, lens, kind: prediction })
    }
    const unit = unitOf(meaning)
    const shares: Prediction.Shares = (time) => {
      const data = looked(meaning.alphaBar ?? [], X.scale(time, unit))
      return { data, noise: X.sub(X.fill(data.shape, 1), data) }
    }
    return Prediction.epsilon(shares)({ ...network, kind: prediction })
  })(networkOf(model, meaning))
