import * as E from 'fp-ts/lib/Either.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { describe, expect, test } from 'vitest'
import * as Run from '../../laws/run/Run.js'
import { showError } from '../../src/document/Document.js'
import type { Imported } from '../../src/network/graph/Import.js'
import { blackJudge, byEngine, probed } from '../../src/network/BlackJudge.js'
import { decode, judge, type Judging } from '../../src/network/Judge.js'
import * as L from '../../src/lens/Lens.js'
import * as X from '../../src/tensor/Expr.js'
import * as Program from '../../src/tensor/Program.js'
import * as Reference from '../../src/tensor/Reference.js'
import { reference } from '../../src/tensor/Target.js'
import type { BlackBox } from '../../src/reward/Reward.js'
import type { Tensor } from '../../src/tensor/Tensor.js'
import { vector } from '../../src/tensor/Tensor.js'
import { graph, imported, node, right } from './graphs.js'

const weights = [0.3, -0.2, 0.5, 0.1, 0.7, -0.4, 0.2, 0.9, -0.6, 0.8, 0.05, -0.3]

/** Images of two channels, one line and two columns, flattened with their channels first, and mapped to three logits or one score. */
const model = (outputs: number): Imported =>
  imported(
    graph(
      [node('Flatten', ['image'], ['flat']), node('MatMul', ['flat', 'w'], ['score'])],
      { image: ['batch', 2, 1, 2] },
      {
        weights: { w: { shape: [4, outputs], data: Float64Array.from(weights.slice(0, 4 * outputs)) } },
        outputs: ['score']
      }
    )
  )

/** The logits of a row of line, column, channel in [-1, 1], by a judge of [0, 1]. */
const logits = (row: ReadonlyArray<number>, outputs: number): ReadonlyArray<number> => {
  const [a = 0, b = 0, c = 0, d = 0] = row.map((x) => (x + 1) / 2)
  // channels first: both columns of the first channel, then of the second
  return Array.from({ length: outputs }, (_, k) =>
    [a, c, b, d].reduce((sum, x, i) => sum + x * (weights[i * outputs + k] ?? 0), 0)
  )
}

const log = (z: ReadonlyArray<number>, k: number): number =>
  (z[k] ?? 0) - Math.log(z.reduce((sum, one) => sum + Math.exp(one), 0))

const row = [0.2, -0.7, 0.9, 0.4]
const ranges = { range: [0, 1], of: [-1, 1] } satisfies Judging

const rewardOf = (of: Imported, judging: Judging, c: ReadonlyArray<number>): number | undefined => {
  const { reward } = right(judge('judge', judging)(of), showError)
  const program = right(
    Program.make({ p: L.shapes(reward.shapes), x: ['batch', 4], c: ['batch', 3] }, ({ p, ...given }) => ({
      y: reward.lens(given.c).forward(p, given.x)
    })),
    (errors) => errors.map(({ got }) => got).join()
  )
  const values = {
    ...Program.under('p', reward.parameters),
    x: { shape: [1, 4], data: Float64Array.from(row) },
    c: { shape: [1, 3], data: Float64Array.from(c) }
  }
  const result = Reference.run(program, { batch: 1 }, values)
  return E.isLeft(result) ? undefined : result.right['y']?.data[0]
}

describe('a graph as a reward', () => {
  test('is the one number that it gives, in the range that it knows', () => {
    expect(rewardOf(model(1), ranges, [0, 0, 0])).toBeCloseTo(logits(row, 1)[0] ?? NaN, 12)
  })

  test('is the log-probability of a class, or of the label that was asked for', () => {
    const z = logits(row, 3)
    expect(rewardOf(model(3), { ...ranges, class: 2 }, [0, 0, 0])).toBeCloseTo(log(z, 2), 12)
    expect(rewardOf(model(3), { ...ranges, class: 'asked' }, [0, 1, 0])).toBeCloseTo(log(z, 1), 12)
  })

  test('has the pullback of its value', async () => {
    const { reward } = right(judge('judge', { ...ranges, class: 'asked' })(model(3)), showError)
    const c = X.broadcastTo(X.constant(vector([0, 1, 0]), [3]), ['batch', 3])
    const lens = { ...reward.lens(c), parameters: reward.shapes }
    await Run.lens({ name: 'judge', lens, argument: ['batch', 4], sizes: { batch: 2 } }, { numRuns: 2 })
  })

  const wrong: ReadonlyArray<readonly [string, object, string]> = [
    [
      'class',
      {},
      "class: expected a class of 0..2, or 'asked', got 3 numbers for each row; set `class` in the record of the judge"
    ],
    ['class', { class: 3 }, 'class: expected a class of 0..2, got 3'],
    ['class', { class: 'cat' }, 'class: expected a class, or \'asked\', got "cat"'],
    ['output', { class: 0, output: 'logits' }, 'output: expected an output, got score'],
    ['x', { class: 0, x: 'pixels' }, 'x: expected an input of images, got image'],
    ['field', { klass: 0 }, 'klass: expected one of the fields layout, x, output, class, range, of, blackBox']
  ]

  test.each(wrong)('a wrong %s is answered by the field to change', (_, document, message) => {
    const result = decode(document)
    const made = E.isLeft(result) ? result : judge('judge', result.right)(model(3))
    expect(E.isLeft(made) && showError(made.left)).toContain(message)
  })
})

describe('a graph as a black box', () => {
  const floats = (shape: ReadonlyArray<number>, data: ReadonlyArray<number>): Tensor => ({
    shape,
    data: Float64Array.from(data)
  })

  const asked = { condition: { c: floats([2, 3], [0, 0, 1, 0, 1, 0]) } }
  const rows = floats([2, 4], [...row, 0.1, 0.6, -0.5, -0.9])

  const scores = async (reward: BlackBox): Promise<ReadonlyArray<number> | string> => {
    const result = await reward.evaluate(rows, asked)()
    return E.isLeft(result) ? result.left.reason : result.right
  }

  test.each<readonly [string, Judging, number]>([
    ['a score', {}, 1],
    ['a class', { class: 1 }, 3],
    ['the label that was asked for', { class: 'asked' }, 3]
  ])('gives the numbers that a differentiable one gives: %s', async (_, judging, outputs) => {
    const reward = right(blackJudge('judge', { ...ranges, ...judging }, reference)(model(outputs)), showError)
    const each = [row, [0.1, 0.6, -0.5, -0.9]].map((one, i) => {
      const z = logits(one, outputs)
      if (outputs === 1) return z[0] ?? NaN
      return log(z, judging.class === 'asked' ? 2 - i : Number(judging.class))
    })
    const got = await scores(reward)
    expect(typeof got === 'string' ? got : got.map((value, i) => Math.abs(value - (each[i] ?? NaN)) < 1e-6)).toEqual([
      true,
      true
    ])
  })

  test('needs no pullback', async () => {
    // a norm that gives its mean too has none
    const nodes = [
      node('Flatten', ['image'], ['flat']),
      node('LayerNormalization', ['flat', 'g'], ['normed', 'mean']),
      node('MatMul', ['normed', 'w'], ['score'])
    ]
    const of = imported(
      graph(
        nodes,
        { image: ['batch', 2, 1, 2] },
        { weights: { g: floats([4], [1, 1, 1, 1]), w: floats([4, 1], [1, 0, 0, -1]) }, outputs: ['score'] }
      )
    )
    expect(of._tag).toBe('Forward')
    expect(E.isLeft(judge('judge', {})(of))).toBe(true)
    const [a = 0, b = 0, c = 0, d = 0] = row
    const mean = (a + b + c + d) / 4
    const deviation = Math.sqrt([a, b, c, d].reduce((sum, x) => sum + (x - mean) ** 2, 0) / 4)
    const [first = NaN] = await scores(right(blackJudge('judge', {}, reference)(of), showError))
    expect(first).toBeCloseTo((a - d) / deviation, 4)
  })

  test('by another engine sees images as its graph wants them, and says why it could not', async () => {
    const seen: Array<Tensor> = []
    const engine = (given: Tensor): TE.TaskEither<string, Tensor> => {
      seen.push(given)
      return TE.right({ shape: [2, 1], data: Float32Array.of(3, 4) })
    }
    expect(await scores(byEngine('judge', ranges, [2, 1, 2], engine))).toEqual([3, 4])
    const [image] = seen
    expect(image?.shape).toEqual([2, 2, 1, 2])
    for (const [i, value] of [0.6, 0.95, 0.15, 0.7].entries()) expect(image?.data[i]).toBeCloseTo(value, 6)
    expect(await scores(byEngine('judge', ranges, [2, 1, 2], () => TE.left('it is tired')))).toBe('it is tired')
    const told = await probed({}, [2, 1, 2], engine)()
    expect(E.isLeft(told) && typeof told.left !== 'string' && showError(told.left)).toContain(
      'class: expected a class of 0..1'
    )
    expect(await scores(byEngine('judge', { class: 'asked' }, [4], engine))).toContain('expected a label of 1')
  })
})
