import { readFileSync } from 'node:fs'
import * as E from 'fp-ts/lib/Either.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { describe, expect, test } from 'vitest'
import * as Files from '../../../../cli/edge/Files.js'
import * as Faces from '../../../../cli/tasks/faces/Faces.js'
import * as Rewards from '../../../../cli/tasks/faces/Rewards.js'
import { showError } from '../../../../src/document/Document.js'
import * as L from '../../../../src/lens/Lens.js'
import { loadAesthetic } from '../../../../cli/tasks/faces/Aesthetic.js'
import { initial } from '../../../../src/lens/Initial.js'
import { classifier } from '../../../../src/network/Classifier.js'
import type { ClassifierDescription } from '../../../../src/network/Description.js'
import * as Key from '../../../../src/random/Key.js'
import * as Draw from '../../../../src/random/Draw.js'
import { blackBox } from '../../../../src/reward/Reward.js'
import * as Shelf from '../../../../src/reward/Shelf.js'
import * as Program from '../../../../src/tensor/Program.js'
import * as Reference from '../../../../src/tensor/Reference.js'
import type { Tensor } from '../../../../src/tensor/Tensor.js'
import * as X from '../../../../src/tensor/Expr.js'
import { get } from '../../../network/adjoint.js'

const description: ClassifierDescription = { kind: 'classifier', features: 768, labels: 34, hidden: 4, blocks: 1 }
const drawn = initial(classifier(description).parameters, Key.make(1))
// the output layer starts at zero, which would make every log-probability the same
const parameters = { ...drawn, 'out.weight': Draw.normal(Key.make(2), [4, 34]) }

const materials: Rewards.RewardMaterials = {
  classifier: { description, parameters, metadata: {} },
  aesthetic: get(loadAesthetic(readFileSync(Files.asset('aesthetic.safetensors')))),
  blackBoxes: { compressibility: blackBox('compressibility', ({ shape }) => new Array<number>(shape[0] ?? 0).fill(2)) }
}

const images: Tensor = Draw.normal(Key.make(3), [2, 768])
const condition: Tensor = {
  shape: [2, 34],
  data: Float64Array.from({ length: 68 }, (_, i) => (i === 0 || i === 40 ? 1 : 0))
}

const values = async (text: string, from = materials, x: Tensor = images): Promise<ReadonlyArray<number>> => {
  const found = get(Shelf.reward(Rewards.shelf(from))(text))
  if (found._tag === 'BlackBox') return get(await found.evaluate(x)())
  const width = x.shape[1] ?? 1
  const program = get(
    Program.make({ p: L.shapes(found.shapes), x: ['batch', width], c: ['batch', 34] }, (inputs) => ({
      value: found.lens(X.retype(inputs.c, ['batch', 34])).forward(inputs.p, X.retype(inputs.x, ['batch', width]))
    }))
  )
  const bound = { ...Program.under('p', found.parameters), x, c: condition }
  return Array.from(get(Reference.run(program, { batch: 2 }, bound))['value']?.data ?? [])
}

const message = (text: string, from = materials): string => {
  const found = Shelf.reward(Rewards.shelf(from))(text)
  return E.isLeft(found) ? showError(found.left) : found.right.name
}

describe('a sum', () => {
  test.each([
    ['', '"", at ""'],
    ['glasses +', '"glasses +", at "+"'],
    ['0.5', '"0.5", at "0.5"'],
    ['glasses * 2', '"glasses * 2", at "* 2"']
  ])('%j is none', (text, got) => {
    expect(message(text)).toBe(
      `reward: expected a sum of rewards such as a + 0.5 * b, got ${got}; write [number *] name, joined by + or -`
    )
  })

  test('has the weighted sum of the values', async () => {
    const [a, b, c] = [await values('alignment'), await values('aesthetic'), await values('glasses')]
    const found = await values('alignment + 0.5*aesthetic - 2*glasses')
    found.forEach((value, i) => {
      const expected = (a[i] ?? 0) + 0.5 * (b[i] ?? 0) - 2 * (c[i] ?? 0)
      expect(Math.abs(value - expected)).toBeLessThan(1e-12 * (1 + Math.abs(expected)))
    })
    expect(new Set([...a, ...b, ...c]).size).toBe(6)
  })

  test('with a black box is a black box, with the same values', async () => {
    const [a, b] = [await values('aesthetic'), await values('glasses')]
    expect(get(Shelf.reward(Rewards.shelf(materials))('aesthetic + glasses - 0.5*compressibility'))._tag).toBe(
      'BlackBox'
    )
    const found = await values('aesthetic + glasses - 0.5*compressibility')
    found.forEach((value, i) => expect(value).toBeCloseTo((a[i] ?? 0) + (b[i] ?? 0) - 1, 10))
  })

  test('without one is differentiable', () => {
    expect(get(Shelf.reward(Rewards.shelf(materials))('alignment + aesthetic'))._tag).toBe('Differentiable')
  })

  test('of a black box that fails fails', async () => {
    const failing = {
      ...materials,
      blackBoxes: {
        broken: {
          _tag: 'BlackBox' as const,
          name: 'broken',
          evaluate: () => TE.left({ _tag: 'RewardError' as const, reward: 'broken', reason: 'it is' })
        }
      }
    }
    const found = get(Shelf.reward(Rewards.shelf(failing))('broken + aesthetic'))
    expect(found._tag === 'BlackBox' ? await found.evaluate(images)() : undefined).toEqual(
      E.left({ _tag: 'RewardError', reward: 'broken', reason: 'it is' })
    )
  })
})

describe('names', () => {
  test('alignment with one named attribute is its log-probability, and no more', async () => {
    const [first] = await values('skin:pale')
    const [, second] = await values('hair:short')
    // the condition names pale skin in the first row, and in the second what column 40 - 34 = 6 is: short hair
    expect(await values('alignment')).toEqual([first, second])
  })

  test.each([
    ['glases', 'the nearest are glasses, beard, clarity'],
    ['constructor', 'the nearest are aesthetic, clarity, alignment']
  ])('%j is unknown', (name, remedy) => {
    expect(message(name)).toBe(
      `reward: expected glasses, smile, hat, beard, alignment, clarity, aesthetic, compressibility, or attribute:value such as hairColor:blue or hat:red beanie|green cap, got "${name}"; ${remedy}`
    )
  })

  test('clarity is the sum over the attributes of p log p', async () => {
    const names = Faces.attributeNames.flatMap((attribute) =>
      Faces.vocabulary[attribute].map(({ name }) => `${attribute}:${name}`)
    )
    const logs = await Promise.all(names.map((name) => values(name)))
    const expected = images.shape
      .slice(0, 1)
      .flatMap((n) =>
        Array.from({ length: n }, (_, row) =>
          logs.reduce((sum, log) => sum + Math.exp(log[row] ?? 0) * (log[row] ?? 0), 0)
        )
      )
    const found = await values('clarity')
    expect(found).toHaveLength(2)
    found.forEach((value, i) => expect(value).toBeCloseTo(expected[i] ?? NaN, 12))
  })

  test('held-out ones are those that a classifier gives; clarity stands for the others', () => {
    const judges = Rewards.heldOut(materials.classifier, 1)
    const has = (name: string): boolean => E.isRight(Shelf.reward(judges.rewards)(name))
    expect(['glasses', 'hairColor:blue', 'alignment', 'smile + hat'].map(has)).toEqual([true, true, true, true])
    expect(['aesthetic', 'compressibility', './mine.mjs'].map(has)).toEqual([false, false, false])
    const clips = Rewards.heldOut(materials.classifier, 8)
    expect(E.isRight(Shelf.reward(clips.rewards)('smoothness'))).toBe(false)
    expect(judges.otherwise.reward.name).toBe('clarity')
  })

  test('an unknown attribute or value: the nearest one', () => {
    expect(message('hairColour:blue')).toMatch(/got "hairColour"; the nearest are hairColor, /)
    expect(message('hairColor:blu')).toBe(
      'reward: expected hairColor: black, brown, blond, ginger, grey, blue, got "blu"; the nearest is blue'
    )
  })

  test('the prompt and a black box can not be in one sum', () => {
    expect(message('alignment + compressibility')).toBe(
      'reward: expected a sum whose terms do not look at the prompt, since a black box is among them, got alignment (log p of the prompt, sum); leave one of the two out'
    )
  })

  test('clips have rewards of their own, and means over frames', async () => {
    const clips = { ...materials, frames: 4 }
    expect(message('smoothness', clips)).toBe('smoothness of motion')
    expect(message('dynamicDegree', clips)).toBe('dynamic degree')
    expect(message('smoothness')).toMatch(/^reward: expected/)
    const clip = Draw.normal(Key.make(4), [2, 4 * 768])
    const frames = { shape: [8, 768], data: clip.data }
    const frameScores = await Promise.all(
      [0, 2, 4, 6].map((at) =>
        values('aesthetic', materials, { shape: [2, 768], data: frames.data.subarray(at * 768, (at + 2) * 768) })
      )
    )
    const flat = frameScores.flat()
    const found = await values('aesthetic', clips, clip)
    found.forEach((value, row) => {
      const mean = flat.slice(4 * row, 4 * row + 4).reduce((a, b) => a + b, 0) / 4
      expect(value).toBeCloseTo(mean, 10)
    })
  })
})
