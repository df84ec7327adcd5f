import * as E from 'fp-ts/lib/Either.js'
import { describe, expect, test } from 'vitest'
import { evaluate } from '../../src/reward/Reward.js'
import { inWords, seeing, type Seen } from '../../src/reward/Seeing.js'
import { weighted } from '../../src/reward/Weighted.js'
import { decodedBlackBox } from '../../src/reward/Decoded.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import * as T from '../../src/tensor/Tensor.js'

const x0 = T.matrix([
  [0, 1],
  [2, 3],
  [4, 5]
])
const condition = { c: T.matrix([[10], [20], [30]]) }
const asked = { condition, prompt: ['a', 'b', 'c'] }

/** What was seen, batch by batch. */
const watching = (options = {}): { readonly seen: Array<Seen>; readonly reward: ReturnType<typeof seeing> } => {
  const seen: Array<Seen> = []
  const reward = seeing(
    'judge',
    async (one) => {
      seen.push(one)
      return Array.from(
        { length: one.rows },
        (_, row) => (one.x0.data[2 * row] ?? 0) + (one.condition['c']?.data[row] ?? 0)
      )
    },
    options
  )
  return { seen, reward }
}

describe('a reward that sees', () => {
  test('is given outputs, conditions, prompts and how many there are', async () => {
    const { seen, reward } = watching()
    expect(await evaluate(reward)(x0, asked)()).toEqual(E.right([10, 22, 34]))
    expect(seen).toEqual([{ x0, condition, prompt: ['a', 'b', 'c'], rows: 3 }])
  })

  test('is given some rows at a time, in order, and the last batch is what is left', async () => {
    const { seen, reward } = watching({ batch: 2 })
    expect(await reward.evaluate(x0, asked)()).toEqual(E.right([10, 22, 34]))
    expect(seen.map(({ rows, prompt }) => [rows, prompt])).toEqual([
      [2, ['a', 'b']],
      [1, ['c']]
    ])
    expect(seen[1]?.x0).toEqual(T.matrix([[4, 5]]))
    expect(seen[1]?.condition).toEqual({ c: T.matrix([[30]]) })
  })

  test('has empty words where no one knows them, and no condition where none was told', async () => {
    const { seen, reward } = watching()
    await reward.evaluate(x0, { condition })()
    await reward.evaluate(x0)()
    expect(seen.map(({ prompt, condition: { c } }) => [prompt, c?.shape])).toEqual([
      [
        ['', '', ''],
        [3, 1]
      ],
      [['', '', ''], undefined]
    ])
  })

  test('answers at once as well', async () => {
    expect(await seeing('judge', ({ rows }) => new Array<number>(rows).fill(1)).evaluate(x0)()).toEqual(
      E.right([1, 1, 1])
    )
  })

  const left = (reason: string): E.Either<unknown, never> => E.left({ _tag: 'RewardError', reward: 'judge', reason })

  test.each<[string, ReturnType<typeof seeing>, string]>([
    ['too few numbers for a batch', seeing('judge', () => [1], { batch: 2 }), 'expected 2 numbers, one a row, got 1'],
    ['a rejection', seeing('judge', () => Promise.reject(new Error('no network'))), 'it threw no network'],
    [
      'an exception',
      seeing('judge', () => {
        throw new Error('no model')
      }),
      'it threw no model'
    ],
    [
      'no answer in time',
      seeing('judge', () => new Promise(() => undefined), { timeout: 20 }),
      'it did not answer within 20 ms'
    ],
    [
      'no number of rows',
      seeing('judge', () => [], { batch: 0 }),
      'batch: expected a whole number of rows of at least 1, got 0'
    ],
    [
      'half a row',
      seeing('judge', () => [], { batch: 1.5 }),
      'batch: expected a whole number of rows of at least 1, got 1.5'
    ]
  ])('that gives %s is a left with its name', async (_, reward, reason) => {
    expect(await reward.evaluate(x0)()).toEqual(left(reason))
  })

  test('gives up after the first batch that fails', async () => {
    let calls = 0
    const reward = seeing(
      'judge',
      async () => {
        calls += 1
        throw new Error('busy')
      },
      { batch: 1 }
    )
    expect(await reward.evaluate(x0)()).toEqual(left('it threw busy'))
    expect(calls).toBe(1)
  })

  test('tells its signal that it is no longer waited for', async () => {
    let aborted = false
    const reward = seeing(
      'judge',
      (_, signal) =>
        new Promise(() => {
          signal.addEventListener('abort', () => {
            aborted = true
          })
        }),
      { timeout: 10 }
    )
    await reward.evaluate(x0)()
    expect(aborted).toBe(true)
  })

  test('is told in sums, and behind a decoder', async () => {
    const { seen, reward } = watching()
    expect(await weighted([[2, reward]]).evaluate(x0, asked)()).toEqual(E.right([20, 44, 68]))
    expect(await decodedBlackBox((z) => TE.right(z))(reward).evaluate(x0, asked)()).toEqual(E.right([10, 22, 34]))
    expect(seen.every(({ prompt }) => prompt.join('') === 'abc')).toBe(true)
  })

  test('is told the words of a condition, unless it was told others', async () => {
    const { seen, reward } = watching()
    const told = inWords(({ c }, rows) => Array.from({ length: rows }, (_, row) => `number ${c?.data[row] ?? 0}`))(
      reward
    )
    await told.evaluate(x0, { condition })()
    await told.evaluate(x0, asked)()
    expect(seen.map(({ prompt }) => prompt)).toEqual([
      ['number 10', 'number 20', 'number 30'],
      ['a', 'b', 'c']
    ])
  })
})
