import * as fc from 'fast-check'
import * as E from 'fp-ts/lib/Either.js'
import { describe, expect, it } from 'vitest'
import * as Covers from '../../laws/arbitrary/Covers.js'
import { showError as showDocument } from '../../src/document/Document.js'
import { estimators } from '../../src/estimator/catalogue/All.gen.js'
import type { CellDescription } from '../../src/estimator/catalogue/Cells.js'
import type { BuildError, Claim, Facts } from '../../src/estimator/catalogue/Row.js'
import { define, type Document, either, field, showError } from '../../src/estimator/catalogue/Row.js'
import { whole } from '../../src/document/Document.js'
import * as C from '../../src/estimator/Cover.js'
import type { Estimator } from '../../src/estimator/Estimator.js'
import * as Est from '../../src/estimator/Estimator.js'
import * as Named from '../../src/estimator/Named.js'
import * as Objective from '../../src/estimator/Objective.js'
import { help, options } from '../../src/estimator/reading/Help.js'

const right = <A>(result: E.Either<unknown, A>): A => {
  if (E.isLeft(result)) throw new Error(JSON.stringify(result.left))
  return result.right
}

/** The names that have an option, as refusals list them. */
const having = (key: string): string => either(options.find((one) => one.key === key)?.names ?? [])

const withH = having('h')

/** The fields of a name, as refusals list them. */
const fieldsOf = (name: Named.Name): string =>
  ['name', ...Object.keys(estimators.find((row) => row.name === name)?.options ?? {})].join(', ')

const complaint = (given: unknown, context: Named.Context = {}): string => {
  const decoded = Named.decode(context)(given)
  return E.isLeft(decoded) ? showDocument(decoded.left) : 'accepted'
}

// -------------------------------------------------------------------------------------
// arbitrary descriptions
// -------------------------------------------------------------------------------------

const weights = fc.array(fc.nat(4), { minLength: 1, maxLength: 6 })

const cell: fc.Arbitrary<CellDescription> = fc.oneof(
  fc.record({ kind: fc.constant('firstOrder' as const), to: fc.integer({ min: 1, max: 4 }) }),
  fc.record({
    kind: fc.constant('halfOrder' as const),
    from: fc.constant(2),
    to: fc.integer({ min: 2, max: 4 }),
    memory: fc.constantFrom('store' as const, 'recompute' as const)
  }),
  fc.record({ kind: fc.constant('zerothOrder' as const), steps: fc.subarray([1, 2, 3]), radius: Covers.radius })
)

/** Values of the options by name. A field that is not here stays as the row has it, so a new row needs no line of its own. */
const values: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
  h: fc.integer({ min: 1, max: 5 }),
  k: fc.integer({ min: 1, max: 5 }),
  start: fc.oneof(
    fc.constant(null),
    fc.tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 4 })),
    fc.record({ weights })
  ),
  lowest: fc.constantFrom(null, 1, 2),
  steps: fc.oneof(fc.constant(null), fc.tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 8 }))),
  form: fc.constantFrom(...Covers.forms),
  perturbation: fc.constantFrom(...Covers.perturbations),
  directions: fc.constantFrom('row', 'batch'),
  radius: Covers.radius,
  memory: fc.constantFrom('store', 'recompute'),
  lambda: fc.constantFrom(0, 0.25, 0.5, 1),
  pathwise: fc.constantFrom(0, 0.25),
  scores: fc.tuple(fc.integer({ min: 1, max: 3 }), fc.nat(3)),
  weights: fc.oneof(fc.constant(null), weights),
  cells: fc.array(cell, { maxLength: 3 }),
  count: fc.constantFrom(null, 1, 2),
  family: fc.integer({ min: 2, max: 3 }),
  spacing: fc.integer({ min: 1, max: 3 }),
  below: fc.constantFrom('fresh', 'shared')
}

const document: fc.Arbitrary<Document> = fc.constantFrom(...estimators).chain(({ name, options: fields, defaults }) => {
  const parts: Record<string, fc.Arbitrary<unknown>> = {
    name: fc.constant(name),
    ...Object.fromEntries(Object.entries(values).filter(([key]) => Object.hasOwn(fields, key)))
  }
  // what has no default must be given
  const needed = Object.keys(fields).filter((key) => !Object.hasOwn(defaults, key))
  return fc.record(parts, { requiredKeys: ['name', ...needed] })
})

const description: fc.Arbitrary<Named.Description> = document.map((given) => right(Named.decode()(given)))

const everyFact = (T: number): ReadonlyArray<Facts> =>
  [true, false].flatMap((noisyFirst) =>
    [true, false].flatMap((differentiable) => [true, false].map((clean) => ({ T, noisyFirst, differentiable, clean })))
  )

const facts: fc.Arbitrary<Facts> = fc.record({
  T: fc.integer({ min: 1, max: 8 }),
  noisyFirst: fc.boolean(),
  differentiable: fc.boolean(),
  clean: fc.boolean()
})

// -------------------------------------------------------------------------------------
// reading and writing
// -------------------------------------------------------------------------------------

describe('a description', () => {
  it('is what its text stands for', () => {
    fc.assert(
      fc.property(description, (one) => {
        expect(Named.parse(Named.show(one))).toEqual(E.right(one))
      })
    )
  })

  it('is what its document stands for, before and after JSON', () => {
    fc.assert(
      fc.property(description, (one) => {
        expect(Named.decode()(one)).toEqual(E.right(one))
        expect(Named.decode()(JSON.parse(JSON.stringify(one)))).toEqual(E.right(one))
        expect(Named.parse(JSON.stringify(one))).toEqual(E.right(one))
      })
    )
  })

  it('has every option of its name and no other', () => {
    fc.assert(
      fc.property(description, (one) => {
        const row = estimators.find(({ name }) => name === one.name)
        expect(Object.keys(one)).toEqual(['name', ...Object.keys(row?.options ?? {})])
      })
    )
  })

  it.each([
    ['rlr', 'rlr'],
    ['  rlr ( h = 3 , radius = .1 )  ', 'rlr(h = 3, radius = 0.1)'],
    ['rlr(h = 2)', 'rlr'],
    ['rlr()', 'rlr'],
    ['rlr(start = [2, 17], form = onePoint)', 'rlr(start = [2,17], form = onePoint)'],
    ['rlr(form = "forward", start = {"interval": [3, 4]})', 'rlr(start = [3,4], form = forward)'],
    ['{"name": "truncatedBackprop", "k": 2}', 'truncatedBackprop(k = 2)'],
    ['{"cells": [{"kind": "firstOrder", "to": 2}]}', 'cells(cells = [{"kind":"firstOrder","to":2}])'],
    [
      'cells(cells = [{"kind": "zerothOrder", "steps": [1, 2]}])',
      'cells(cells = [{"kind":"zerothOrder","steps":[1,2]}])'
    ]
  ])('%s is %s', (text, shown) => {
    expect(Named.show(right(Named.parse(text)))).toBe(shown)
  })

  it.each([
    ['', '""'],
    ['rlr(h = 3', '"rlr(h = 3"'],
    ['rlr h = 3', '"rlr h = 3"'],
    ['rlr(h)', '"h"'],
    ['rlr(h = )', '"h ="'],
    ['rlr(h = 3 4)', '"h = 3 4"'],
    ['rlr(h = 3,)', '""'],
    ['{"name": "rlr"', '"{\\"name\\": \\"rlr\\""']
  ])('%s is refused as text', (text, got) => {
    const parsed = Named.parse(text, { path: '--estimator' })
    expect(E.isLeft(parsed) && showDocument(parsed.left)).toBe(
      `--estimator: expected NAME, NAME(field = value, ...) or a JSON object, got ${got}; write it as rlr or as rlr(h = 2, radius = 0.05)`
    )
  })

  it('gives each field one value', () => {
    const parsed = Named.parse('rlr(h = 3, h = 4)')
    expect(E.isLeft(parsed) && showDocument(parsed.left)).toBe(
      'estimator: expected h once, got "rlr(h = 3, h = 4)"; give each field one value'
    )
  })

  it('takes what it leaves out from beneath, where that fits its name, and else from the defaults', () => {
    const beneath = { name: 'rlr', h: 4, radius: 0.3, k: 3, memory: 7 }
    const decode = Named.decode({ beneath })
    expect(decode({})).toEqual(Named.parse('rlr(h = 4, radius = 0.3)'))
    expect(decode({ h: 1 })).toEqual(Named.parse('rlr(h = 1, radius = 0.3)'))
    expect(decode({ name: 'segmented' })).toEqual(Named.parse('segmented(h = 4)'))
    expect(decode({ name: 'truncatedBackprop' })).toEqual(Named.parse('truncatedBackprop(k = 3)'))
    // of another kind there
    expect(decode({ name: 'fullBackprop' })).toEqual(Named.parse('fullBackprop'))
    expect(decode({ cells: [] })).toEqual(E.right({ name: 'cells', cells: [] }))
  })
})

describe('a document that is refused', () => {
  const all = Named.names.join(', ')

  it.each<[unknown, string]>([
    [
      { name: 'fullBackprop', h: 7, radius: 9 },
      `estimator.h: expected one of the fields of fullBackprop (name, memory), got "h"; remove it, or choose ${withH}`
    ],
    [
      { name: 'reinforceAfterFirst', radius: 1 },
      `estimator.radius: expected one of the fields of reinforceAfterFirst (${fieldsOf('reinforceAfterFirst')}), got "radius"; remove it, or choose ${having('radius')}`
    ],
    [
      { name: 'rlr', rdius: 1 },
      `estimator.rdius: expected one of the fields of rlr (${fieldsOf('rlr')}), got "rdius"; correct or remove it`
    ],
    [
      { name: 'rlr', cells: [] },
      `estimator.cells: expected one of the fields of rlr (${fieldsOf('rlr')}), got "cells"; remove it, or choose cells`
    ],
    [
      { cells: [], h: 2 },
      `estimator.h: expected one of the fields of cells (name, cells), got "h"; remove it, or choose ${withH}`
    ],
    [{ name: 'rlrr' }, `estimator.name: expected one of ${all}, got "rlrr"; near it is rlr`],
    [{ name: 3 }, `estimator.name: expected one of ${all}, got 3; choose one of them`],
    [{ name: 'constructor' }, `estimator.name: expected one of ${all}, got "constructor"; choose one of them`],
    [{}, `estimator.name: expected one of ${all}, got nothing; choose one of them`],
    ['rlr', 'estimator: expected a group of fields, got "rlr"; write it as key: value pairs'],
    [{ name: 'rlr', h: 1.5 }, 'estimator.h: expected a whole number of at least 1, got 1.5; correct it'],
    [{ name: 'rlr', radius: 0 }, 'estimator.radius: expected a number above 0 that f32 holds, got 0; correct it'],
    [
      { name: 'rlr', start: [2, 'x'] },
      'estimator.start[1]: expected a whole number of at least 1, got "x"; correct it'
    ],
    [
      { name: 'rlr', start: { weights: [1, -1] } },
      'estimator.start.weights[1]: expected a number of at least 0, got -1; correct it'
    ],
    [
      { name: 'rlr', start: { interval: [1, 2], weights: [1] } },
      'estimator.start.weights: expected one of the fields interval, got "weights"; correct or remove the field'
    ],
    [{ name: 'blackBoxRlr', lowest: 3 }, 'estimator.lowest: expected null, 1 or 2, got 3; correct it'],
    [
      { name: 'generalisedHalfOrder', scores: [0, 1] },
      'estimator.scores: expected a list of numbers of at least 0, the first above 0, got [0,1]; correct it'
    ],
    [{ name: 'geometricHalfOrder', lambda: 2 }, 'estimator.lambda: expected a number in 0..1, got 2; correct it'],
    [
      { name: 'geometricHalfOrder', pathwise: 1 },
      'estimator.pathwise: expected a number of at least 0 and below 1, got 1; correct it'
    ],
    [{ name: 'cells' }, 'estimator.cells: expected a list of cells, got nothing; correct it'],
    [
      { cells: [{ kind: 'firstOrder', to: 1 }, { kind: 'third' }] },
      'estimator.cells[1].kind: expected one of firstOrder, halfOrder, zerothOrder, got "third"; choose one of them'
    ],
    [
      { cells: [{ kind: 'firstOrder', too: 2 }] },
      'estimator.cells[0].too: expected one of the fields kind, to, memory, shares, got "too"; correct or remove the field'
    ]
  ])('%j', (given, said) => {
    expect(complaint(given, { path: 'estimator' })).toBe(said)
  })
})

// -------------------------------------------------------------------------------------
// building
// -------------------------------------------------------------------------------------

const firstOrder = (estimator: Estimator): boolean =>
  // a difference does without the gradient
  estimator.covers.some(({ cover }) =>
    cover.cells.some((one) => one._tag === 'FirstOrder' && one.gradient === undefined)
  )

/** Does a row keep what it claims, with some options, on a chain and a reward? What can not be built claims nothing. */
const keepsItsClaim = (
  { unbiasedFor: claim, prose }: { readonly unbiasedFor: Claim; readonly prose: string },
  on: Facts,
  built: E.Either<BuildError, Estimator>
): boolean => {
  if (E.isLeft(built) || typeof claim !== 'string') return true
  const exact = built.right._tag === 'exact' && Est.unpaid(built.right).size === 0
  // steps below the lowest noise may need a zeroth-order cell under a black box, as `prose` says
  const mayNeed = !on.differentiable && prose.includes('(for J_s)')
  const target = Objective.ofEstimator(built.right)
  if (claim === 'J_s') return exact && target !== 'J and J_s'
  return exact && (claim === 'J and J_s' || mayNeed || target === 'J')
}

describe('a named estimator', () => {
  it('is unbiased for what its row claims, and never pulls back a gradient that is not there', () => {
    fc.assert(
      fc.property(description, facts, (one, on) => {
        const built = Named.build(on)(one)
        const row = estimators.find(({ name }) => name === one.name)
        expect(row !== undefined && keepsItsClaim(row, on, built)).toBe(true)
        // of cells that someone wrote out, the problem's own check says so
        const pulls = E.isRight(built) && one.name !== 'cells' && firstOrder(built.right)
        expect(pulls && !on.differentiable).toBe(false)
      }),
      { numRuns: 1000 }
    )
  })

  it.each(estimators.filter(({ name }) => name !== 'cells').map((row) => [row.name, row.unbiasedFor] as const))(
    '%s is built by default on every chain that has room, and says what to take where the reward has no gradient',
    (name, claim) => {
      const byDefault = (one: string, on: Facts): E.Either<BuildError, Estimator> =>
        Named.build(on)(right(Named.decode()({ name: one })))
      const verdict = (on: Facts): string => {
        const built = byDefault(name, on)
        if (E.isRight(built)) {
          const { _tag, T } = built.right
          const kept = typeof claim !== 'string' || !on.noisyFirst || Objective.ofEstimator(built.right) === claim
          return `${T === on.T && kept} ${_tag}`
        }
        if (on.differentiable || built.left._tag !== 'NoGradient') return showError(built.left)
        const { name: refused, instead } = built.left
        return `${refused === name && instead.every((other) => E.isRight(byDefault(other, on)))} refused`
      }
      // what leaves steps unpaid has none to leave on some chains
      const honest = typeof claim === 'string' ? ['true exact'] : ['true partial', 'true exact']
      for (const on of [4, 5, 10, 50].flatMap(everyFact)) {
        expect(on.differentiable ? honest : [...honest, 'true refused']).toContain(verdict(on))
      }
    }
  )

  it('is refused by its row where it claims what its cover does not keep', () => {
    const usual = { prose: '', cover: '', options: { k: field('', whole) }, defaults: { k: 2 } }
    const none = { compared: () => [], verified: () => [] }
    const on = { T: 4, noisyFirst: true, differentiable: true, clean: false }
    const claims = (claim: Claim, cells: (k: number) => ReadonlyArray<C.Cell>): boolean => {
      const row = define({
        name: 'mutant',
        ...usual,
        ...none,
        unbiasedFor: claim,
        make: ({ T }, { k }) => Est.fromCells('mutant', T, cells(k))
      })
      return keepsItsClaim(row, on, row.build(on, { name: 'mutant' }))
    }
    // one step unpaid; a zeroth-order cell under a claim of J; and the honest ones
    expect(claims('J', (k) => [C.firstOrder(k + 1)])).toBe(false)
    expect(claims('J_s', (k) => [C.firstOrder(k), C.zerothOrder([3])])).toBe(false)
    expect(claims('J', (k) => [C.firstOrder(k), C.zerothOrder([3, 4])])).toBe(false)
    expect(claims('J_s', (k) => [C.firstOrder(k), C.zerothOrder([3, 4])])).toBe(false)
    expect(claims('J and J_s', (k) => [C.firstOrder(k), C.zerothOrder([3, 4])])).toBe(true)
    expect(claims('J_s', (k) => [C.firstOrder(k), C.zerothOrder([3, 4], { form: 'onePoint' })])).toBe(true)
    expect(claims('J_s', () => [C.zerothOrder([1, 2, 3, 4])])).toBe(true)
    expect(claims('J', (k) => [C.firstOrder(k + 2)])).toBe(true)
    expect(claims({ bias: 'some' }, (k) => [C.firstOrder(k)])).toBe(true)
  })

  it('pays for a step 1 without noise as the reward allows', () => {
    const cells = (text: string, on: Facts): string => {
      const built = Named.build(on)(right(Named.parse(text)))
      return E.isLeft(built) ? showError(built.left) : C.show(built.right.covers[0].cover)
    }
    const silent = { T: 3, noisyFirst: false }
    expect(cells('reinforce', { T: 3, noisyFirst: true, differentiable: false, clean: false })).toBe(
      'HO(1..1) + HO(2..2) + HO(3..3)'
    )
    expect(cells('reinforce', { ...silent, differentiable: true, clean: false })).toBe('FO(1..1) + HO(2..2) + HO(3..3)')
    expect(cells('reinforce(form = forward, radius = 0.3)', { ...silent, differentiable: false, clean: false })).toBe(
      'ZO(1; forward, shared, s = 0.3) + HO(2..2) + HO(3..3)'
    )
    expect(cells('blackBoxRlr(h = 1, start = [2, 2])', { ...silent, differentiable: false, clean: false })).toBe(
      'HO(2..2) + ZO(1, 3; central, shared, s = 0.05)'
    )
    expect(cells('blackBoxRlr(h = 1)', { T: 3, noisyFirst: true, differentiable: false, clean: false })).toBe(
      'HO(1..1) + ZO(2..3; central, shared, s = 0.05)'
    )
    expect(cells('rlr', { ...silent, differentiable: false, clean: false })).toBe(
      "rlr pulls back the reward's gradient, and this reward has none; choose blackBoxRlr"
    )
    expect(cells('rlr(h = 9)', { ...silent, differentiable: true, clean: false })).toBe(
      'h: expected a whole number in 1..2, got 9'
    )
  })
})

// -------------------------------------------------------------------------------------
// help
// -------------------------------------------------------------------------------------

describe('help', () => {
  it('has every name with its options, and every option once', () => {
    const text = help()
    for (const row of estimators) {
      expect(text).toContain(`\n\n${row.name}`.slice(row === estimators[0] ? 2 : 0))
      expect(text).toContain(row.prose)
      for (const key of Object.keys(row.options)) expect(text).toContain(`    ${key} `)
    }
    expect(new Set(options.map(({ key }) => key)).size).toBe(options.length)
    expect(text).toContain('\n\nsegmented(h = 2')
    expect(text).toContain('\n\ntruncatedBackprop(k = 1)\n')
    expect(text).toContain('\n\ncells(cells = ..)\n')
  })

  it('says one thing of an option, whoever has it', () => {
    const all = estimators.flatMap(
      (row): ReadonlyArray<readonly [string, { readonly prose: string }]> => Object.entries(row.options)
    )
    const said = new Set(all.map(([key, { prose }]) => `${key}: ${prose}`))
    expect(said.size).toBe(new Set(all.map(([key]) => key)).size)
  })

  it('is one line for each row, and each row is of the file of its name', () => {
    for (const { prose, cover } of estimators) {
      expect(prose).toMatch(/^[a-z][^\n]*[^.\n]$/)
      expect(prose.length).toBeLessThanOrEqual(130)
      expect(cover).toMatch(/^[^\n|]+$/)
    }
    expect(new Set(Named.names).size).toBe(estimators.length)
  })
})
