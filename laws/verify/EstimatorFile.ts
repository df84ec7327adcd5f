/**
 * Descriptions of estimators as JSON documents: the cells of one cover, or a name of the catalogue with its options.
 *
 *     { "cells": [ { "kind": "firstOrder", "to": 1 }, { "kind": "halfOrder", "from": 2, "to": 3 },
 *                  { "kind": "zerothOrder", "steps": [4, 5], "form": "onePoint", "perturbation": "perStep", "radius": 0.05 } ],
 *       "baseline": -4 }
 *     { "name": "rlr", "h": 2, "start": "uniform" }
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { flow, pipe } from 'fp-ts/lib/function.js'
import * as RA from 'fp-ts/lib/ReadonlyArray.js'
import * as t from 'io-ts'
import * as Catalogue from '../../src/estimator/Catalogue.js'
import type { CoverError } from '../../src/estimator/Cover.js'
import * as C from '../../src/estimator/Cover.js'
import type { Estimator } from '../../src/estimator/Estimator.js'
import * as Est from '../../src/estimator/Estimator.js'
import * as Start from '../../src/estimator/Start.js'
import {
  decodeWith,
  fault,
  finite,
  isRecord,
  numberThat,
  positive,
  whole,
  type DocumentError
} from '../../src/document/Document.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * A described estimator: one for each length of chain, where there is one, and the baseline of its likelihood-ratio terms.
 *
 * @category model
 * @since 0.1.0
 */
export interface EstimatorDescription {
  readonly at: (T: number) => E.Either<CoverError, Estimator>
  readonly baseline: number
}

// -------------------------------------------------------------------------------------
// codecs
// -------------------------------------------------------------------------------------

const words = <A extends string>(...names: readonly [A, ...ReadonlyArray<A>]): t.Type<A, A, unknown> =>
  new t.Type<A, A, unknown>(
    `one of ${names.join(', ')}`,
    (u): u is A => names.some((name) => name === u),
    (u, context) => {
      const found = names.find((name) => name === u)
      return found === undefined ? t.failure(u, context) : t.success(found)
    },
    t.identity
  )

const steps = /*#__PURE__*/ t.readonlyArray(whole, 'a list of steps')
const weights = /*#__PURE__*/ t.readonlyArray(
  /*#__PURE__*/ numberThat('a number of at least 0', (n) => n >= 0 && Number.isFinite(n)),
  'a list of weights'
)

const segment = { memory: /*#__PURE__*/ words('store', 'recompute'), shares: weights }
const zeroth = {
  form: /*#__PURE__*/ words('onePoint', 'forward', 'central'),
  perturbation: /*#__PURE__*/ words('perStep', 'shared'),
  radius: positive
}

/** A group of fields, some of which may be left out. */
const group = <R extends t.Props, O extends t.Props>(
  required: R,
  optional: O
): t.Type<t.TypeOf<t.TypeC<R>> & t.TypeOf<t.PartialC<O>>, unknown, unknown> & { readonly props: R & O } => {
  const codec = t.intersection([t.type(required), t.partial(optional)], 'a group of fields')
  return Object.assign(
    new t.Type<t.TypeOf<t.TypeC<R>> & t.TypeOf<t.PartialC<O>>, unknown, unknown>(
      'a group of fields',
      codec.is,
      // both parts look at one value, so the first that fails tells the path
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

const kind = { kind: t.string }
const FirstOrder = /*#__PURE__*/ group({ ...kind, to: whole }, segment)
const HalfOrder = /*#__PURE__*/ group({ ...kind, from: whole, to: whole }, segment)
const ZerothOrder = /*#__PURE__*/ group({ ...kind, steps }, zeroth)
const Cells = /*#__PURE__*/ group(
  { cells: /*#__PURE__*/ t.readonlyArray(t.unknown, 'a list of cells') },
  { baseline: finite }
)

const start = { start: t.unknown }
const named = { name: t.string }
const common = { baseline: finite }
const Rlr = /*#__PURE__*/ group(named, { ...common, h: whole, ...start, ...zeroth })
const BlackBoxRlr = /*#__PURE__*/ group(named, {
  ...common,
  h: whole,
  lowest: /*#__PURE__*/ t.union([t.literal(1), t.literal(2)], '1 or 2'),
  ...start,
  ...zeroth
})
const Segmented = /*#__PURE__*/ group({ ...named, h: whole }, common)
const Truncated = /*#__PURE__*/ group({ ...named, k: whole }, common)
const RandomTruncation = /*#__PURE__*/ group(named, { ...common, weights })
const Full = /*#__PURE__*/ group(named, { ...common, memory: segment.memory })
const Zeroth = /*#__PURE__*/ group(named, { ...common, ...zeroth })
const Geometric = /*#__PURE__*/ group({ ...named, lambda: finite }, { ...common, pathwise: finite })
const Plain = /*#__PURE__*/ group(named, common)
const Interval = /*#__PURE__*/ group({ interval: steps }, {})
const Weights = /*#__PURE__*/ group({ weights }, {})

// -------------------------------------------------------------------------------------
// decoding
// -------------------------------------------------------------------------------------

type Result = E.Either<DocumentError, EstimatorDescription>

/** Fields that were left out are left out again, and are not undefined. */
const given = <A extends object>(fields: A): { [K in keyof A]: Exclude<A[K], undefined> } =>
  // what is undefined has been dropped, which the type of entries does not tell
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [K in keyof A]: Exclude<A[K], undefined>
  }

const startOf = (u: unknown): E.Either<DocumentError, Start.Start> => {
  if (u === undefined || u === 'uniform') return E.right(Start.uniform)
  if (isRecord(u) && 'interval' in u) {
    return pipe(
      decodeWith(Interval, u, 'start'),
      E.flatMap(({ interval }) => {
        const [from, to] = interval
        return from === undefined || to === undefined || interval.length !== 2
          ? E.left(fault('start.interval', 'a list of 2 (the lowest and the highest start)', interval, 'give it 2'))
          : E.right(Start.interval(from, to))
      })
    )
  }
  if (isRecord(u) && 'weights' in u) {
    return pipe(
      decodeWith(Weights, u, 'start'),
      E.map(({ weights: list }) => Start.weights(list))
    )
  }
  return E.left(fault('start', '"uniform", {"interval": [from, to]} or {"weights": [..]}', u, 'choose one of them'))
}

const described = (
  { baseline = 0 }: { readonly baseline?: number | undefined },
  at: EstimatorDescription['at']
): EstimatorDescription => ({ at, baseline })

const names: Readonly<Record<string, (document: unknown) => Result>> = {
  rlr: (document) =>
    pipe(
      decodeWith(Rlr, document),
      E.flatMap(({ name: _, baseline, start: from, ...options }) =>
        pipe(
          startOf(from),
          E.map((one) => described({ baseline }, (T) => Catalogue.rlr({ T, start: one, ...given(options) })))
        )
      )
    ),
  blackBoxRlr: (document) =>
    pipe(
      decodeWith(BlackBoxRlr, document),
      E.flatMap(({ name: _, baseline, start: from, ...options }) =>
        pipe(
          startOf(from),
          E.map((one) => described({ baseline }, (T) => Catalogue.blackBoxRlr({ T, start: one, ...given(options) })))
        )
      )
    ),
  segmented: flow(
    (document) => decodeWith(Segmented, document),
    E.map((one) => described(one, (T) => Catalogue.segmented({ T, h: one.h })))
  ),
  fullBackprop: flow(
    (document) => decodeWith(Full, document),
    E.map(({ memory, ...one }) => described(one, (T) => Catalogue.fullBackprop(T, given({ memory }))))
  ),
  truncatedBackprop: flow(
    (document) => decodeWith(Truncated, document),
    E.map((one) => described(one, (T) => Catalogue.truncatedBackprop({ T, k: one.k })))
  ),
  randomTruncation: flow(
    (document) => decodeWith(RandomTruncation, document),
    E.map((one) =>
      described(one, (T) =>
        Catalogue.randomTruncation({
          T,
          weight: one.weights === undefined ? Start.uniform : Start.weights(one.weights)
        })
      )
    )
  ),
  reinforce: flow(
    (document) => decodeWith(Plain, document),
    E.map((one) => described(one, Catalogue.reinforce))
  ),
  reinforceAfterFirst: flow(
    (document) => decodeWith(Plain, document),
    E.map((one) => described(one, Catalogue.reinforceAfterFirst))
  ),
  evolutionStrategies: flow(
    (document) => decodeWith(Zeroth, document),
    E.map(({ name: _, baseline, ...options }) =>
      described({ baseline }, (T) => Catalogue.evolutionStrategies({ T, ...given(options) }))
    )
  ),
  geometricHalfOrder: flow(
    (document) => decodeWith(Geometric, document),
    E.map(({ name: _, baseline, lambda, pathwise }) =>
      described({ baseline }, (T) => Catalogue.geometricHalfOrder({ T, lambda, ...given({ pathwise }) }))
    )
  )
}

const cellOf = (document: unknown, path: string): E.Either<DocumentError, C.Cell> => {
  const cell = isRecord(document) ? document['kind'] : undefined
  switch (cell) {
    case 'firstOrder':
      return pipe(
        decodeWith(FirstOrder, document, path),
        E.map(({ kind: _, to, ...options }) => C.firstOrder(to, given(options)))
      )
    case 'halfOrder':
      return pipe(
        decodeWith(HalfOrder, document, path),
        E.map(({ kind: _, from, to, ...options }) => C.halfOrder(from, to, given(options)))
      )
    case 'zerothOrder':
      return pipe(
        decodeWith(ZerothOrder, document, path),
        E.map(({ kind: _, steps: own, ...options }) => C.zerothOrder(own, given(options)))
      )
    default:
      return E.left(fault(`${path}.kind`, 'one of firstOrder, halfOrder, zerothOrder', cell, 'choose one of them'))
  }
}

/**
 * Decodes an estimator. Left: the first field that is unknown, missing or not of its kind. Whether its steps fit a chain is
 * found out where `at` is given one.
 *
 * @category decoding
 * @since 0.1.0
 */
export const decode = (document: unknown): Result => {
  if (!isRecord(document)) return E.left(fault('', 'a group of fields', document, 'write it as a JSON object'))
  if ('cells' in document) {
    return pipe(
      decodeWith(Cells, document),
      E.flatMap(({ cells, ...one }) =>
        pipe(
          cells,
          RA.traverseWithIndex(E.Applicative)((i, cell) => cellOf(cell, `cells[${i}]`)),
          E.map((list) =>
            described(one, (T) =>
              pipe(
                C.cover(T, list),
                E.map((cover) => Est.always(C.show(cover), cover))
              )
            )
          )
        )
      )
    )
  }
  const name = document['name']
  const decoder = typeof name === 'string' && Object.hasOwn(names, name) ? names[name] : undefined
  return decoder === undefined
    ? E.left(fault('name', `cells, or a name of ${Object.keys(names).join(', ')}`, name, 'choose one of them'))
    : decoder(document)
}
