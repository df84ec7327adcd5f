import * as E from 'fp-ts/lib/Either.js'
import { expect, test } from 'vitest'
import { configure } from '../../../../cli/command/ConfigOptions.js'
import { materialsOf } from '../../../../cli/command/ModelFile.js'
import { perRow } from '../../../../src/chain/Chain.js'
import * as Est from '../../../../src/estimator/Estimator.js'
import * as Variance from '../../../../src/estimator/reading/Variance.js'
import { gpuJs } from '../../../../src/kernel/index.js'
import { sgd } from '../../../../src/optimizer/Optimizer.js'
import * as Key from '../../../../src/random/Key.js'
import { below, type Values } from '../../../../src/tensor/Program.js'
import * as Critic from '../../../../src/training/Critic.js'
import * as Finetune from '../../../../src/training/Finetune.js'
import * as Requests from '../../../../src/training/Requests.js'
import * as Setup from '../../../../src/training/Setup.js'

const right = <L, A>(result: E.Either<L, A>): A => {
  if (E.isLeft(result)) throw new Error(JSON.stringify(result.left))
  return result.right
}

const batch = 32
const target = gpuJs({ mode: 'webasm' })

const posed = async (baseline: string): Promise<Setup.Setup> => {
  const { task, config } = right(
    await configure(
      { kl: { beta: 0 }, batch, trained: ['**.bias'] },
      { task: 'points', T: '10', estimator: `reinforce(baseline = ${baseline})` }
    )()
  )
  return right(Setup.setup(config, right(await materialsOf(task, config)())))
}

/** The variance of a sample's gradient in the biases, with the values that a critic has. */
const spread = async (setup: Setup.Setup, critic?: Values): Promise<Variance.Spread> => {
  const problem = { ...setup.base, chain: perRow(setup.base.chain, setup.base.trained) }
  const draws: Variance.Draws = {
    uniform: () => 0,
    request: (i, cover) => ({
      ...Requests.request(
        { ...problem, estimator: Est.always('drawn', cover) },
        setup.conditions,
        Key.foldIn(Key.make(9), i),
        setup.initial
      ),
      weights: new Array<number>(batch).fill(1),
      ...(critic === undefined ? {} : { learned: { [Critic.critic]: critic } })
    })
  }
  return right(await Variance.measure(problem, target, draws, 16)()).gradient
}

test('a critic that was fitted for 20 steps leaves a seventh of the variance, or less', async () => {
  const setup = await posed('critic')
  // the policy stands still
  const run = right(Finetune.compile(setup.problem, { optimizer: sgd(1e-12), conditions: setup.conditions, target }))
  let state = run.start(setup.initial)
  const first = await spread(setup, below('params', state.critic ?? {}))
  for await (const progress of Finetune.unfold(run, Key.make(1), state, 20)) state = right(progress).state
  const [none, fitted] = [await spread(await posed('none')), await spread(setup, below('params', state.critic ?? {}))]
  // it guesses 0 at first
  expect(first.variance / none.variance).toBeCloseTo(1, 6)
  const { value, interval } = Variance.ratio(none, fitted)
  expect(value).toBeGreaterThan(7)
  expect(interval[0]).toBeGreaterThan(5)
})
