/**
 * The page of the task `garments`: its tables, from what the shipped networks say of themselves and from the summaries of fine-tunes.
 */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import * as t from 'io-ts'
import * as Safetensors from '../../src/format/Safetensors.js'
import { get } from '../network/adjoint.js'

const at = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url))

export const page = at('docs/results/garments.md')

/** The summaries, one a line, as `halforder finetune --json` prints them, but for the folder. */
export const raw = at('docs/results/garments.jsonl')

const [open, close] = ['<!-- written by the commands above -->', '<!-- end of what they wrote -->'] as const

// -------------------------------------------------------------------------------------
// what is read
// -------------------------------------------------------------------------------------

const Numbers = t.record(t.string, t.number)

const Drawn = t.type({ frechetToReal: t.number, nearestTrainingPicture: t.number })
const Told = t.intersection([Drawn, t.type({ classRight: t.number, classRightOf: Numbers })])

const Judged = t.type({
  heldOutLoss: t.number,
  samples: t.number,
  heldOutPictures: Told,
  prompted: Told,
  guidance2: Told,
  open: t.intersection([Drawn, t.type({ sharesOfClasses: Numbers })])
})

const Read = t.type({ heldOutLoss: t.number, heldOutAccuracy: t.number })

const Level = t.type({ mean: t.number, standardError: t.number })
const Standing = t.intersection([
  Level,
  t.type({ heldOut: Level, kl: Level, pairwiseDistance: t.number, frechetToBase: t.number })
])
const Summary = t.type({
  reward: t.string,
  estimator: t.string,
  kl: t.type({ beta: t.number }),
  steps: t.number,
  evaluationSamples: t.number,
  networkEvaluations: t.number,
  before: Standing,
  after: Standing
})
type Summary = t.TypeOf<typeof Summary>

const decode = <A>(codec: t.Type<A, unknown, unknown>, text: string): A => {
  const decoded = codec.decode(JSON.parse(text))
  if (decoded._tag === 'Left') throw new Error(`unexpected ${text}`)
  return decoded.right
}

/** What a shipped network says of itself. */
export const metadata = (name: string): Readonly<Record<string, string>> =>
  get(Safetensors.decode(readFileSync(at(`cli/assets/${name}.safetensors`)))).metadata

const metrics = (name: string): string => metadata(name)['metrics'] ?? '{}'

export const summaries = (): ReadonlyArray<Summary> =>
  readFileSync(raw, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => decode(Summary, line))

// -------------------------------------------------------------------------------------
// tables
// -------------------------------------------------------------------------------------

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`

const row = (cells: ReadonlyArray<string>): string => `| ${cells.join(' | ')} |`

const tableOf = (head: ReadonlyArray<string>, body: ReadonlyArray<ReadonlyArray<string>>): string =>
  [row(head), row(head.map(() => '---')), ...body.map(row)].join('\n')

/** The networks that read. */
const readers = (): string =>
  tableOf(
    ['network', 'class right', 'loss'],
    ['garments-classifier', 'garments-judge'].map((name) => {
      const { heldOutAccuracy, heldOutLoss } = decode(Read, metrics(name))
      return [`\`${name}\``, `${(100 * heldOutAccuracy).toFixed(2)} %`, heldOutLoss.toFixed(3)]
    })
  )

/** What the network draws, by the judge. */
const drawn = (): string => {
  const { heldOutPictures, prompted, guidance2, open: any } = decode(Judged, metrics('garments'))
  const cells = (what: string, right: string, of: t.TypeOf<typeof Drawn>): ReadonlyArray<string> => [
    what,
    right,
    of.frechetToReal.toFixed(2),
    of.nearestTrainingPicture.toFixed(3)
  ]
  return tableOf(
    ['500 pictures', 'class right', 'Fréchet distance to 500 others that are real', 'to the nearest training picture'],
    [
      cells('real, held out', percent(heldOutPictures.classRight), heldOutPictures),
      cells('samples, 50 of each class', percent(prompted.classRight), prompted),
      cells('the same with guidance 2', percent(guidance2.classRight), guidance2),
      cells('samples of no class', '', any)
    ]
  )
}

/** The same, class by class. */
const classes = (): string => {
  const { heldOutPictures, prompted, guidance2, open: any } = decode(Judged, metrics('garments'))
  return tableOf(
    ['', 'real', 'samples', 'with guidance 2', 'share of samples of no class'],
    Object.keys(any.sharesOfClasses).map((name) => [
      name,
      ...[heldOutPictures.classRightOf, prompted.classRightOf, guidance2.classRightOf, any.sharesOfClasses].map((of) =>
        percent(of[name] ?? NaN)
      )
    ])
  )
}

const level = ({ mean, standardError }: t.TypeOf<typeof Level>): string =>
  `${mean.toFixed(3)} +- ${standardError.toFixed(3)}`

/** The fine-tunes. */
const raised = (): string =>
  tableOf(
    [
      'reward',
      'estimator',
      'price',
      'steps',
      'network evaluations',
      'before',
      'after',
      'clarity by the judge before',
      'after',
      'KL to the base',
      'distance of two pictures, over the base',
      'Fréchet distance to the base'
    ],
    summaries().map(({ reward, estimator, kl, steps, networkEvaluations, before, after }) => [
      reward,
      `\`${estimator}\``,
      String(kl.beta),
      String(steps),
      networkEvaluations.toLocaleString('en-US'),
      level(before),
      level(after),
      level(before.heldOut),
      level(after.heldOut),
      after.kl.mean.toFixed(1),
      (after.pairwiseDistance / before.pairwiseDistance).toFixed(2),
      after.frechetToBase.toFixed(1)
    ])
  )

/** The page with its tables made anew. */
export const withTables = (text: string): string =>
  [readers, drawn, classes, raised].reduce((done, table, i) => {
    const from = done
      .split(open)
      .slice(0, i + 1)
      .join(open).length
    const to = done.indexOf(close, from)
    return `${done.slice(0, from)}${open}\n\n${table()}\n\n${done.slice(to)}`
  }, text)
