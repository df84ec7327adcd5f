/** Every path that a newcomer may take wrong ends in a sentence that names the field of the record. */
import * as E from 'fp-ts/lib/Either.js'
import { expect, test } from 'vitest'
import { showError } from '../../src/document/Document.js'
import { doubts, measured } from '../../src/network/Consistent.js'
import { networkOf } from '../../src/network/Meaning.js'
import { decode } from '../../src/network/Record.js'
import { reference } from '../../src/tensor/Target.js'
import { graph, imported, node } from './graphs.js'

const stepCount = 1000
const alphaBar = Array.from({ length: stepCount }, (_, t) => Math.cos((((t + 1) / (stepCount + 1)) * Math.PI) / 2) ** 2)

type Sizes = readonly [number | string, ...ReadonlyArray<number | string>]

/** A model whose output is the state times what a table has at each step, and its label as well as its time is a column of whole numbers. */
const model = (at: (share: number) => number, shape: Sizes, labelled = false) =>
  imported(
    graph(
      [
        node('Gather', ['table', 't'], ['factor']),
        node('Mul', ['x', 'factor'], ['moved']),
        ...(labelled
          ? [node('Gather', ['rows', 'y'], ['row']), node('Add', ['moved', 'row'])]
          : [node('Identity', ['moved'])])
      ],
      { x: shape, t: ['batch'], ...(labelled ? { y: ['batch'] } : {}) },
      {
        weights: {
          table: { shape: [stepCount, 1, 1, 1], data: Float64Array.from(alphaBar, at) },
          ...(labelled ? { rows: { shape: [3, 1, 1, 1], data: new Float64Array(3) } } : {})
        },
        whole: ['t', 'y']
      }
    )
  )

const pictures: Sizes = ['batch', 1, 4, 4]
// the best of data that are normal numbers of variance 1/4 around 0
const variance = 0.25
const ofNoise = (share: number): number => Math.sqrt(1 - share) / (share * variance + 1 - share)
const ofData = (share: number): number => (Math.sqrt(share) * variance) / (share * variance + 1 - share)
const ofVelocity = (share: number): number => Math.sqrt(share) * ofNoise(share) - Math.sqrt(1 - share) * ofData(share)

/** What is said of a record: why it is none, why it is none of this model, or what is doubted. */
const said = async (of: ReturnType<typeof model>, record: object): Promise<string> => {
  const recorded = decode(of)(record)
  if (E.isLeft(recorded)) return showError(recorded.left)
  const { meaning } = recorded.right
  const network = networkOf(of, meaning)
  if (E.isLeft(network)) return showError(network.left)
  const seen = await measured(reference)(of, meaning)()
  return E.isLeft(seen) ? seen.left : doubts(meaning, seen.right).join('\n')
}

const paths: ReadonlyArray<readonly [string, ReturnType<typeof model>, object, string]> = [
  ['nothing of the output', model(ofNoise, pictures), { alphaBar }, 'set `prediction`'],
  ['no steps', model(ofNoise, pictures), { prediction: 'epsilon' }, 'set `alphaBar`'],
  ['noise, of a model of data', model(ofData, pictures), { alphaBar, prediction: 'epsilon' }, 'set `prediction`'],
  ['noise, of a velocity', model(ofVelocity, pictures), { alphaBar, prediction: 'epsilon' }, 'set `prediction`'],
  ['data, of a model of noise', model(ofNoise, pictures), { alphaBar, prediction: 'clean' }, 'set `prediction`'],
  ['data, of a velocity', model(ofVelocity, pictures), { alphaBar, prediction: 'clean' }, 'set `prediction`'],
  [
    'a velocity, of a model of noise',
    model(ofNoise, pictures),
    { alphaBar, prediction: 'velocity' },
    'set `prediction`'
  ],
  ['a velocity, of a model of data', model(ofData, pictures), { alphaBar, prediction: 'velocity' }, 'set `prediction`'],
  [
    'parts of 1, of a model of whole steps',
    model(ofNoise, pictures),
    { flow: { data: 0, noise: 1 }, prediction: 'flow' },
    'set `flow`'
  ],
  [
    'a prediction of levels, on straight paths',
    model(ofNoise, pictures),
    { flow: { data: 0, noise: 999 }, prediction: 'epsilon' },
    'set `prediction`'
  ],
  [
    'channels last, of channels first',
    model(ofNoise, ['batch', 3, 8, 8]),
    { alphaBar, prediction: 'epsilon', layout: 'channels last' },
    'set `layout`'
  ],
  [
    'channels first, of channels last',
    model(ofNoise, ['batch', 8, 8, 3]),
    { alphaBar, prediction: 'epsilon', layout: 'channels first' },
    'set `layout`'
  ],
  [
    'no labels, of a model that is told one',
    model(ofNoise, pictures, true),
    { alphaBar, prediction: 'epsilon' },
    'set `labels`'
  ],
  ['an input that is none', model(ofNoise, pictures), { alphaBar, prediction: 'epsilon', time: 'sigma' }, 'set `time`'],
  [
    'shares that grow',
    model(ofNoise, pictures),
    { alphaBar: alphaBar.toReversed(), prediction: 'epsilon' },
    'set `alphaBar`'
  ],
  [
    'pictures from 0 to 1, of those from -1 to 1',
    model(ofData, pictures),
    { alphaBar, prediction: 'clean', range: [0, 1] },
    'set `range` to [-1, 1]'
  ]
]

test.each(paths)('%s: the field is named', async (_, of, record, field) => {
  expect(await said(of, record)).toContain(field)
})

test.each([
  ['epsilon', ofNoise],
  ['clean', ofData],
  ['velocity', ofVelocity]
] as const)('%s, of such a model, is not doubted', async (prediction, at) => {
  expect(await said(model(at, pictures), { alphaBar, prediction })).toBe('')
})
