/**
 * What `verify` is told of an estimator: a description by name or by cells, as configurations have it, and the
 * constant that its likelihood-ratio terms take off the rewards. A `baseline` is of the state, as everywhere; one that is a
 * number is an older word for the constant.
 *
 *     { "cells": [ { "kind": "firstOrder", "to": 1 }, { "kind": "halfOrder", "from": 2, "to": 3 },
 *                  { "kind": "zerothOrder", "steps": [4, 5], "form": "onePoint", "perturbation": "perStep", "radius": 0.05 } ],
 *       "constant": -4 }
 *     { "name": "rlr", "h": 2, "baseline": { "state": [0.5, -1] } }
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import { decodeWith, type DocumentError, fault, finite, isRecord } from '../../src/document/Document.js'
import type { BuildError, Facts } from '../../src/estimator/catalogue/Row.js'
import type { Estimator } from '../../src/estimator/Estimator.js'
import * as Named from '../../src/estimator/Named.js'
import { bySample } from '../../src/estimator/reading/Contenders.js'

/**
 * A described estimator: what it is on a chain, where there is one, and the constant of its likelihood-ratio terms.
 *
 * @category model
 * @since 0.1.0
 */
export interface EstimatorDescription {
  readonly at: (facts: Facts) => E.Either<BuildError, Estimator>
  readonly baseline: number
}

/**
 * Decodes an estimator. Left: the first field that is unknown, missing or not of its kind. Whether its steps fit a
 * chain is found out where `at` is given one.
 *
 * @category decoding
 * @since 0.1.0
 */
export const decode = (document: unknown): E.Either<DocumentError, EstimatorDescription> => {
  const { baseline, constant, ...rest } = isRecord(document) ? document : {}
  const number = typeof baseline === 'number'
  const whole = !isRecord(document) ? document : number || baseline === undefined ? rest : forAll(rest, baseline)
  return pipe(
    number && constant !== undefined
      ? E.left(
          fault('constant', 'one constant, and baseline is another word for it', constant, 'leave one of them out')
        )
      : decodeWith(finite, (number ? baseline : constant) ?? 0, number ? 'baseline' : 'constant'),
    E.bindTo('taken'),
    E.bind('description', () => pipe(whole, Named.decode({ beside: ['baseline', 'constant'] }), E.flatMap(bySample))),
    E.map(({ description, taken }) => ({ at: (facts) => Named.build(facts)(description), baseline: taken }))
  )
}

/** A baseline is of the state: an option of a name, or of each half-order cell that says no other. */
const forAll = (rest: Readonly<Record<string, unknown>>, baseline: unknown): unknown => {
  const { cells } = rest
  return Array.isArray(cells)
    ? {
        ...rest,
        cells: cells.map((cell: unknown) =>
          isRecord(cell) && cell['kind'] === 'halfOrder' ? { baseline, ...cell } : cell
        )
      }
    : { ...rest, baseline }
}
