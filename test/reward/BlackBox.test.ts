import * as E from 'fp-ts/lib/Either.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { describe, expect, test } from 'vitest'
import { decodedBlackBox } from '../../src/reward/Decoded.js'
import { type BlackBox, blackBox, blackBoxPromise, blackBoxTask, evaluate } from '../../src/reward/Reward.js'
import * as Shelf from '../../src/reward/Shelf.js'
import { weighted } from '../../src/reward/Weighted.js'
import { showError } from '../../src/document/Document.js'
import { fill, type Tensor } from '../../src/tensor/Tensor.js'

const x0: Tensor = fill([3, 2], 1)

const left = (reason: string): E.Either<unknown, never> => E.left({ _tag: 'RewardError', reward: 'judge', reason })

/** What a caller without types may return. */
const untyped = (given: unknown): BlackBox => blackBox('judge', () => given as ReadonlyArray<number>)

describe('a black box', () => {
  test('gives its rewards, also such as are not finite, which whoever asked judges', async () => {
    expect(await blackBox('judge', () => [1, Number.NaN, 3]).evaluate(x0)()).toEqual(E.right([1, Number.NaN, 3]))
    expect(await untyped(Float32Array.of(1, 2, 3)).evaluate(x0)()).toEqual(E.right([1, 2, 3]))
  })

  const throws = (): ReadonlyArray<number> => {
    throw new Error('no model')
  }

  test.each<[string, BlackBox, string]>([
    ['too few numbers', untyped([1, 2]), 'expected 3 numbers, one a row, got 2'],
    ['too many', untyped([1, 2, 3, 4]), 'expected 3 numbers, one a row, got 4'],
    ['none', untyped([]), 'expected 3 numbers, one a row, got 0'],
    ['nothing', untyped(undefined), 'expected 3 numbers, one a row, got nothing'],
    ['null', untyped(null), 'expected 3 numbers, one a row, got nothing'],
    ['a number', untyped(3), 'expected 3 numbers, one a row, got a value of type number'],
    ['a text of three characters', untyped('123'), 'expected 3 numbers, one a row, got a value of type string'],
    [
      'what only looks like a list',
      untyped({ length: 3 }),
      'expected 3 numbers, one a row, got a value of type object'
    ],
    ['a table', untyped([[1], [2], [3]]), 'expected 3 numbers, one a row, got a value of type object for row 0'],
    ['a text among them', untyped([1, '2', 3]), 'expected 3 numbers, one a row, got a value of type string for row 1'],
    ['a hole', untyped([1, undefined, 3]), 'expected 3 numbers, one a row, got nothing for row 1'],
    [
      'a promise',
      blackBox('judge', (() => Promise.reject(new Error('late'))) as never),
      'expected 3 numbers, one a row, got a promise; make the reward with blackBoxPromise'
    ],
    ['an exception', blackBox('judge', throws), 'it threw no model'],
    ['a rejection', blackBoxPromise('judge', () => Promise.reject(new Error('no network'))), 'it threw no network'],
    ['its own words', blackBoxTask('judge', () => TE.left('quota used up')), 'quota used up'],
    ['an exception of a task', blackBoxTask('judge', () => () => Promise.reject(new Error('gone'))), 'it threw gone'],
    ['an exception before the task', blackBoxTask('judge', () => throws() as never), 'it threw no model'],
    [
      'no answer',
      blackBoxPromise('judge', () => new Promise(() => undefined), { timeout: 20 }),
      'it did not answer within 20 ms'
    ],
    [
      'a timeout of 0',
      blackBoxPromise('judge', async () => [1, 2, 3], { timeout: 0 }),
      'timeout: expected milliseconds above 0, got 0'
    ],
    [
      'a timeout of NaN',
      blackBoxPromise('judge', async () => [1, 2, 3], { timeout: NaN }),
      'timeout: expected milliseconds above 0, got NaN'
    ],
    ['too few numbers, later', blackBoxPromise('judge', async () => [1]), 'expected 3 numbers, one a row, got 1']
  ])('that gives %s is a left with its name', async (_, reward, reason) => {
    expect(await reward.evaluate(x0)()).toEqual(left(reason))
  })

  test('that was made by hand is judged the same when it is evaluated', async () => {
    const byHand = (rewards: TE.TaskEither<never, ReadonlyArray<number>>): BlackBox => ({
      _tag: 'BlackBox',
      name: 'judge',
      evaluate: () => rewards
    })
    expect(await evaluate(byHand(TE.right([1, 2])))(x0)()).toEqual(left('expected 3 numbers, one a row, got 2'))
    expect(await evaluate(byHand(() => Promise.reject(new Error('no'))))(x0)()).toEqual(left('it threw no'))
    expect(await evaluate(byHand(TE.right([1, 2, 3])))(x0)()).toEqual(E.right([1, 2, 3]))
  })

  test('keeps its name in a sum, and behind a decoder', async () => {
    const short = untyped([1])
    const fine = blackBox('fine', () => [1, 2, 3])
    const expected = left('expected 3 numbers, one a row, got 1')
    expect(
      await evaluate(
        weighted([
          [1, fine],
          [2, short]
        ])
      )(x0)()
    ).toEqual(expected)
    expect(await evaluate(decodedBlackBox((latents) => TE.right(latents))(short))(x0)()).toEqual(expected)
  })

  test('that answers in time is not disturbed, whatever the limit', async () => {
    for (const timeout of [1000, 2 ** 40, Infinity])
      expect(await blackBoxPromise('judge', async () => [1, 2, 3], { timeout }).evaluate(x0)()).toEqual(
        E.right([1, 2, 3])
      )
  })
})

describe('the signal of a black box', () => {
  test('is aborted when the time is up, and a late answer is not heard', async () => {
    let seen: AbortSignal | undefined
    const reward = blackBoxPromise(
      'judge',
      (_, signal) => {
        seen = signal
        return new Promise((resolve) => {
          signal.addEventListener('abort', () => resolve([1, 2, 3]))
        })
      },
      { timeout: 10 }
    )
    expect(await reward.evaluate(x0)()).toEqual(left('it did not answer within 10 ms'))
    expect(seen?.aborted).toBe(true)
  })

  test('is aborted from outside, before and while it is asked', async () => {
    const outer = new AbortController()
    let asked = 0
    const reward = blackBoxPromise(
      'judge',
      () => {
        asked++
        return new Promise(() => undefined)
      },
      { signal: outer.signal }
    )
    const answer = reward.evaluate(x0)()
    setTimeout(() => outer.abort(), 5)
    expect(await answer).toEqual(left('it was given up before it answered'))
    expect(await reward.evaluate(x0)()).toEqual(left('it was given up before it answered'))
    expect(asked).toBe(1)
  })
})

describe('the weights of a sum', () => {
  const shelf = Shelf.shelf({ smile: blackBox('smile', () => [1, 2, 3]) })

  test.each(['1e999*smile', '1e39*smile', 'smile - 4e38*smile'])('%s is refused by name', (text) => {
    const result = Shelf.reward(shelf)(text)
    expect(E.isLeft(result) && showError(result.left)).toBe(
      `reward: expected weights that are finite in f32, at most 3.4e38, got ${/[0-9]+e[0-9]+/.exec(text)?.[0] ?? ''} * smile; write a smaller one`
    )
  })

  test('up to the greatest number of f32 are taken', () => {
    expect(E.isRight(Shelf.reward(shelf)('3.4e38*smile'))).toBe(true)
  })
})
