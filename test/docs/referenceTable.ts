/**
 * The reference table: one chain, described by files that `halforder verify` reads, and what it finds of each.
 */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import * as t from 'io-ts'
import * as Catalogue from '../../laws/verify/Catalogue.js'
import * as EstimatorFile from '../../laws/verify/EstimatorFile.js'
import * as Description from '../../laws/toy/Description.js'
import * as Verify from '../../laws/verify/Verify.js'
import { showError } from '../../src/estimator/Gradient.js'
import { gpuJs } from '../../src/kernel/GpuJs.js'
import * as Key from '../../src/random/Key.js'

const folder = new URL('../../docs/results/reference-table/', import.meta.url)
export const page = fileURLToPath(new URL('../../docs/results/reference-table.md', import.meta.url))
export const raw = fileURLToPath(new URL('../../docs/results/reference-table.jsonl', import.meta.url))

/** A row: its model's file and its estimator's, and what the estimator is. */
export interface Case {
  readonly model: 'model' | 'model-kl'
  readonly file: string
  readonly what: string
}

const of = (model: Case['model'], file: string, what: string): Case => ({ model, file, what })

export const cases: ReadonlyArray<Case> = [
  of('model', 'reinforce', 'half-order on each step, less -4'),
  of('model', 'control-noise-free', "the same, Stein's control: the reward of the noise-free rest"),
  of('model', 'control-fitted', 'first-order on step 1, control: the reward of a line fitted for each step'),
  of('model', 'baseline-noise-free', 'half-order on each step, baseline: the reward of the noise-free rest'),
  of('model', 'baseline-fitted', 'first-order on step 1, baseline: the reward of a line fitted for each step'),
  of('model', 'siblings-2', 'two siblings on each step'),
  of('model', 'siblings-4', 'four siblings on each step'),
  of('model', 'siblings-2-shared', 'two siblings on each step, the noise below shared'),
  of('model', 'siblings-4-shared', 'four siblings on each step, the noise below shared'),
  of('model', 'siblings-2-after-first', 'first-order on step 1, two siblings on each other'),
  of('model', 'siblings-4-after-first', 'first-order on step 1, four siblings on each other'),
  of('model', 'one-of-nine-siblings-4', 'first-order on step 1, four siblings on one of nine at random'),
  of('model', 'one-of-nine-siblings-4-shared', 'the same, the noise below shared'),
  of('model', 'three-of-nine', 'first-order on step 1, three of nine at random, each three times, less -4'),
  of('model', 'full-backpropagation', 'full backpropagation'),
  of('model-kl', 'full-backpropagation', 'with the price: full backpropagation'),
  of('model-kl', 'reinforce', 'with the price: half-order on each step, returns to go less -4'),
  of('model-kl', 'siblings-4', 'with the price: four siblings on each step'),
  of('model-kl', 'control-noise-free', "with the price: Stein's control by the reward of the noise-free rest"),
  of('model-kl', 'three-of-nine', 'with the price: first-order on step 1, three of nine at random, less -4')
]

const Measured = t.type({
  model: t.string,
  file: t.string,
  exactGradient: t.array(t.number),
  expectation: t.array(t.number),
  standardError: t.array(t.number),
  variance: t.number,
  varianceError: t.number,
  networkEvaluations: t.number,
  pullbacks: t.number,
  samples: t.number,
  verdict: t.string
})

export type Measured = t.TypeOf<typeof Measured>

const right = <L, A>(result: E.Either<L, A>): A => {
  if (E.isLeft(result)) throw new Error(JSON.stringify(result.left))
  return result.right
}

const document = (name: string): unknown => JSON.parse(readFileSync(new URL(`${name}.json`, folder), 'utf8'))

/** What `halforder verify` finds of a case. */
export const measure = async ({ model: name, file }: Case, samples: number, seed = 1): Promise<Measured> => {
  const model = Catalogue.described(name, right(Description.decode(document(name))))
  const { at, baseline } = right(EstimatorFile.decode(document(file)))
  const estimator = right(at(model.facts))
  const target = gpuJs({ mode: 'webasm', threads: 1 })
  const found = await pipe(
    Verify.verify([{ model, contenders: [{ name: file, estimator, baseline }] }], {
      samples,
      key: Key.make(seed),
      target
    }),
    TE.mapLeft(showError)
  )()
  await target.dispose()
  const [row] = right(found).rows
  return right(Measured.decode({ ...row, model: name, file }))
}

/** What was measured and is kept. */
export const read = (): ReadonlyArray<Measured> =>
  readFileSync(raw, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => right(Measured.decode(JSON.parse(line))))

// -------------------------------------------------------------------------------------
// the page
// -------------------------------------------------------------------------------------

export const open = '<!-- reference table: written by the command above -->'
export const close = '<!-- end of the reference table -->'

const pm = (value: number, error: number): string => {
  const digits = Math.max(0, 1 - Math.floor(Math.log10(error)))
  return `${value.toFixed(digits)} ± ${error.toFixed(digits)}`
}

/** A variance and what is likely of it at 95 %, in thousands. */
const thousands = ({ variance, varianceError }: Measured): string => {
  const [v, low, high] = [0, -1.96, 1.96].map((z) => ((variance + z * varianceError) / 1000).toFixed(2))
  return `${v} (${low} to ${high})`
}

const link = ({ model, file }: Case): string =>
  `[${file}](reference-table/${file}.json)${model === 'model' ? '' : ', KL'}`

export const table = (rows: ReadonlyArray<Measured>): string => {
  const line = (cells: ReadonlyArray<string>): string => `| ${cells.join(' | ')} |`
  const header = ['estimator', 'file', 'd/da', 'd/db', 'variance, thousands', 'evaluations', 'pullbacks', 'x E + P']
  const body = cases.flatMap((one) => {
    const row = rows.find(({ model, file }) => model === one.model && file === one.file)
    if (row === undefined) return []
    const [a = 0, b = 0] = row.expectation
    const [sa = 0, sb = 0] = row.standardError
    const cost = row.networkEvaluations + row.pullbacks
    const numbers = [row.networkEvaluations, row.pullbacks].map((n) => String(Math.round(n)))
    return [
      line([
        one.what,
        link(one),
        pm(a, sa),
        pm(b, sb),
        thousands(row),
        ...numbers,
        `${Math.round((row.variance * cost) / 1000)}k`
      ])
    ]
  })
  return [line(header), line(header.map(() => '---')), ...body].join('\n')
}

/** The page with its table made anew. */
export const withTable = (text: string, rows: ReadonlyArray<Measured>): string =>
  `${text.slice(0, text.indexOf(open))}${open}\n\n${table(rows)}\n\n${text.slice(text.indexOf(close))}`
