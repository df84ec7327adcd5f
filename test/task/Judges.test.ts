import * as O from 'fp-ts/lib/Option.js'
import { pipe } from 'fp-ts/lib/function.js'
import { describe, expect, test } from 'vitest'
import type { MlpDescription } from '../../src/network/Description.js'
import { encodeModel, loadModel } from '../../src/network/Model.js'
import * as Network from '../../src/network/Network.js'
import { initial } from '../../src/lens/Initial.js'
import * as Draw from '../../src/random/Draw.js'
import * as Key from '../../src/random/Key.js'
import { blackBox } from '../../src/reward/Reward.js'
import { free, shelf } from '../../src/reward/Shelf.js'
import { heldOut, type Judges, projections } from '../../src/task/Judges.js'
import { reference } from '../../src/tensor/Target.js'
import { get } from '../network/adjoint.js'

const description: MlpDescription = {
  kind: 'mlp',
  features: 2,
  labels: 3,
  hidden: 4,
  blocks: 1,
  embedding: 4,
  share: 'cosine'
}
const model = get(loadModel(get(encodeModel(description, initial(Network.parameters(description), Key.make(1)), {}))))

const judge = (name: string): ReturnType<typeof blackBox> =>
  blackBox(name, ({ shape: [n = 0] }) => new Array<number>(n).fill(0))
const nameOf = (judges: Judges, reward: string): string =>
  pipe(
    heldOut(judges, model)(reward),
    O.match(
      () => 'none',
      ({ name }) => name
    )
  )

describe('the held-out reward', () => {
  const rewards = shelf({ smile: judge('smile by another'), hat: judge('hat by another') })

  test('has the name of the reward, or is the same sum', () => {
    expect(nameOf({ rewards }, 'smile')).toBe('smile by another')
    expect(nameOf({ rewards }, 'smile + 0.5*hat')).toBe('smile by another + 0.5 * hat by another')
  })

  test('is what judges otherwise where a name is missing, or none', () => {
    const otherwise = free(judge('clarity'))
    expect(nameOf({ rewards, otherwise }, 'beard')).toBe('clarity')
    expect(nameOf({ rewards, otherwise }, 'smile + beard')).toBe('clarity')
    expect(nameOf({ otherwise }, './mine.mjs')).toBe('clarity')
    expect(nameOf({ rewards }, 'beard')).toBe('none')
    expect(nameOf({}, 'beard')).toBe('none')
  })
})

describe('features for outputs of any kind', () => {
  test('are the outputs where they have few numbers', async () => {
    const outputs = Draw.normal(Key.make(2), [4, 2, 3])
    const found = get(await projections.read(reference)(outputs)())
    expect(found).toEqual({ shape: [4, 6], data: outputs.data })
  })

  test('are linear, the same each time, and keep distances on average', async () => {
    const outputs = Draw.normal(Key.make(3), [64, 300])
    const found = get(await projections.read(reference)(outputs)())
    expect(found.shape).toEqual([64, 32])
    expect(get(await projections.read(reference)(outputs)()).data).toEqual(found.data)
    const doubled = { shape: outputs.shape, data: outputs.data.map((x) => 2 * x) }
    get(await projections.read(reference)(doubled)()).data.forEach((x, i) =>
      expect(x).toBeCloseTo(2 * (found.data[i] ?? 0), 4)
    )
    // a product of a normal row with a direction has unit variance: the mean square of 2,048 of them
    const square = Array.from(found.data).reduce((sum, x) => sum + x * x, 0) / found.data.length
    expect(Math.abs(square - 1)).toBeLessThan(0.3)
  })
})
