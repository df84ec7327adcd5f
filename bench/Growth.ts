/**
 * How time and memory grow: a rollout, half-order credit of two steps and full backpropagation, each along the length of the
 * chain, the batch and the width of the network, around T = 50, batch 64, width 256.
 */
import { firstOrder, halfOrder, mlp, rollout, type Size } from './Mlp.js'
import type { Contender, Work } from './Work.js'

const middle: Size = { T: 50, batch: 64, features: 196, width: 256 }

const axes = {
  T: [10, 25, 50, 100, 200],
  batch: [8, 16, 32, 64, 128, 256],
  width: [64, 128, 256, 512]
} as const

const programs = {
  rollout: (size: Size) => rollout(mlp(size)),
  credit: (size: Size) => halfOrder(mlp(size), 2),
  full: (size: Size) => firstOrder(mlp(size), size.T)
} as const

/** The works. Their numbers are drawn when they run. */
export const growth: ReadonlyArray<Work> = Object.entries(programs).flatMap(([program, make]) =>
  Object.entries(axes).flatMap(([axis, values]) =>
    values.map((value): Work => {
      const size = { ...middle, [axis]: value }
      return {
        name: `growth-${program}-${axis}-${value}`,
        about: `T = ${size.T}, batch ${size.batch}, width ${size.width}`,
        threads: [1],
        contenders: { ours: (threads): Promise<Contender> => make(size)(threads) }
      }
    })
  )
)
