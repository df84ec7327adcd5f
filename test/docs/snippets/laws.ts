import * as E from 'fp-ts/lib/Either.js'
import { Cover } from 'halforder/estimator'
import { Reward, Run } from 'halforder/laws'
import { Tensor } from 'halforder/tensor'
import { control } from './chain.js'
import { twoSegments } from './estimator.js'
import { laplace } from './noise.js'
import { near } from './reward.js'
import { setting } from './setting.js'

export const laws = async (): Promise<void> => {
  const mine = twoSegments(3, 1)
  if (E.isLeft(mine)) throw new Error(Cover.showError(mine.left))
  await Run.chain({ chain: control([0.5, 1], laplace), params: { gain: Tensor.vector([0.25]) }, condition: {} })
  await Run.lens(Reward.subject(near(1), ['batch', 1], {}))
  await Run.estimator(setting)({ estimator: mine.right })
}
