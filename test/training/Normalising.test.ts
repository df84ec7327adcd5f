import * as E from 'fp-ts/lib/Either.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { describe, expect, it } from 'vitest'
import { showError } from '../../src/document/Document.js'
import { initial } from '../../src/lens/Initial.js'
import type { MlpDescription } from '../../src/network/Description.js'
import { encodeModel, loadModel } from '../../src/network/Model.js'
import * as Network from '../../src/network/Network.js'
import * as Key from '../../src/random/Key.js'
import { blackBox, type BlackBox } from '../../src/reward/Reward.js'
import * as Shelf from '../../src/reward/Shelf.js'
import { reference } from '../../src/tensor/Target.js'
import type { Tensor } from '../../src/tensor/Tensor.js'
import { oneOf } from '../../src/training/Conditions.js'
import * as Config from '../../src/training/Config.js'
import { normalised, pilot } from '../../src/training/Normalising.js'
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

const seen: Array<number> = []
const column = (name: string, scale: number, i: number): BlackBox =>
  blackBox(name, ({ shape: [rows = 0], data }: Tensor) => {
    const values = Array.from({ length: rows }, (_, row) => scale * (data[2 * row + i] ?? 0))
    if (name === 'x') seen.push(...values)
    return values
  })

const rewards = Shelf.shelf({
  x: column('x', 1000, 0),
  y: column('y', 0.01, 1),
  flat: blackBox('flat', ({ shape: [rows = 0] }) => new Array<number>(rows).fill(3))
})
const materials = { model, language: oneOf(['a', 'b', 'c']), rewards }
const config = (reward: string, normalise = true): Config.Config =>
  get(
    Config.decode()({
      reward,
      normalise,
      model: 'any',
      chain: { T: 3 },
      estimator: { name: 'blackBoxRlr' },
      trained: ['**.bias'],
      batch: 16
    })
  )

const said = async (reward: string): Promise<string> => {
  const made = await normalised(config(reward), materials, reference)()
  return E.isLeft(made) ? showError(made.left) : 'accepted'
}

describe('rewards that are normalised apart', () => {
  it('are divided by their deviations on samples of the base, each by its own', async () => {
    seen.length = 0
    const made = get(await normalised(config('x + 2*y'), materials, reference)())
    const mean = seen.reduce((a, b) => a + b, 0) / seen.length
    const deviation = Math.sqrt(seen.reduce((a, b) => a + (b - mean) ** 2, 0) / (seen.length - 1))
    expect(seen).toHaveLength(pilot)
    expect(made.rewards.scales?.get('x')).toBeCloseTo(deviation, 6)
    const sum = get(Shelf.reward(made.rewards)('x + 2*y'))
    const [sx = 0, sy = 0] = [made.rewards.scales?.get('x'), made.rewards.scales?.get('y')]
    expect(sx / sy).toBeGreaterThan(1000)
    const row: Tensor = { shape: [1, 2], data: Float64Array.of(0.3, -0.7) }
    const expected = (1000 * 0.3) / sx - (2 * 0.01 * 0.7) / sy
    expect(get(sum._tag === 'BlackBox' ? await sum.evaluate(row)() : E.right([NaN]))[0]).toBeCloseTo(expected, 12)
  })

  it('are the same from the same seed', async () => {
    const scales = async (): Promise<unknown> =>
      get(await normalised(config('x + y'), materials, reference)()).rewards.scales
    expect(await scales()).toEqual(await scales())
  })

  it('are left as they are where that is not asked for', async () => {
    expect(await normalised(config('x + y', false), materials, reference)()).toEqual(await TE.right(materials)())
  })

  it('are refused by name where there is one, or one that does not vary', async () => {
    expect(await said('x')).toBe(
      'normalise: expected a sum of several rewards, got "x"; set it to false: one reward has no other beside it'
    )
    expect(await said('x + flat')).toBe(
      `normalise: expected samples of the base on which each reward can be measured, got flat, which is the same for all of ${pilot} samples, or no number; set it to false`
    )
    expect(await said('x + z')).toContain('reward: expected x, y, flat, got "z"')
  })
})
