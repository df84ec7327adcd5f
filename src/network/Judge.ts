/**
 * Graphs of other tools as rewards: a head that scores an image, or a classifier.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as t from 'io-ts'
import { decodeWith, type DocumentError, fault, finite, oneOf, wholeIn } from '../document/Document.js'
import * as L from '../lens/Lens.js'
import type { Lens, Params } from '../lens/Lens.js'
import { logSoftmax } from '../lens/layer/Loss.js'
import type { Rows } from '../lens/Rows.js'
import { conditional, type Differentiable, differentiable } from '../reward/Reward.js'
import * as X from '../tensor/Expr.js'
import type { Expr } from '../tensor/Expr.js'
import { type Shape, show } from '../tensor/Shape.js'
import { size } from '../tensor/Tensor.js'
import type { Exprs } from '../tensor/Tree.js'
import type { Imported } from './graph/Import.js'
import { toImages, toRows } from './Meaning.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

const ends = t.tuple([finite, finite], 'two numbers')

const Codec = t.partial(
  {
    layout: oneOf('rows', 'channels first', 'channels last'),
    x: t.string,
    output: t.string,
    class: t.union([wholeIn(0, 2 ** 24), t.literal('asked')], "a class, or 'asked'"),
    range: ends,
    of: ends,
    blackBox: t.boolean
  },
  'a record'
)

/**
 * What a judge's numbers mean.
 *
 * - `layout`: how images lie in its input. Default: `channels first` of images.
 * - `x`, `output`: names. Default: the first.
 * - `class`: of a classifier, whose logits are the output: the class whose log-probability is the reward, or `asked`, the label that a
 *   sample was asked for. Default: the output is one number, and that is it.
 * - `range`: of the pixels that it was trained on, and `of` that of the outputs that it judges. Default: they are the same.
 * - `blackBox`: is it one, though it has a gradient? Then another engine may run it. Default: no.
 *
 * @category model
 * @since 0.1.0
 */
export type Judging = t.TypeOf<typeof Codec>

/**
 * A graph as a reward: of the output alone, or of the label that was asked for too.
 *
 * @category model
 * @since 0.1.0
 */
export type Judge =
  | { readonly _tag: 'Free'; readonly reward: Differentiable<Params, readonly ['batch', number], Exprs> }
  | { readonly _tag: 'Prompted'; readonly reward: Differentiable<Params, readonly ['batch', number], Rows<number>> }

// -------------------------------------------------------------------------------------
// decoding
// -------------------------------------------------------------------------------------

/**
 * The record in a document. Left: a field that is unknown or not of its kind.
 *
 * @category decoding
 * @since 0.1.0
 */
export const decode = (document: unknown): E.Either<DocumentError, Judging> => decodeWith(Codec, document)

// -------------------------------------------------------------------------------------
// constructors
// -------------------------------------------------------------------------------------

const unsaid = (field: string, expected: string, got: string): DocumentError => ({
  ...fault(field, expected, undefined, `set \`${field}\` in the record of the judge`),
  got
})

/**
 * The numbers of rows in the range that the judge knows.
 *
 * @category utils
 * @since 0.1.0
 */
export const ranged = ({ range, of }: Judging): { readonly factor: number; readonly shift: number } => {
  const [[a, b], [c, d]] = [range ?? of ?? [0, 1], of ?? range ?? [0, 1]]
  const factor = (b - a) / (d - c)
  return { factor, shift: a - c * factor }
}

/**
 * What of a graph judges: its input and the shape of an image in it, its output, and how many numbers that has for each row.
 *
 * @category model
 * @since 0.1.0
 */
export interface Ports {
  readonly x: string
  readonly shape: ReadonlyArray<number>
  readonly output: string
  readonly outShape: Shape
  readonly numbers: number
}

/**
 * How many numbers a judge gives for each row, if that is what its record says. Left: `class` has to say something else.
 *
 * @category utils
 * @since 0.1.0
 */
export const numbersOf = ({ class: wanted }: Judging, numbers: number): E.Either<DocumentError, number> => {
  if (wanted === undefined && numbers > 1) {
    return E.left(unsaid('class', `a class of 0..${numbers - 1}, or 'asked'`, `${numbers} numbers for each row`))
  }
  return typeof wanted === 'number' && wanted >= numbers
    ? E.left(unsaid('class', `a class of 0..${numbers - 1}`, String(wanted)))
    : E.right(numbers)
}

/**
 * The ports of a graph by the record. Left: the field of the record that has to say something else.
 *
 * @category utils
 * @since 0.1.0
 */
export const portsOf = (
  model: Pick<Imported, 'inputs' | 'outputs'>,
  judging: Judging
): E.Either<DocumentError, Ports> => {
  const x = model.inputs.find(({ name, kind }) => (judging.x === undefined ? kind === 'float' : name === judging.x))
  const output = model.outputs.find(({ name }) => judging.output === undefined || name === judging.output)
  const names = (of: ReadonlyArray<{ readonly name: string }>): string => of.map(({ name }) => name).join(', ')
  if (x === undefined) return E.left(unsaid('x', 'an input of images', names(model.inputs)))
  if (output === undefined) return E.left(unsaid('output', 'an output', names(model.outputs)))
  const shape = x.shape.slice(1)
  if (model.inputs.length > 1) return E.left(unsaid('x', 'one input, the image', names(model.inputs)))
  if (x.shape[0] !== 'batch' || !shape.every((d) => typeof d === 'number')) {
    return E.left(unsaid('x', 'a batch of literal size in all other axes', show(x.shape)))
  }
  const [, ...rest] = output.shape
  if (output.shape[0] !== 'batch' || !rest.every((d) => typeof d === 'number')) {
    return E.left(unsaid('output', 'numbers for each row', show(output.shape)))
  }
  return E.map(
    (numbers: number): Ports => ({
      x: x.name,
      shape: shape.map(Number),
      output: output.name,
      outShape: output.shape,
      numbers
    })
  )(numbersOf(judging, size(rest.map(Number))))
}

/** The graph from rows to rows. */
const onRows = (
  graph: Extract<Imported, { readonly _tag: 'Lens' }>['lens'],
  { x, shape, output, outShape, numbers }: Ports,
  judging: Judging
): Lens<Params, Rows<number>, Rows<number>> => {
  const images = shape.length > 1 && judging.layout !== 'channels last' && judging.layout !== 'rows'
  const { factor, shift } = ranged(judging)
  return L.make<Params, Rows<number>, Rows<number>>(graph.parameters, (p, rows) => {
    const seen = factor === 1 && shift === 0 ? rows : X.add(X.scale(rows, factor), X.fill(rows.shape, shift))
    const given: Expr = images ? toImages(seen, shape) : X.reshape<Shape>(seen, ['batch', ...shape])
    const [out, back] = graph.run(p, { [x]: given })
    return [
      X.reshape(out[output] ?? X.zeros(outShape), ['batch', numbers]),
      (bar) => {
        const [pBar, aBar] = back({ [output]: X.reshape<Shape>(bar, outShape) })
        const xBar = aBar[x] ?? X.zeros(['batch', ...shape])
        return [pBar, X.scale(images ? toRows(xBar, shape) : X.reshape(xBar, rows.shape), factor)]
      }
    ]
  })
}

/** The weighted sum of the columns of rows; the weights are not differentiated. */
const weighed = (weights: Rows<number>): Lens<L.None, Rows<number>, Expr<readonly ['batch']>> =>
  L.pure((rows) => [
    X.reshape(X.sum<readonly ['batch', number], [1]>(X.mul(rows, weights), [1]), ['batch']),
    (bar) => X.mul(X.broadcastTo(X.reshape(bar, ['batch', 1]), rows.shape), weights)
  ])

/**
 * The reward of a graph on rows of outputs, in height, width, channel where they are images. Its parameters are fixed.
 *
 * Left: the field of the record that has to say something else; a graph that runs forward only.
 *
 * @category constructors
 * @since 0.1.0
 */
export const judge =
  (name: string, judging: Judging) =>
  (model: Imported): E.Either<DocumentError, Judge> =>
    model._tag === 'Forward'
      ? E.left(unsaid('model', 'operators with pullbacks', model.without.map(({ op }) => op).join(', ')))
      : pipe(
          portsOf(model, judging),
          E.map((ports): Judge => {
            const { numbers } = ports
            const lens = onRows(model.lens, ports, judging)
            const { class: wanted } = judging
            if (wanted === undefined) {
              const one = L.compose(lens, weighed(X.fill(['batch', 1], 1)))
              return { _tag: 'Free', reward: differentiable(name, one, model.values) }
            }
            const logs = L.compose(lens, logSoftmax(numbers))
            if (wanted === 'asked') {
              const asked = (c: Rows<number>): Lens<Params, Rows<number>, Expr<readonly ['batch']>> =>
                L.compose(logs, weighed(c))
              return { _tag: 'Prompted', reward: conditional(name, asked, lens.parameters, model.values) }
            }
            const column = X.constant(
              { shape: [numbers], data: Float64Array.from({ length: numbers }, (_, i) => (i === wanted ? 1 : 0)) },
              [numbers]
            )
            const one = L.compose(logs, weighed(X.broadcastTo(column, ['batch', numbers])))
            return { _tag: 'Free', reward: differentiable(name, one, model.values) }
          })
        )
