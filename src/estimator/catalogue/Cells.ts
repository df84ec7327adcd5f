/**
 * The cells of one cover, written out.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as RA from 'fp-ts/lib/ReadonlyArray.js'
import * as t from 'io-ts'
import { decodeWith, type DocumentError, fault, isRecord, whole } from '../../document/Document.js'
import * as C from '../Cover.js'
import type { Form, Memory, Perturbation, Siblings as Family } from '../Cover.js'
import * as Est from '../Estimator.js'
import { below, cellValue, looking, memory, perturbing, type ValueOption, weights } from './Fields.js'
import { define, type Field, type Row } from './Row.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * One cell as a document has it.
 *
 * @category model
 * @since 0.1.0
 */
export type CellDescription =
  | ({ readonly kind: 'firstOrder'; readonly to: number } & Segment)
  | ({
      readonly kind: 'halfOrder'
      readonly from: number
      readonly to: number
      readonly baseline?: ValueOption
      readonly control?: ValueOption
      readonly siblings?: Family
    } & Segment)
  | {
      readonly kind: 'zerothOrder'
      readonly steps: ReadonlyArray<number>
      readonly form?: Form
      readonly perturbation?: Perturbation
      readonly radius?: number
    }

interface Segment {
  readonly memory?: Memory
  readonly shares?: ReadonlyArray<number>
}

/**
 * Its options by name.
 *
 * @category model
 * @since 0.1.0
 */
export interface Options {
  readonly cells: ReadonlyArray<CellDescription>
}

// -------------------------------------------------------------------------------------
// decoding
// -------------------------------------------------------------------------------------

/** A group of fields, some of which may be left out. Its parts look at one value: the first that fails tells the path. */
const group = <R extends t.Props, O extends t.Props>(
  required: R,
  optional: O
): t.Type<t.TypeOf<t.TypeC<R>> & t.TypeOf<t.PartialC<O>>, unknown, unknown> & { readonly props: R & O } => {
  const codec = t.intersection([t.type(required), t.partial(optional)], 'a group of fields')
  return Object.assign(
    new t.Type<t.TypeOf<t.TypeC<R>> & t.TypeOf<t.PartialC<O>>, unknown, unknown>(
      'a group of fields',
      codec.is,
      (u, context) => {
        const first = t.type(required).validate(u, context)
        if (E.isLeft(first)) return first
        const second = t.partial(optional).validate(u, context)
        return E.isLeft(second) ? second : codec.is(u) ? t.success(u) : t.failure(u, context)
      },
      t.identity
    ),
    { props: { ...required, ...optional } }
  )
}

const segment = { memory, shares: weights }
const FirstOrder = /*#__PURE__*/ group({ kind: /*#__PURE__*/ t.literal('firstOrder'), to: whole }, segment)
const Siblings = /*#__PURE__*/ group({ count: whole }, { at: whole, below })
const HalfOrder = /*#__PURE__*/ group(
  { kind: /*#__PURE__*/ t.literal('halfOrder'), from: whole, to: whole },
  { ...segment, baseline: t.unknown, control: t.unknown, siblings: t.unknown }
)
const ZerothOrder = /*#__PURE__*/ group(
  { kind: /*#__PURE__*/ t.literal('zerothOrder'), steps: /*#__PURE__*/ t.readonlyArray(whole, 'a list of steps') },
  perturbing
)

/** Fields that were left out are left out again, and are not undefined. */
const given = <A extends object>(fields: A): { [K in keyof A]: Exclude<A[K], undefined> } =>
  // what is undefined has been dropped, which the type of entries does not tell
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [K in keyof A]: Exclude<A[K], undefined>
  }

const decodeCell = (cell: unknown, path: string): E.Either<DocumentError, CellDescription> => {
  const kind = isRecord(cell) ? cell['kind'] : undefined
  switch (kind) {
    case 'firstOrder':
      return pipe(decodeWith(FirstOrder, cell, path), E.map(given))
    case 'halfOrder':
      return pipe(
        decodeWith(HalfOrder, cell, path),
        E.bindTo('rest'),
        E.bindW('baseline', ({ rest }) => cellValue.decode(rest.baseline ?? 'none', `${path}.baseline`)),
        E.bindW('control', ({ rest }) => cellValue.decode(rest.control ?? 'none', `${path}.control`)),
        E.bindW('siblings', ({ rest }) =>
          rest.siblings === undefined
            ? E.right(undefined)
            : pipe(decodeWith(Siblings, rest.siblings, `${path}.siblings`), E.map(given))
        ),
        E.map(({ rest, baseline, control, siblings }) => given({ ...rest, baseline, control, siblings }))
      )
    case 'zerothOrder':
      return pipe(decodeWith(ZerothOrder, cell, path), E.map(given))
    default:
      return E.left(fault(`${path}.kind`, 'one of firstOrder, halfOrder, zerothOrder', kind, 'choose one of them'))
  }
}

const list = /*#__PURE__*/ t.readonlyArray(t.unknown, 'a list of cells')

const cells: Field<ReadonlyArray<CellDescription>> = {
  prose: 'the cells of one cover, such as {"kind": "halfOrder", "from": 2, "to": 3}',
  decode: (document, path) =>
    pipe(
      decodeWith(list, document, path),
      E.flatMap(RA.traverseWithIndex(E.Applicative)((i, cell) => decodeCell(cell, `${path}[${i}]`)))
    )
}

const cellOf = (description: CellDescription): C.Cell => {
  switch (description.kind) {
    case 'firstOrder': {
      const { kind: _, to, ...options } = description
      return C.firstOrder(to, options)
    }
    case 'halfOrder': {
      const { kind: _, from, to, baseline = 'none', control = 'none', ...options } = description
      return C.halfOrder(from, to, { ...options, ...looking({ clean: false }, { baseline, control }) })
    }
    case 'zerothOrder': {
      const { kind: _, steps, ...options } = description
      return C.zerothOrder(steps, options)
    }
  }
}

// -------------------------------------------------------------------------------------
// row
// -------------------------------------------------------------------------------------

/**
 * `cells` by name; the name may be left out of a document that has some.
 *
 * @category row
 * @since 0.1.0
 */
export const row: Row<'cells', Options> = /*#__PURE__*/ define({
  name: 'cells',
  prose: 'the cells that are written out, on the steps that they name',
  cover: 'as written',
  unbiasedFor: { bias: 'minus the terms of the steps, if any, that no cell pays for' },
  options: { cells },
  defaults: {},
  make: ({ T }, { cells: descriptions }) =>
    pipe(
      C.cover(T, descriptions.map(cellOf)),
      E.map((cover) => Est.always(C.show(cover), cover))
    ),
  compared: () => [],
  verified: () => []
})
