import * as E from 'fp-ts/lib/Either.js'
import { Cover } from 'halforder/estimator'
import { Reward, Run } from 'halforder/laws'
import { Tensor } from 'halforder/tensor'
import { control } from '../snippets/chain.js'
import { twoSegments } from '../snippets/estimator.js'
import { laplace } from '../snippets/noise.js'
import { near } from '../snippets/reward.js'
import { setting } from '../snippets/setting.js'

const made = twoSegments(3, 1)
if (E.isLeft(made)) throw new Error(Cover.showError(made.left))
const [estimator, chain, params, reward] = [
  made.right,
  control([0.5, 1], laplace),
  { gain: Tensor.vector([0.25]) },
  near(1)
] as const
const condition = {}
const state = ['batch', 1] as const

// the example
await Run.chain({ chain, params, condition })
await Run.lens(Reward.subject(reward, state, condition))
await Run.estimator(setting)({ estimator }) // segments of one step will do
