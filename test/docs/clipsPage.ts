/**
 * The page of clips: its tables, from what the shipped networks say of themselves.
 */
import { fileURLToPath } from 'node:url'
import * as t from 'io-ts'
import { metadata } from './garmentsPage.js'

export { metadata }

const at = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url))

export const page = at('docs/results/clips.md')

const [open, close] = ['<!-- written by the command above -->', '<!-- end of what it wrote -->'] as const

// -------------------------------------------------------------------------------------
// what is read
// -------------------------------------------------------------------------------------

const Numbers = t.record(t.string, t.number)

const Drawn = t.type({
  frameAccuracy: Numbers,
  attributesRight: t.number,
  motionRecognised: Numbers,
  distanceToPrompt: t.number,
  nearestTrainingClip: t.number,
  frechetToReal: t.number
})

const Judged = t.type({ samples: t.number, heldOutClips: Drawn, prompted: Drawn, guidance2: Drawn })

const Read = t.type({ heldOutLoss: t.number, heldOutAccuracy: Numbers })

const metrics = <A>(codec: t.Type<A, unknown, unknown>, name: string): A => {
  const decoded = codec.decode(JSON.parse(metadata(name)['metrics'] ?? '{}'))
  if (decoded._tag === 'Left') throw new Error(`unexpected metrics of ${name}`)
  return decoded.right
}

// -------------------------------------------------------------------------------------
// tables
// -------------------------------------------------------------------------------------

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`

const row = (cells: ReadonlyArray<string>): string => `| ${cells.join(' | ')} |`

const tableOf = (head: ReadonlyArray<string>, body: ReadonlyArray<ReadonlyArray<string>>): string =>
  [row(head), row(head.map(() => '---')), ...body.map(row)].join('\n')

const shares = (accuracy: Readonly<Record<string, number>>): ReadonlyArray<string> =>
  Object.values(accuracy).map(percent)

/** The networks that read frames. */
const readers = (): string => {
  const read = ['clip-classifier', 'clip-judge'].map((name) => [name, metrics(Read, name)] as const)
  return tableOf(
    ['network', 'loss', ...Object.keys(read[0]?.[1].heldOutAccuracy ?? {})],
    read.map(([name, { heldOutLoss, heldOutAccuracy }]) => [
      `\`${name}\``,
      heldOutLoss.toFixed(3),
      ...shares(heldOutAccuracy)
    ])
  )
}

const kinds = (): ReadonlyArray<readonly [string, t.TypeOf<typeof Drawn>]> => {
  const { heldOutClips, prompted, guidance2 } = metrics(Judged, 'clip')
  return [
    ['samples of held-out prompts', prompted],
    ['the same with guidance 2', guidance2],
    ['the real clips of those prompts', heldOutClips]
  ]
}

/** What the network draws, by the classifier of frames. */
const drawn = (): string =>
  tableOf(
    [
      `${metrics(Judged, 'clip').samples} clips`,
      'attributes right, all frames',
      'blink',
      'smile',
      'move',
      'to the clip asked for',
      'to the nearest training clip',
      'Fréchet distance'
    ],
    kinds().map(
      ([what, { attributesRight, motionRecognised: seen, distanceToPrompt, nearestTrainingClip, frechetToReal }]) => [
        what,
        percent(attributesRight),
        ...['blink', 'smile', 'move'].map((motion) => percent(seen[motion] ?? NaN)),
        distanceToPrompt === 0 ? '0' : distanceToPrompt.toFixed(4),
        nearestTrainingClip.toFixed(4),
        frechetToReal.toFixed(2)
      ]
    )
  )

/** The same, attribute by attribute. */
const attributes = (): string =>
  tableOf(
    ['', ...Object.keys(kinds()[0]?.[1].frameAccuracy ?? {})],
    kinds().map(([what, { frameAccuracy }]) => [what, ...shares(frameAccuracy)])
  )

/** The page with its tables made anew. */
export const withTables = (text: string): string =>
  [readers, drawn, attributes].reduce((done, table, i) => {
    const from = done
      .split(open)
      .slice(0, i + 1)
      .join(open).length
    const to = done.indexOf(close, from)
    return `${done.slice(0, from)}${open}\n\n${table()}\n\n${done.slice(to)}`
  }, text)
