import * as E from 'fp-ts/lib/Either.js'
import { afterAll, describe, expect, test } from 'vitest'
import { showError as showDocument } from '../../src/document/Document.js'
import * as Advantage from '../../src/estimator/Advantage.js'
import * as Catalogue from '../../src/estimator/Catalogue.js'
import type { Estimator } from '../../src/estimator/Estimator.js'
import * as Gradient from '../../src/estimator/Gradient.js'
import type { Problem } from '../../src/estimator/Gradient.js'
import * as Kernel from '../../src/kernel/index.js'
import type { None } from '../../src/lens/Lens.js'
import type { Rows } from '../../src/lens/Rows.js'
import type { MlpParameters } from '../../src/network/Mlp.js'
import * as Draw from '../../src/random/Draw.js'
import * as Key from '../../src/random/Key.js'
import { type BlackBox, blackBox } from '../../src/reward/Reward.js'
import type { Values } from '../../src/tensor/Program.js'
import { map, type Tensor } from '../../src/tensor/Tensor.js'
import { batchAt, table } from '../../src/training/Batches.js'
import type { Conditions } from '../../src/training/Conditions.js'
import * as Config from '../../src/training/Config.js'
import * as Evaluation from '../../src/training/measure/Evaluation.js'
import * as Finetune from '../../src/training/Finetune.js'
import * as Requests from '../../src/training/Requests.js'
import * as Objectives from '../../src/training/Objective.js'
import * as Pretrain from '../../src/training/Pretrain.js'
import { optimizer } from '../../src/training/Descent.js'
import { conditions, params, right, T, tiny } from './tiny.js'

const key = Key.make(11)
const target = Kernel.gpuJs({ mode: 'webasm' })
afterAll(() => target.dispose())

type Tiny = Problem<MlpParameters, readonly ['batch', 12], Rows<34>, None>

const judged = (estimator: Estimator, reward: BlackBox, more: Partial<Tiny> = {}): Tiny => ({
  ...tiny(estimator),
  reward,
  ...more
})

/** The mean of a row's pixels, but for what `wrong` says of a row. */
const judge = (wrong: (row: number) => number | undefined = () => undefined): BlackBox =>
  blackBox('smile', ({ data }: Tensor) =>
    [0, 1, 2].map(
      (row) => wrong(row) ?? Array.from(data.slice(12 * row, 12 * (row + 1))).reduce((a, b) => a + b, 0) / 12
    )
  )

const at = (bad: number, value: number) => (row: number) => (row === bad ? value : undefined)

const compiled = (problem: Tiny, given = Config.defaults.optimizer): Finetune.Run =>
  right(Finetune.compile(problem, { optimizer: optimizer(given), conditions, target }))

const said = (result: E.Either<Finetune.RunError, unknown>): string =>
  E.isLeft(result) ? Finetune.showError(result.left) : 'accepted'

const blackBoxes: ReadonlyArray<readonly [string, Estimator]> = [
  ['rlr', right(Catalogue.blackBoxRlr({ T, h: 2, lowest: 2 }))],
  ['central evolution strategies', right(Catalogue.evolutionStrategies({ T, form: 'central' }))],
  ['forward evolution strategies', right(Catalogue.evolutionStrategies({ T, form: 'forward' }))],
  ['one-point evolution strategies', right(Catalogue.evolutionStrategies({ T, form: 'onePoint' }))]
]

describe.each(blackBoxes)('a step of %s', (_, estimator) => {
  test.each([
    [Number.NaN, 'NaN'],
    [Infinity, 'Infinity'],
    [-Infinity, '-Infinity'],
    [1e39, '1e+39, beyond f32,']
  ])('stops at a reward of %s, by name and row', async (value, shown) => {
    const run = compiled(judged(estimator, judge(at(1, value))))
    expect(said(await run.step(key, run.start(params))())).toBe(
      `step 1: reward 'smile': expected finite numbers, got ${shown} in row 1; ` +
        'lower the learning rate or the radius, bound the reward, or let nonFinite be skipRow'
    )
  })

  test('does not count a reward that is missing as 0', async () => {
    const run = compiled(
      judged(
        estimator,
        blackBox('smile', () => [1, 2])
      )
    )
    expect(said(await run.step(key, run.start(params))())).toBe(
      "step 1: reward 'smile': expected 3 numbers, one a row, got 2"
    )
  })

  test('that skips a row is that of the other rows, bit for bit', async () => {
    const advantage = Advantage.none
    const one = (reward: BlackBox, nonFinite: Gradient.NonFinite): Promise<E.Either<unknown, Gradient.Estimate>> => {
      const problem = judged(estimator, reward, { advantage, nonFinite })
      const { run } = right(Gradient.compile(problem, target))
      return run(Requests.request(problem, conditions, key, params))()
    }
    const problem = judged(estimator, judge(), { advantage })
    const asked = Requests.request(problem, conditions, key, params)
    const without = right(
      await right(Gradient.compile(problem, target)).run({
        ...asked,
        weights: asked.weights.map((weight, row) => (row === 1 ? 0 : weight))
      })()
    )
    for (const value of [Number.NaN, Infinity, -Infinity]) {
      const skipped = right(await one(judge(at(1, value)), 'skipRow'))
      expect(skipped.skipped).toEqual([1])
      expect(skipped.gradient).toEqual(without.gradient)
    }
    // and a row that is finite is not skipped
    const all = right(await one(judge(), 'skipRow'))
    expect([all.skipped, all.gradient]).toEqual([[], right(await one(judge(), 'stop')).gradient])
    expect(all.gradient).not.toEqual(without.gradient)
  })

  test('has baselines of the rows that are not skipped', async () => {
    const seen: Array<ReadonlyArray<number>> = []
    const advantage: Advantage.Advantage = {
      ...Advantage.none,
      apply: (rewards, state) => {
        seen.push(rewards)
        return { advantages: rewards, state }
      }
    }
    const run = compiled(judged(estimator, judge(at(1, Number.NaN)), { advantage, nonFinite: 'skipRow' }))
    const { rewards, skipped, state } = right(await run.step(key, run.start(params))())
    expect([rewards.length, skipped]).toEqual([2, 1])
    expect(seen).toEqual([rewards])
    expect(Object.values(state.params).every(({ data }) => data.every(Number.isFinite))).toBe(true)
  })

  test('stops where no row is left', async () => {
    const run = compiled(
      judged(
        estimator,
        judge(() => Number.NaN),
        { nonFinite: 'skipRow' }
      )
    )
    expect(said(await run.step(key, run.start(params))())).toBe(
      "step 1: reward 'smile': expected a finite one in some row, got none in 3; nothing is left to learn from, so bound the reward"
    )
  })
})

describe('a skipped row', () => {
  test('whose trajectory is not finite either changes no bit of the others', async () => {
    // a first row that starts far beyond f32 has states that are not finite, of which the reward knows nothing
    const estimator = right(Catalogue.reinforceAfterFirst(T))
    const problem = { ...tiny(estimator), advantage: Advantage.none }
    const asked = Requests.request(problem, conditions, key, params)
    const weights = asked.weights.map((weight, row) => (row === 0 ? 0 : weight))
    const plain = right(await right(Gradient.compile(problem, target)).run({ ...asked, weights })())
    const xT = { shape: asked.xT.shape, data: asked.xT.data.slice().fill(3e38, 0, 12) }
    const gradients = right(Gradient.compile({ ...problem, nonFinite: 'skipRow' }, target))
    const { gradient, skipped } = right(await gradients.run({ ...asked, xT })())
    expect(skipped).toEqual([0])
    expect(gradient).toEqual(plain.gradient)
    // without a selection the same weights are no help: 0 times infinity is not 0
    const stopped = await right(Gradient.compile(problem, target)).run({ ...asked, xT, weights })()
    expect(E.isLeft(stopped) && Gradient.showError(stopped.left)).toMatch(
      /^the samples: expected finite numbers, got (NaN|-?Infinity) in row 0; lower the learning rate/
    )
  })
})

describe('a run', () => {
  const rlr = tiny(right(Catalogue.rlr({ T, h: 2 })))
  const strategies = right(Catalogue.evolutionStrategies({ T }))

  const until = async (run: Finetune.Run): Promise<ReadonlyArray<E.Either<Finetune.RunError, Finetune.Progress>>> => {
    const seen: Array<E.Either<Finetune.RunError, Finetune.Progress>> = []
    for await (const progress of Finetune.unfold(run, key, run.start(params), 6)) seen.push(progress)
    return seen
  }

  test('that diverges stops at the first number that is not finite, and every state before it is finite', async () => {
    const run = compiled(rlr, { ...Config.defaults.optimizer, name: 'sgd', learningRate: 3e38, clip: 0 })
    const seen = await until(run)
    const last = seen.at(-1)
    expect(last !== undefined && E.isLeft(last)).toBe(true)
    for (const progress of seen.slice(0, -1)) {
      const { state } = right(progress)
      const values: Values = { ...state.params, ...state.optimizer }
      expect(Object.values(values).every(({ data }) => data.every(Number.isFinite))).toBe(true)
    }
    expect(last === undefined ? '' : said(last)).toMatch(/^step [1-6]: .*expected finite numbers, got /)
  })

  const sgd = { ...Config.defaults.optimizer, name: 'sgd', learningRate: 3e38, clip: 0 } as const
  const times = (factor: number): BlackBox =>
    blackBox('smile', ({ data }: Tensor) => [0, 1, 2].map((row) => factor * (1 + (data[12 * row] ?? 0))))

  test('stops at a condition that is no number, by the row that it spoils', async () => {
    const spoilt: Conditions = (of, n) => {
      const { c, ...others } = conditions(of, n)
      return { ...others, ...(c && { c: map((v, i) => (i === 34 ? Number.NaN : v))(c) }) }
    }
    for (const problem of [rlr, tiny(strategies)]) {
      const run = right(
        Finetune.compile(problem, { optimizer: optimizer(Config.defaults.optimizer), conditions: spoilt, target })
      )
      expect(said(await run.step(key, run.start(params))())).toMatch(
        /^step 1: .*the samples: expected finite numbers, got NaN in row 1; /
      )
    }
  })

  test('names the parameter of a gradient, and of an update, that is not finite', async () => {
    const onePoint = right(Catalogue.evolutionStrategies({ T, form: 'onePoint', radius: 1e-6 }))
    const steep = compiled(judged(onePoint, times(2e38)), sgd)
    expect(said(await steep.step(key, steep.start(params))())).toMatch(
      /^step 1: expected finite numbers, got a gradient where labels.weight\[0, 0\] is (NaN|-?Infinity); lower optimizer.learningRate or estimator.radius, or clip$/
    )
    const far = compiled(judged(strategies, times(1e6)), sgd)
    expect(said(await far.step(key, far.start(params))())).toMatch(
      /^step 1: expected finite numbers, got an update where labels.weight\[0, \d+\] is -?Infinity; lower optimizer.learningRate or estimator.radius, or clip$/
    )
  })
})

describe('held-out samples', () => {
  const measured = (
    reward: BlackBox,
    nonFinite: Gradient.NonFinite
  ): Promise<E.Either<Gradient.EstimatorError, Evaluation.Measured>> =>
    right(
      Evaluation.compile(judged(right(Catalogue.evolutionStrategies({ T })), reward, { nonFinite }), conditions, target)
    ).run(params, key, 5)()

  test('stop at a reward that is not finite, counted over all batches', async () => {
    let batch = 0
    const later = blackBox('smile', () => (batch++ === 0 ? [1, 2, 3] : [4, Number.NaN, 6]))
    const result = await measured(later, 'stop')
    expect(E.isLeft(result) && Gradient.showError(result.left)).toContain(
      "reward 'smile': expected finite numbers, got NaN in row 4;"
    )
  })

  test('do not stop at one beyond those that were asked for', async () => {
    let batch = 0
    const later = blackBox('smile', () => (batch++ === 0 ? [1, 2, 3] : [4, 5, Number.NaN]))
    expect(right(await measured(later, 'stop'))).toMatchObject({ rewards: [1, 2, 3, 4, 5], skipped: 0 })
  })

  test('leave out and count what is skipped', async () => {
    expect(right(await measured(judge(at(1, Infinity)), 'skipRow'))).toMatchObject({ skipped: 2 })
    const none = await measured(
      judge(() => Number.NaN),
      'skipRow'
    )
    expect(E.isLeft(none) && Gradient.showError(none.left)).toContain(
      'expected a finite one in some row, got none in 5'
    )
  })
})

describe('a training', () => {
  const objective = Objectives.denoising({
    kind: 'mlp',
    features: 2,
    labels: 1,
    hidden: 4,
    blocks: 1,
    embedding: 2,
    share: 'cosine'
  })
  const recipe: Pretrain.Recipe = {
    steps: 4,
    learningRate: 1e-2,
    warmup: 1,
    beta2: 0.99,
    weightDecay: 0,
    clip: 1e30,
    average: 0.9
  }
  const data = { x0: Draw.normal32(Key.make(2), [8, 2]), labels: { shape: [8, 1], data: new Float32Array(8) } }

  const errors = async (
    given: Pretrain.Recipe,
    change: (batch: Values, step: number) => Values = (batch) => batch
  ): Promise<ReadonlyArray<string>> => {
    const program = right(Pretrain.trainingStep(objective, given))
    const executable = right(target.compile(program, { batch: 4 }))
    const batches = batchAt(table(data), 4, { all: 0, some: 0 }, Key.make(3))
    const start = Pretrain.start(objective, given, Key.make(4))
    const seen: Array<string> = []
    for await (const next of Pretrain.train(executable, given, (step) => change(batches(step), step), start))
      seen.push(E.isLeft(next) ? Pretrain.showTrainError(next.left) : `step ${next.right.step}`)
    await executable.dispose()
    return seen
  }

  test('that stays finite runs to its end', async () => {
    expect(await errors(recipe)).toEqual(['step 1', 'step 2', 'step 3', 'step 4'])
  })

  test('stops at an example that is not finite, by its place', async () => {
    const withNaN = (batch: Values, step: number): Values =>
      step < 2 ? batch : { ...batch, x0: { shape: [4, 2], data: Float32Array.of(0, 0, 0, 0, 0, Number.NaN, 0, 0) } }
    expect(await errors(recipe, withNaN)).toEqual([
      'step 1',
      'step 2',
      'step 3: expected finite numbers, got some where x0[2, 1] is NaN; check the examples, or lower the learning rate'
    ])
  })

  test('stops when it diverges', async () => {
    const seen = await errors({ ...recipe, learningRate: 3e38 })
    expect(seen.length).toBeLessThan(4)
    expect(seen.at(-1)).toMatch(
      /^step [1-4]: expected finite numbers, got some where [a-z0-9.]+(\[[\d, ]+\])? is (NaN|-?Infinity); check the examples, or lower the learning rate$/
    )
  })
})

describe('a configuration', () => {
  const message = (given: unknown): string => {
    const decoded = Config.decode()(given)
    return E.isLeft(decoded) ? showDocument(decoded.left) : 'accepted'
  }
  const seed = 'seed: expected a whole number in 0..9007199254740991, got'

  test.each([
    [{ optimizer: { beta1: 1 } }, 'optimizer.beta1: expected a number of at least 0 and below 1, got 1; correct it'],
    [{ optimizer: { beta2: 1 } }, 'optimizer.beta2: expected a number of at least 0 and below 1, got 1; correct it'],
    [
      { optimizer: { beta1: -0.1 } },
      'optimizer.beta1: expected a number of at least 0 and below 1, got -0.1; correct it'
    ],
    [
      { optimizer: { learningRate: 1e39 } },
      'optimizer.learningRate: expected a number above 0 that f32 holds, got 1e+39; correct it'
    ],
    [
      { optimizer: { learningRate: 1e-60 } },
      'optimizer.learningRate: expected a number above 0 that f32 holds, got 1e-60; correct it'
    ],
    [
      { optimizer: { learningRate: 0 } },
      'optimizer.learningRate: expected a number above 0 that f32 holds, got 0; correct it'
    ],
    [
      { optimizer: { weightDecay: 1e39 } },
      'optimizer.weightDecay: expected a number of at least 0 that f32 holds, got 1e+39; correct it'
    ],
    [
      { optimizer: { clip: 1e39 } },
      'optimizer.clip: expected a number of at least 0 that f32 holds, got 1e+39; correct it'
    ],
    [
      { optimizer: { clip: Infinity } },
      'optimizer.clip: expected a number of at least 0 that f32 holds, got Infinity; correct it'
    ],
    [
      { estimator: { radius: 1e39 } },
      'estimator.radius: expected a number above 0 that f32 holds, got 1e+39; correct it'
    ],
    [{ adapter: { alpha: 1e39 } }, 'adapter.alpha: expected a number above 0 that f32 holds, got 1e+39; correct it'],
    [{ chain: { clip: -1 } }, 'chain.clip: expected a number of at least 0 that f32 holds, got -1; correct it'],
    [{ chain: { lastNoise: 0 } }, 'chain.lastNoise: expected true or false, got 0; correct it'],
    [
      { optimizer: { momentum: 1 } },
      'optimizer.momentum: expected a number of at least 0 and below 1, got 1; correct it'
    ],
    [{ optimizer: { nesterov: 'yes' } }, 'optimizer.nesterov: expected true or false, got "yes"; correct it'],
    [{ chain: { guidance: 1e39 } }, 'chain.guidance: expected a finite number that f32 holds, got 1e+39; correct it'],
    [
      { advantage: { baseline: -1e39 } },
      'advantage.baseline: expected a finite number that f32 holds, got -1e+39; correct it'
    ],
    [{ seed: 2 ** 53 }, `${seed} 9007199254740992; correct it`],
    [{ seed: -1 }, `${seed} -1; correct it`],
    [{ seed: 0.5 }, `${seed} 0.5; correct it`],
    [{ seed: Infinity }, `${seed} Infinity; correct it`],
    [{ seed: Number.NaN }, `${seed} NaN; correct it`],
    [{ seed: 2 ** 53 - 1 }, 'accepted'],
    [{ nonFinite: 'skip' }, 'nonFinite: expected one of stop, skipRow, got "skip"; correct it'],
    [{ nonFinite: 'skipRow' }, 'accepted'],
    [
      { estimator: { start: [2] } },
      'estimator.start: expected a list of 2 (the lowest and the highest start), got [2]; give it 2'
    ]
  ])('%j: %s', (given, expected) => {
    expect(message(given)).toBe(expected)
  })

  test('differs from another in the fields that differ, by path', () => {
    const other = {
      ...Config.defaults,
      seed: 2,
      estimator: { ...Config.defaults.estimator, start: [2, 3] as [number, number] }
    }
    expect(Config.differences(Config.defaults, other)).toEqual([
      { path: 'estimator.start', expected: 'null', got: '[2,3]' },
      { path: 'seed', expected: '1', got: '2' }
    ])
    expect(Config.differences(Config.defaults, Config.defaults)).toEqual([])
  })
})
