/**
 * What `verify` is told of an estimator: a description by name or by cells, as configurations have it, and the
 * baseline of its likelihood-ratio terms: a number, or a value of the state.
 *
 *     { "cells": [ { "kind": "firstOrder", "to": 1 }, { "kind": "halfOrder", "from": 2, "to": 3 },
 *                  { "kind": "zerothOrder", "steps": [4, 5], "form": "onePoint", "perturbation": "perStep", "radius": 0.05 } ],
 *       "baseline": -4 }
 *     { "name": "rlr", "h": 2, "baseline": { "state": [0.5, -1] } }
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import { decodeWith, type DocumentError, finite, isRecord } from '../../src/document/Document.js'
import type { BuildError, Facts } from '../../src/estimator/catalogue/Row.js'
import type { Estimator } from '../../src/estimator/Estimator.js'
import * as Named from '../../src/estimator/Named.js'
import { bySample } from '../../src/estimator/reading/Contenders.js'

/**
 * A described estimator: what it is on a chain, where there is one, and the baseline of its likelihood-ratio terms.
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
  const { baseline = 0, ...rest } = isRecord(document) ? document : {}
  const constant = typeof baseline === 'number'
  const whole = !isRecord(document) ? document : constant ? rest : forAll(rest, baseline)
  return pipe(
    E.Do,
    E.bind('baseline', () => decodeWith(finite, constant ? baseline : 0, 'baseline')),
    E.bind('description', () => pipe(whole, Named.decode({ beside: ['baseline'] }), E.flatMap(bySample))),
    E.map(({ description, baseline: constant }) => ({
      at: (facts) => Named.build(facts)(description),
      baseline: constant
    }))
  )
}

/** A baseline that is no number is of the state: an option of a name, or of each half-order cell that says no other. */
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
