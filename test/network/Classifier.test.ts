import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import * as L from '../../src/lens/Lens.js'
import { columns } from '../../src/lens/Columns.js'
import { logSumExp } from '../../src/lens/layer/LogSumExp.js'
import { classifier, crossEntropy, logProbability, logProbabilityOf } from '../../src/network/Classifier.js'
import type { ClassifierDescription } from '../../src/network/Description.js'
import * as Faces from '../../cli/tasks/faces/Faces.js'
import { initial } from '../../src/lens/Initial.js'
import * as Key from '../../src/random/Key.js'
import * as Program from '../../src/tensor/Program.js'
import * as Reference from '../../src/tensor/Reference.js'
import type { Expr } from '../../src/tensor/Expr.js'
import type { Shape } from '../../src/tensor/Shape.js'
import { adjoint, get, values } from './adjoint.js'

const tiny: ClassifierDescription = { kind: 'classifier', features: 6, labels: 34, hidden: 5, blocks: 2 }
const logits = { x: ['batch', 34] } as const

/** A lens of one expression, as one of a record. */
const ofRecord = <P extends L.Params, B extends Expr>(
  lens: L.Lens<P, Expr<readonly ['batch', number]>, B>
): L.Lens<P, { readonly x: Expr<readonly ['batch', number]> }, B> =>
  L.make(lens.parameters, (p, { x }) => {
    const [value, back] = lens.run(p, x)
    return [
      value,
      (bar) => {
        const [pBar, xBar] = back(bar)
        return [pBar, { x: xBar }]
      }
    ]
  })

/** The log-probability of some values of an attribute of faces. */
const about = (attribute: Faces.AttributeName, values: ReadonlyArray<string>): ReturnType<typeof logProbabilityOf> =>
  logProbabilityOf(Faces.labelWidth, Faces.block(attribute), Faces.positions(attribute, values))

describe('pullbacks are adjoint to derivatives', () => {
  const x = (width: number): { readonly x: Shape } => ({ x: ['batch', width] })

  test.each<readonly [string, (key: Key.Key) => ReturnType<typeof adjoint>]>([
    [
      'columns, with gaps and repetitions',
      (key) => adjoint(ofRecord(columns(6, [4, 1, 2, 2, 5])), x(6), ['batch', 5], key)
    ],
    ['logSumExp', (key) => adjoint(ofRecord(logSumExp(4)), x(4), ['batch'], key)],
    ['the classifier', (key) => adjoint(ofRecord(classifier(tiny)), x(6), ['batch', 34], key)],
    [
      'the log-probability of some values',
      (key) => adjoint(ofRecord(about('glasses', ['round', 'dark'])), x(34), ['batch'], key)
    ],
    [
      'the cross-entropy',
      (key) =>
        adjoint(crossEntropy(34, Faces.attributeNames.map(Faces.block)), { ...x(34), c: ['batch', 34] }, ['batch'], key)
    ],
    [
      'the reward, whatever the condition',
      (key) =>
        adjoint(
          ofRecord(logProbability('happy', { description: tiny, parameters: {} }, Faces.block('mouth'), [0]).lens({})),
          x(6),
          ['batch'],
          key
        )
    ]
  ])('%s', (_, check) => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const { left, right, tolerance } = check(Key.make(seed))
        expect(Math.abs(left - right)).toBeLessThanOrEqual(tolerance)
        expect(tolerance).toBeLessThan(1e-3 * (1 + Math.abs(left)))
      }),
      { numRuns: 5 }
    )
  })
})

describe('logProbabilityOf', () => {
  const row = (x: ReadonlyArray<number>): Program.Values => ({ x: { shape: [1, 34], data: Float64Array.from(x) } })
  const of = (lens: ReturnType<typeof logProbabilityOf>, x: ReadonlyArray<number>): number => {
    const program = get(Program.make(logits, (inputs) => ({ y: lens.forward({}, inputs.x) })))
    return get(Reference.run(program, { batch: 1 }, row(x)))['y']?.data[0] ?? Number.NaN
  }
  const faces = fc.array(fc.double({ min: -20, max: 20, noNaN: true }), { minLength: 34, maxLength: 34 })

  test('the probabilities of an attribute add to one', () => {
    fc.assert(
      fc.property(faces, (x) => {
        for (const attribute of Faces.attributeNames) {
          const total = Faces.vocabulary[attribute].reduce(
            (sum, { name }) => sum + Math.exp(of(about(attribute, [name]), x)),
            0
          )
          // at most 8 terms of at most 1; each log-probability is at most 40 and off by a few units of 2^-53 of it
          expect(Math.abs(total - 1)).toBeLessThan(8 * 40 * 8 * 2 ** -53)
        }
      }),
      { numRuns: 20 }
    )
  })

  test('of several values it is that of either', () => {
    fc.assert(
      fc.property(faces, (x) => {
        const p = (...values_: ReadonlyArray<'round' | 'dark'>): number => Math.exp(of(about('glasses', values_), x))
        expect(Math.abs(p('round', 'dark') - p('round') - p('dark'))).toBeLessThan(8 * 40 * 8 * 2 ** -53)
        expect(p('round', 'round')).toBe(p('round'))
      })
    )
  })

  test('of all values, and of none, it is 0', () => {
    const x = Array.from({ length: 34 }, (_, i) => Math.sin(i))
    expect(of(about('glasses', ['none', 'round', 'dark']), x)).toBe(0)
    expect(of(about('glasses', []), x)).toBe(0)
  })
})

describe('initial', () => {
  test('each parameter has the deviation and the mean that its layer declares', () => {
    const { parameters } = classifier({ ...tiny, features: 768, hidden: 64 })
    const found = initial(parameters, Key.make(1))
    const weight = found['in.weight']?.data ?? new Float32Array(1)
    const square = Array.from(weight, (x) => x * x).reduce((sum, x) => sum + x, 0) / weight.length
    // the variance of 49152 normals of variance 1 / 768: six standard errors are 6 sqrt(2 / 49152) of it
    expect(Math.abs(square * 768 - 1)).toBeLessThan(6 * Math.sqrt(2 / 49152))
    expect(new Set(found['norm.gain']?.data)).toEqual(new Set([1]))
    expect(new Set(found['out.weight']?.data)).toEqual(new Set([0]))
  })

  test('a parameter does not depend on the others', () => {
    const short = initial(classifier({ ...tiny, blocks: 1 }).parameters, Key.make(1))
    const long = initial(classifier(tiny).parameters, Key.make(1))
    for (const [name, value] of Object.entries(short)) expect(long[name]).toEqual(value)
    expect(values({ a: ['batch'] }, '', Key.make(1))['a']?.shape).toEqual([3])
  })
})
