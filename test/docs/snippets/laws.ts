import * as E from 'fp-ts/lib/Either.js'
import { Reward, Run } from 'halforder/laws'
import { Tensor } from 'halforder/tensor'
import { control } from './chain.js'
import { twoSegments } from './estimator.js'
import { laplace } from './noise.js'
import { near } from './reward.js'
import { setting } from './setting.js'

export const laws = async (): Promise<void> => {
  const mine = twoSegments(3, 1)
  await Run.chain({ chain: control([0.5, 1], laplace), params: { gain: Tensor.vector([0.25]) }, condition: {} })
  await Run.lens(Reward.subject(near(1), ['batch', 1], {}))
  if (E.isRight(mine)) await Run.estimator(setting)({ estimator: mine.right })
}
