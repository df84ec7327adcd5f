import * as fc from 'fast-check'
import * as E from 'fp-ts/lib/Either.js'
import * as O from 'fp-ts/lib/Option.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { describe, expect, test } from 'vitest'
import { fault, showError } from '../../src/document/Document.js'
import * as L from '../../src/lens/Lens.js'
import { brightness } from '../../src/reward/Pixels.js'
import { blackBox, conditional, differentiable } from '../../src/reward/Reward.js'
import { free, parseSum, prompted, reward, type Shelf, shelf, showNames } from '../../src/reward/Shelf.js'
import * as X from '../../src/tensor/Expr.js'
import * as Program from '../../src/tensor/Program.js'
import * as Reference from '../../src/tensor/Reference.js'
import type { Tensor } from '../../src/tensor/Tensor.js'
import { get } from '../network/adjoint.js'

// -------------------------------------------------------------------------------------
// a shelf of every kind
// -------------------------------------------------------------------------------------

/** The first number of each row, times a parameter. */
const first = differentiable<{ readonly scale: X.Expr<readonly []> }, readonly ['batch', number]>(
  'the first number',
  L.make({ scale: L.parameter([]) }, (p, x) => [
    X.mul(X.reshape(X.slice<readonly ['batch', number], 1, 1>(x, 1, 0, 1), ['batch']), p.scale),
    () => [p, x]
  ]),
  { scale: { shape: [], data: Float64Array.of(3) } }
)

/** What the condition says first. */
const asked = conditional<L.None, readonly ['batch', number], X.Expr<readonly ['batch', number]>>(
  'what is asked for',
  (c) => L.pure((x) => [X.reshape(X.slice<readonly ['batch', number], 1, 1>(c, 1, 0, 1), ['batch']), () => x]),
  {}
)

const sums = blackBox('the sum', ({ shape: [n = 0, width = 0], data }) =>
  Array.from({ length: n }, (_, i) => Array.from(data.subarray(i * width, (i + 1) * width)).reduce((a, b) => a + b, 0))
)

const near = (x: number): ReturnType<typeof free> =>
  free(blackBox(`near ${x}`, ({ shape }) => new Array<number>(shape[0] ?? 0).fill(x)))

const all: Shelf = {
  named: new Map([
    ['bright', () => free(brightness<number>(4))],
    ['first', () => free(first)],
    ['asked', () => prompted(asked)],
    ['sum', () => free(sums)]
  ]),
  pattern: {
    about: 'near:X such as near:-1',
    find: (name) => {
      const [head, at] = name.split(':')
      if (head !== 'near') return O.none
      return O.some(
        Number.isFinite(Number(at))
          ? E.right(near(Number(at)))
          : E.left(fault('reward', 'near:X', name, 'name a number'))
      )
    }
  }
}

const x: Tensor = { shape: [2, 4], data: Float64Array.of(1, 2, 3, 4, -1, 0, 0, 8) }
const c: Tensor = { shape: [2, 2], data: Float64Array.of(5, 0, 7, 0) }

const values = async (text: string): Promise<ReadonlyArray<number>> => {
  const found = get(reward(all)(text))
  if (found._tag === 'BlackBox') return get(await found.evaluate(x)())
  const program = get(
    Program.make({ p: L.shapes(found.shapes), x: ['batch', 4], c: ['batch', 2] }, (inputs) => ({
      value: found.lens(X.retype(inputs.c, ['batch', 2])).forward(inputs.p, X.retype(inputs.x, ['batch', 4]))
    }))
  )
  const bound = { ...Program.under('p', found.parameters), x, c }
  return Array.from(get(Reference.run(program, { batch: 2 }, bound))['value']?.data ?? [])
}

const message = (text: string, from = all): string => {
  const found = reward(from)(text)
  return E.isLeft(found) ? showError(found.left) : `the reward ${found.right.name}`
}

// -------------------------------------------------------------------------------------
// sums
// -------------------------------------------------------------------------------------

describe('a sum', () => {
  test.each<readonly [string, ReadonlyArray<readonly [number, string]>]>([
    ['glasses', [[1, 'glasses']]],
    ['-smile', [[-1, 'smile']]],
    [
      'alignment + 0.5*aesthetic - .1 * compressibility',
      [
        [1, 'alignment'],
        [0.5, 'aesthetic'],
        [-0.1, 'compressibility']
      ]
    ],
    [
      '2e-1 * hat:red beanie|green cap+beard ',
      [
        [0.2, 'hat:red beanie|green cap'],
        [1, 'beard']
      ]
    ]
  ])('%j is its terms', (text, terms) => expect(get(parseSum(text))).toEqual(terms))

  test('is read back as it was written', () => {
    const weight = fc.double({ min: 1e-9, max: 1e9, noNaN: true })
    const terms = fc.array(fc.tuple(weight, fc.boolean(), fc.constantFrom('glasses', 'hat:green cap', 'alignment')), {
      minLength: 1
    })
    fc.assert(
      fc.property(terms, (some) => {
        const text = some.map(([w, minus, name]) => `${minus ? '-' : '+'} ${w} * ${name}`).join(' ')
        expect(get(parseSum(text))).toEqual(some.map(([w, minus, name]) => [minus ? -w : w, name]))
      })
    )
  })

  test.each([
    ['near:1,-0.5', [[1, 'near:1,-0.5']]],
    [
      'near:-1,2 - near:+1e-3, -2E+1',
      [
        [1, 'near:-1,2'],
        [-1, 'near:+1e-3, -2E+1']
      ]
    ],
    [
      '-near:.5e-2,-1.-glasses',
      [
        [-1, 'near:.5e-2,-1.'],
        [-1, 'glasses']
      ]
    ],
    [
      'glasses1e-beard',
      [
        [1, 'glasses1e'],
        [-1, 'beard']
      ]
    ]
  ])("%j: a sign in the numbers of a name is the name's", (text, terms) => expect(get(parseSum(text))).toEqual(terms))

  test.each([
    ['', '"", at ""'],
    ['  ', '"  ", at "  "'],
    ['glasses +', '"glasses +", at "+"'],
    ['0.5', '"0.5", at "0.5"'],
    ['glasses * 2', '"glasses * 2", at "* 2"'],
    ['2 glasses', '"2 glasses", at "2 glasses"'],
    ['1,5 * glasses', '"1,5 * glasses", at "1,5 * glasses"'],
    ['0x1 * glasses', '"0x1 * glasses", at "0x1 * glasses"'],
    ['a +- b', '"a +- b", at "+- b"']
  ])('%j is none', (text, got) => {
    const parsed = parseSum(text)
    expect(E.isLeft(parsed) ? showError(parsed.left) : parsed.right).toBe(
      `reward: expected a sum of rewards such as a + 0.5 * b, got ${got}; write [number *] name, joined by + or -`
    )
  })
})

describe('the reward of a sum', () => {
  test('is the one that a name stands for, as it is', () => {
    expect(get(reward(all)('first'))).toBe(first)
    expect(get(reward(all)(' sum '))).toBe(sums)
  })

  test.each([
    ['bright', [2.5, 1.75]],
    ['2 * first - bright', [3.5, -7.75]],
    ['-first', [-3, 3]],
    ['asked + 0.5 * first', [6.5, 5.5]],
    ['first + first', [6, -6]],
    ['sum', [10, 7]],
    ['first - 0.5 * sum', [-2, -6.5]],
    ['near:-2 + sum', [8, 5]]
  ])('%s has the weighted sum of the values', async (text, expected) => {
    expect(await values(text)).toEqual(expected)
  })

  test.each([
    ['bright', 'Differentiable'],
    ['2 * bright', 'Differentiable'],
    ['bright + asked', 'Differentiable'],
    ['sum', 'BlackBox'],
    ['2 * sum', 'BlackBox'],
    ['bright + sum', 'BlackBox']
  ])('%s is %s', (text, tag) => expect(get(reward(all)(text))._tag).toBe(tag))

  test('of a black box that fails fails', async () => {
    const broken = { _tag: 'RewardError', reward: 'broken', reason: 'it is' } as const
    const failing = shelf({
      broken: { _tag: 'BlackBox', name: 'broken', evaluate: () => TE.left(broken) },
      bright: brightness<number>(4)
    })
    const found = get(reward(failing)('bright + broken'))
    expect(found._tag === 'BlackBox' ? await found.evaluate(x)() : undefined).toEqual(E.left(broken))
  })

  test('can not have both a term that looks at the condition and a black box', () => {
    expect(message('asked + bright - sum')).toBe(
      'reward: expected a sum whose terms do not look at the prompt, since a black box is among them, got what is asked for; leave one of the two out'
    )
  })
})

describe('a name', () => {
  const names = 'bright, first, asked, sum, or near:X such as near:-1'

  test.each([
    ['brigth', 'bright, first, asked'],
    ['Sum', 'sum, asked, first'],
    ['constructor', 'first, sum, asked'],
    ['toString', 'bright, first, asked']
  ])('%j is unknown: all that are known, and the nearest', (name, nearest) => {
    expect(message(name)).toBe(`reward: expected ${names}, got "${name}"; the nearest are ${nearest}`)
    expect(message(`bright + ${name}`)).toBe(message(name))
  })

  test('of a pattern that names nothing is refused as the pattern says', () => {
    expect(message('bright + near:here')).toBe('reward: expected near:X, got "near:here"; name a number')
  })

  test('that a shelf has comes before its pattern', () => {
    const both: Shelf = { ...all, named: new Map([['near:1', () => free(sums)]]) }
    expect(get(reward(both)('near:1'))).toBe(sums)
  })
})

describe('a shelf', () => {
  test('of a record has its names, and no others', () => {
    const few = shelf({ bright: brightness<number>(4), sum: sums })
    expect(showNames(few)).toBe('bright, sum')
    expect(get(reward(few)('sum'))).toBe(sums)
    expect(message('near:1', few)).toBe('reward: expected bright, sum, got "near:1"; the nearest are bright, sum')
    expect(message('__proto__', few)).toMatch(/^reward: expected a sum of rewards/)
  })
})
