/**
 * The task `tokens`: sentences of seven words, by masked diffusion.
 *
 * @since 0.1.0
 */
import { readFile } from 'node:fs/promises'
import { pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { masked } from 'halforder/chain/sampler/Masked'
import * as L from 'halforder/lens/Lens'
import type { TokensDescription } from 'halforder/network/Description'
import { denoiser } from 'halforder/network/Network'
import * as Key from 'halforder/random/Key'
import { blackBox, type BlackBox, differentiable } from 'halforder/reward/Reward'
import { free, type Outputs, type Shelf, shelf } from 'halforder/reward/Shelf'
import { denoising, type DenoisingOptions } from 'halforder/task/Denoising'
import { type Show, stored, type Task, task as make } from 'halforder/task/Task'
import * as X from 'halforder/tensor/Expr'
import type { Tensor } from 'halforder/tensor/Tensor'
import * as Sampling from 'halforder/training/Sampling'
import * as Files from '../../edge/Files.js'
import { alphabet, draw, isSentence, length, read, words } from './Grammar.js'

// -------------------------------------------------------------------------------------
// rewards
// -------------------------------------------------------------------------------------

const width = length * alphabet

/** Something of the words of each row. */
const each = ({ shape: [rows = 0], data }: Tensor, f: (said: ReadonlyArray<string>) => number): ReadonlyArray<number> =>
  Array.from({ length: rows }, (_, row) => f(read(data.subarray(row * width, (row + 1) * width))))

const ofWords = (name: string, f: (said: ReadonlyArray<string>) => number): BlackBox =>
  blackBox(name, (rows) => each(rows, f))

/** How many words begin with the letter that most of them begin with. */
const alliteration = (said: ReadonlyArray<string>): number => {
  const counts = new Map<string, number>()
  for (const [letter = ''] of said) counts.set(letter, (counts.get(letter) ?? 0) + 1)
  return Math.max(...counts.values())
}

const vowels = (word: string): number => [...word].filter((letter) => 'aeiou'.includes(letter)).length

/** A sum over words, which is linear in the codes. */
const counted = (name: string, f: (word: string) => number) => {
  const weights = X.constant(
    { shape: [width], data: Float64Array.from({ length: width }, (_, i) => f(words[i % alphabet] ?? '')) },
    [width]
  )
  const row = ['batch', width] as const
  return differentiable<L.None, Outputs>(
    name,
    L.pure((x) => [
      X.reshape(X.sumTo(X.mul(X.retype(x, row), X.broadcastTo(weights, row)), ['batch', 1]), ['batch']),
      (bar) => X.mul(X.broadcastTo(X.reshape(bar, ['batch', 1]), row), X.broadcastTo(weights, row))
    ])
  )
}

const grammar = ofWords('sentences of the grammar', (said) => (isSentence(said) ? 1 : 0))

const rewards: Shelf = shelf({
  alliteration: ofWords('words that begin alike', alliteration),
  vowels: counted('vowels', vowels),
  short: counted('minus the letters', (word) => -word.length),
  grammar
})

// -------------------------------------------------------------------------------------
// models and trainings
// -------------------------------------------------------------------------------------

const description: TokensDescription = {
  kind: 'tokens',
  length,
  alphabet,
  labels: 1,
  hidden: 128,
  blocks: 3,
  embedding: 32
}

/** The chain on which samples are judged, and the usual one. */
const steps = 8

/** How many samples are judged. */
const judged = 1024

const judge: NonNullable<DenoisingOptions['judge']> = ({ parameters, target, key }, heldOut) => {
  const told = { c: heldOut.labels }
  const known = new Set(each(heldOut.x0, () => 0).map((_, row) => line(heldOut.x0, row)))
  return pipe(
    Sampling.sample(
      {
        chain: masked({ denoiser: denoiser(description), T: steps }),
        parameters,
        condition: () => told,
        count: judged,
        key: Key.foldInString(key, 'samples'),
        batch: 256
      },
      target
    ),
    TE.bimap(Sampling.showError, ({ x0 }) => ({
      numbers: {
        grammatical: mean(each(x0, (said) => (isSentence(said) ? 1 : 0))),
        alliteration: mean(each(x0, alliteration)),
        alliterationOfData: mean(each(heldOut.x0, alliteration)),
        different: new Set(Array.from({ length: judged }, (_, row) => line(x0, row))).size / judged,
        differentOfData: known.size / judged
      },
      pictures: {}
    }))
  )
}

const mean = (numbers: ReadonlyArray<number>): number => numbers.reduce((a, b) => a + b, 0) / numbers.length

const line = ({ data }: Tensor, row: number): string => read(data.subarray(row * width, (row + 1) * width)).join(' ')

const show: Show = { _tag: 'Text', words: (row) => read(row).join(' ') }

// -------------------------------------------------------------------------------------
// the task
// -------------------------------------------------------------------------------------

/**
 * Sentences.
 *
 * @category instances
 * @since 0.1.0
 */
export const task: Task = make({
  name: 'tokens',
  about: 'sentences of seven words, by masked diffusion',
  defaults: {
    model: 'sentences',
    reward: 'alliteration',
    chain: { kind: 'masked', T: steps },
    estimator: { name: 'reinforce' },
    trained: [],
    optimizer: { learningRate: 0.003 },
    batch: 64,
    steps: 150,
    kl: { beta: 0.3 },
    evaluationSamples: 1024
  },
  models: {
    sentences: stored('sentences of the grammar', () => readFile(Files.asset('sentences.safetensors')))
  },
  rewards,
  judges: { otherwise: free(grammar) },
  show,
  trainings: {
    sentences: denoising({
      about: 'sentences of the grammar, by unmasking',
      description,
      data: draw,
      dropout: { all: 0, some: 0 },
      recipe: { steps: 4000, learningRate: 2e-3 },
      batch: 128,
      judge
    })
  }
})
