import { describe, expect, test } from 'vitest'
import { doubts, measured } from '../../src/network/Consistent.js'
import type { Imported } from '../../src/network/graph/Import.js'
import type { Meaning } from '../../src/network/Meaning.js'
import { reference } from '../../src/tensor/Target.js'
import type { Tensor } from '../../src/tensor/Tensor.js'
import { graph, imported, node, right } from './graphs.js'

const alphaBar = [0.9999, 0.9, 0.7, 0.4, 0.15, 0.02]
const [mean, spread] = [0.5, 0.3]

/** The share of data and of noise, as factors of each. */
type Factors = readonly [data: number, noise: number]

const floats = (values: ReadonlyArray<number>): Tensor => ({
  shape: [values.length, 1],
  data: Float64Array.from(values)
})

/** What is expected of `a data + b noise` given the state `p data + q noise`, of data around `mean`: slope and offset. */
const expected = ([p, q]: Factors, [a, b]: Factors): readonly [slope: number, offset: number] => {
  const variance = (p * spread) ** 2 + q ** 2
  const slope = (a * p * spread ** 2 + b * q) / variance
  return [slope, a * mean - slope * p * mean]
}

/** The best model of what some factors tell, at whole steps. */
const atSteps = (told: (step: Factors) => Factors): Imported => {
  const each = alphaBar.map((share): readonly [number, number] => {
    const step: Factors = [Math.sqrt(share), Math.sqrt(1 - share)]
    return expected(step, told(step))
  })
  return imported(
    graph(
      [
        node('Gather', ['slopes', 't'], ['slope']),
        node('Gather', ['offsets', 't'], ['offset']),
        node('Mul', ['x', 'slope'], ['moved']),
        node('Add', ['moved', 'offset'])
      ],
      { x: ['batch', 3], t: ['batch'] },
      {
        weights: { slopes: floats(each.map(([slope]) => slope)), offsets: floats(each.map(([, offset]) => offset)) },
        whole: ['t']
      }
    )
  )
}

/** The same of images. */
const images = (told: (step: Factors) => Factors): Imported => {
  const each = alphaBar.map((share): readonly [number, number] => {
    const step: Factors = [Math.sqrt(share), Math.sqrt(1 - share)]
    return expected(step, told(step))
  })
  const [slopes, offsets] = [0, 1].map((i) => ({
    shape: [each.length, 1, 1, 1],
    data: Float64Array.from(each, (pair) => pair[i] ?? 0)
  }))
  return imported(
    graph(
      [
        node('Gather', ['slopes', 't'], ['slope']),
        node('Gather', ['offsets', 't'], ['offset']),
        node('Mul', ['x', 'slope'], ['moved']),
        node('Add', ['moved', 'offset'])
      ],
      { x: ['batch', 1, 3, 3], t: ['batch'] },
      { weights: slopes === undefined || offsets === undefined ? {} : { slopes, offsets }, whole: ['t'] }
    )
  )
}

const models = {
  epsilon: atSteps(() => [0, 1]),
  clean: atSteps(() => [1, 0]),
  velocity: atSteps(([a, b]) => [-b, a])
}

/** A model of `noise - data` at a time that it is told: near noise it gives the state, near data the less of it the less noise. */
const flow = (far: number): Imported =>
  imported(
    graph(
      [node('Div', ['t', 'far'], ['s']), node('Reshape', ['s', 'column'], ['c']), node('Mul', ['x', 'c'])],
      { x: ['batch', 3], t: ['batch'] },
      {
        weights: { far: { shape: [], data: Float64Array.of(far) } },
        constants: { column: { shape: [2], data: Float64Array.of(-1, 1) } }
      }
    )
  )

const doubtsOf = async (model: Imported, meaning: Meaning): Promise<ReadonlyArray<string>> =>
  doubts(meaning, right(await measured(reference)(model, meaning)(), String))

describe('what a record says of a model', () => {
  const predictions = ['epsilon', 'clean', 'velocity'] as const

  test.each(predictions)('is not doubted where it is so: %s', async (prediction) => {
    expect(await doubtsOf(models[prediction], { alphaBar, prediction, layout: 'rows' })).toEqual([])
  })

  test.each([
    ['clean', 'epsilon', 'a model of the noise moves by 1: set `prediction` to clean or velocity'],
    ['velocity', 'epsilon', 'a model of the noise moves by 1: set `prediction` to clean or velocity'],
    ['clean', 'velocity', 'as data do: set `prediction` to clean'],
    ['velocity', 'clean', 'a model of the data by 1: set `prediction` to velocity or epsilon'],
    ['epsilon', 'clean', 'as noise does: set `prediction` to epsilon'],
    ['epsilon', 'velocity', 'as noise does: set `prediction` to epsilon']
  ] as const)('a model of %s is none of %s', async (own, said, message) => {
    expect(await doubtsOf(models[own], { alphaBar, prediction: said, layout: 'rows' })).toEqual([
      expect.stringContaining(message)
    ])
  })

  test.each<readonly [string, number, Meaning['flow'], ReadonlyArray<string>]>([
    ['as it counts', 1000, { data: 0, noise: 1000 }, []],
    ['as parts of 1, told as parts of 1', 1, { data: 0, noise: 1 }, []],
    [
      'in parts of 1, told to one that counts to 1000',
      1000,
      { data: 0, noise: 1 },
      ['or say in `flow` the times that it is told']
    ],
    ['the other way round', 1, { data: 1, noise: 0 }, ['set `prediction` to clean, or say in `flow`']]
  ])('times of straight paths %s', async (_, far, times, messages) => {
    const found = await doubtsOf(flow(far), {
      flow: times ?? { data: 0, noise: 1 },
      prediction: 'flow',
      layout: 'rows'
    })
    expect(found).toHaveLength(messages.length)
    for (const [i, message] of messages.entries()) expect(found[i]).toContain(message)
  })

  test.each<readonly [string, Meaning['range'], ReadonlyArray<string>]>([
    ['it is, from 0 to 1', [0, 1], []],
    ['where none is said, from -1 to 1', undefined, ['set `range` to [0, 1]']],
    ['it is not, from 5 to 6', [5, 6], ['another `prediction`, `alphaBar`, `scheduler` or `flow`']]
  ])('data of pictures are in a range as %s', async (_, range, messages) => {
    const meaning: Meaning = { alphaBar, prediction: 'clean', layout: 'channels first', ...(range && { range }) }
    const found = await doubtsOf(
      images(() => [1, 0]),
      meaning
    )
    expect(found).toEqual(messages.map((message): unknown => expect.stringContaining(message)))
  })

  test('data that go below 0 are in none from 0', () => {
    const seen = { noise: { slope: 0, explained: 0 }, data: undefined, range: [-0.9, 0.95] } as const
    const meaning: Meaning = { alphaBar, prediction: 'clean', layout: 'channels first', range: [0, 1] }
    expect(doubts(meaning, seen)).toEqual([expect.stringContaining('set `range` to [-1, 1]')])
    expect(doubts({ ...meaning, range: [-1, 1] }, seen)).toEqual([])
  })

  test('a model that is never shown noise alone is not doubted for it', async () => {
    // the same shares, but for the noisiest
    const short = alphaBar.slice(0, 3)
    expect(await doubtsOf(models.epsilon, { alphaBar: short, prediction: 'epsilon', layout: 'rows' })).toEqual([])
    expect(await doubtsOf(models.velocity, { alphaBar: short, prediction: 'clean', layout: 'rows' })).toHaveLength(1)
  })

  test('a velocity that is the negative of what is said is told by its times', () => {
    const meaning: Meaning = { flow: { data: 0, noise: 1 }, prediction: 'flow', layout: 'rows' }
    expect(doubts(meaning, { noise: { slope: -1, explained: 1 }, data: undefined, range: [-1, 1] })).toEqual([
      expect.stringContaining('exchange `flow.data` and `flow.noise`')
    ])
  })
})
