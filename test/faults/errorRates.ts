/**
 * The study of error rates: how often `verify` refutes what is true and misses what is false, and how often the interval of a
 * variance covers it, on small cases and many repetitions.
 */
import * as E from 'fp-ts/lib/Either.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { fullBackprop, reinforce, rlr, truncatedBackprop, Variance, type Estimator } from 'halforder/estimator'
import { Description, Verify, VerifyCatalogue, type VerifyModel } from 'halforder/laws'
import { foldIn, Key, key } from 'halforder/random'
import { Target } from 'halforder/tensor'

// -------------------------------------------------------------------------------------
// results
// -------------------------------------------------------------------------------------

/** Runs of `verify` on claims that are all true, at a rate that is stated for the whole run. */
export interface Alpha {
  readonly kind: 'alpha'
  readonly model: string
  readonly samples: number
  readonly stated: number
  readonly repetitions: number
  readonly claims: number
  readonly refuted: number
  readonly undecided: number
}

/**
 * Runs on one claim that is off: by the bias that the run itself calls detectable (`missed`), and by the bias that runs call so
 * on the average (`missedMean`).
 */
export interface Power {
  readonly kind: 'power'
  readonly model: string
  readonly estimator: string
  readonly samples: number
  readonly stated: number
  readonly repetitions: number
  readonly bias: number
  readonly missed: number
  readonly missedMean: number
  readonly undecided: number
}

/** Intervals of the variance of one sample's gradient. */
export interface Coverage {
  readonly kind: 'coverage'
  readonly model: string
  readonly estimator: string
  readonly samples: number
  readonly repetitions: number
  readonly covered: number
  readonly below: number
  readonly plain: number
}

export type Result = Alpha | Power | Coverage

// -------------------------------------------------------------------------------------
// cases
// -------------------------------------------------------------------------------------

const right = <L, A>(result: E.Either<L, A>): A => {
  if (E.isLeft(result)) throw new Error(JSON.stringify(result.left))
  return result.right
}

interface Case {
  readonly model: VerifyModel.Model
  readonly contenders: ReadonlyArray<VerifyModel.Contender>
  readonly most: number
  readonly repetitions: number
}

const contender = (estimator: Estimator.Estimator, baseline = 0): VerifyModel.Contender => ({
  name: estimator.name,
  estimator,
  baseline
})

/** Two steps of the tanh chain, whose samples are products of a few normals; and the chain of three whose tails are heavy. */
const cases = (): ReadonlyArray<Case> => {
  const tanh = right(
    Description.decode({
      kind: 'tanh',
      T: 2,
      alpha: 0.9,
      theta: [0.3, 0.1],
      sigma: 0.5,
      reward: { kind: 'quadratic', m: 1 }
    })
  )
  const multiplicative = VerifyCatalogue.models().find(({ name }) => name === 'multiplicative')
  if (multiplicative === undefined) throw new Error('no multiplicative chain')
  return [
    {
      model: VerifyCatalogue.described('tanh, T = 2', tanh),
      contenders: [
        contender(right(fullBackprop(2))),
        contender(right(reinforce(2)), -1),
        contender(right(rlr({ T: 2, h: 1 }))),
        contender(right(truncatedBackprop({ T: 2, k: 1 })))
      ],
      most: 2 ** 20,
      repetitions: 10_000
    },
    {
      model: multiplicative,
      contenders: [contender(right(fullBackprop(3))), contender(right(reinforce(3)), multiplicative.baseline)],
      most: 2 ** 16,
      repetitions: 2000
    }
  ]
}

// -------------------------------------------------------------------------------------
// samples
// -------------------------------------------------------------------------------------

/** A model whose contenders are compiled once, and whose samples are kept until they are forgotten. */
const remembering = (model: VerifyModel.Model): { readonly model: VerifyModel.Model; readonly forget: () => void } => {
  const compiled = new Map<string, VerifyModel.Sampler>()
  const kept = new Map<string, VerifyModel.Measured>()
  const sampler: VerifyModel.Model['sampler'] = (one, target, rows) => {
    const name = `${one.name}, ${one.baseline}, ${rows}`
    const found = compiled.get(name) ?? right(model.sampler(one, target, rows))
    compiled.set(name, found)
    return E.right({
      run: (plan) => {
        const at = `${name}, ${plan.samples}`
        const known = kept.get(at)
        if (known !== undefined) return TE.right(known)
        return TE.map((measured: VerifyModel.Measured) => {
          kept.set(at, measured)
          return measured
        })(found.run(plan))
      },
      rows: found.rows,
      parts: found.parts,
      dispose: () => Promise.resolve()
    })
  }
  return { model: { ...model, sampler }, forget: () => kept.clear() }
}

const verified = async (
  model: VerifyModel.Model,
  contenders: ReadonlyArray<VerifyModel.Contender>,
  options: Omit<Verify.Options, 'target'>
): Promise<ReadonlyArray<Verify.Row>> =>
  right(await Verify.verify([{ model, contenders }], { target: Target.reference, ...options })()).rows

const count = (rows: ReadonlyArray<Verify.Row>, verdict: Verify.Outcome): number =>
  rows.filter((row) => row.verdict === verdict).length

/** The same model, with one component of what is claimed moved. */
const forged = (model: VerifyModel.Model, component: number, bias: number): VerifyModel.Model => ({
  ...model,
  terms: (smoothing) =>
    E.map((terms: ReadonlyArray<{ readonly value: ReadonlyArray<number>; readonly error: ReadonlyArray<number> }>) =>
      terms.map((term, t) =>
        t === 0 ? { ...term, value: term.value.map((v, i) => (i === component ? v + bias : v)) } : term
      )
    )(model.terms(smoothing))
})

// -------------------------------------------------------------------------------------
// the study
// -------------------------------------------------------------------------------------

const alphas = [0.05, 0.001]
const beta = 0.05

/** Where a row could see a bias, and how large a one. */
interface Bias {
  readonly component: number
  readonly size: number
}

const detectable = (row: Verify.Row | undefined): Bias | undefined => {
  if (row?.detectable === undefined || row.detectable === null) return undefined
  const errors = row.standardError ?? []
  return { component: errors.indexOf(Math.max(...errors)), size: row.detectable }
}

/** One wrong claim, and how it fared. */
interface Wrong {
  readonly contender: VerifyModel.Contender
  readonly mean: Bias
  missed: number
  missedMean: number
  undecided: number
}

/** What a pilot of a hundred runs calls detectable on the average. */
const pilot = async (one: Case, contenderOf: VerifyModel.Contender, samples: number): Promise<Bias> => {
  const { model, forget } = remembering(one.model)
  const found: Array<Bias> = []
  for (let i = 0; i < 100; i++) {
    forget()
    const at = foldIn(Key.foldInString(key(1), 'pilot'), i)
    const [row] = await verified(model, [contenderOf], { samples, most: one.most, key: at, alpha: 0.05, beta })
    const bias = detectable(row)
    if (bias !== undefined) found.push(bias)
  }
  const [first] = found
  if (first === undefined) throw new Error(`${contenderOf.name}: nothing was decided`)
  return { component: first.component, size: found.reduce((sum, { size }) => sum + size, 0) / found.length }
}

/** Rates of false alarms and of misses at one number of samples. */
const rates = async (one: Case, samples: number): Promise<ReadonlyArray<Result>> => {
  const { model, forget } = remembering(one.model)
  const { repetitions } = one
  const tallies = alphas.map(() => ({ refuted: 0, undecided: 0 }))
  const wrong: Array<Wrong> = []
  for (const each of one.contenders) {
    wrong.push({ contender: each, mean: await pilot(one, each, samples), missed: 0, missedMean: 0, undecided: 0 })
  }
  for (let i = 0; i < repetitions; i++) {
    forget()
    const options = { samples, most: one.most, key: foldIn(Key.foldInString(key(2), `${model.name}, ${samples}`), i) }
    for (const [k, tally] of tallies.entries()) {
      const rows = await verified(model, one.contenders, { ...options, alpha: alphas[k] ?? 0, beta })
      if (count(rows, 'refuted') > 0) tally.refuted++
      tally.undecided += count(rows, 'undecided')
    }
    for (const tally of wrong) {
      const alone = { ...options, alpha: 0.05, beta }
      // the claim is off upwards and downwards in turn
      const missed = async ({ component, size }: Bias): Promise<boolean> => {
        const off = forged(model, component, i % 2 === 0 ? size : -size)
        return count(await verified(off, [tally.contender], alone), 'refuted') === 0
      }
      const [row] = await verified(model, [tally.contender], alone)
      const own = detectable(row)
      if (own === undefined) tally.undecided++
      else {
        if (await missed(own)) tally.missed++
        if (await missed(tally.mean)) tally.missedMean++
      }
    }
  }
  return [
    ...alphas.map(
      (stated, k): Alpha => ({
        kind: 'alpha',
        model: model.name,
        samples,
        stated,
        repetitions,
        claims: one.contenders.length,
        refuted: tallies[k]?.refuted ?? Number.NaN,
        undecided: tallies[k]?.undecided ?? Number.NaN
      })
    ),
    ...wrong.map(
      ({ contender: { name }, mean, missed, missedMean, undecided }): Power => ({
        kind: 'power',
        model: model.name,
        estimator: name,
        samples,
        stated: beta,
        repetitions,
        bias: Number(mean.size.toPrecision(4)),
        missed,
        missedMean,
        undecided
      })
    )
  ]
}

/** Samples that stand for all of them, to know a variance by. */
const manyRows = 2 ** 22

/** How often the interval of a variance covers it, with that of plus and minus 1.96 standard errors beside it. */
const coverage = async (
  one: Case,
  each: VerifyModel.Contender,
  sizes: ReadonlyArray<readonly [samples: number, repetitions: number]>
): Promise<ReadonlyArray<Result>> => {
  const rows = 2 ** 14
  const truth = await variances(one.model, each, rows, manyRows / rows, 'truth')
  const variance = Variance.moments(truth).variance
  const results: Array<Result> = []
  for (const [samples, repetitions] of sizes) {
    const perBatch = Math.floor(rows / samples)
    const batches = await variances(one.model, each, rows, Math.ceil(repetitions / perBatch), `${samples}`)
    const parts = batches
      .flatMap(({ width, data }) =>
        Array.from({ length: perBatch }, (_, i) => ({
          width,
          data: data.slice(i * samples * width, (i + 1) * samples * width)
        }))
      )
      .slice(0, repetitions)
    const tally = { covered: 0, below: 0, plain: 0 }
    for (const part of parts) {
      const spread = Variance.ofRows([part])
      const [low, high] = spread.interval
      if (low <= variance && variance <= high) tally.covered++
      if (high < variance) tally.below++
      if (Math.abs(spread.variance - variance) <= 1.96 * spread.varianceError) tally.plain++
    }
    results.push({ kind: 'coverage', model: one.model.name, estimator: each.name, samples, repetitions, ...tally })
  }
  return results
}

/** Rows of gradients, batch by batch. */
const variances = async (
  model: VerifyModel.Model,
  each: VerifyModel.Contender,
  rows: number,
  batches: number,
  stream: string
): Promise<ReadonlyArray<Variance.Matrix>> => {
  const [cover] = each.estimator.covers
  const sampler = right(model.sampler(each, Target.reference, rows))
  const noise = model.noise(Key.foldInString(Key.foldInString(key(3), each.name), stream), rows)
  const matrices: Array<Variance.Matrix> = []
  for (let batch = 0; batch < batches; batch++) {
    matrices.push(right(await sampler.rows(cover.cover, noise(batch))()))
  }
  await sampler.dispose()
  return matrices
}

/**
 * The study. `tell` hears each part of it as it is done.
 */
export const study = async (tell: (result: Result) => void): Promise<ReadonlyArray<Result>> => {
  const results: Array<Result> = []
  const add = (more: ReadonlyArray<Result>): void => {
    more.forEach(tell)
    results.push(...more)
  }
  for (const one of cases()) {
    for (const samples of [1000, 4000]) add(await rates(one, samples))
    for (const each of one.contenders.filter(({ estimator }) => estimator.covers.length === 1).slice(0, 2)) {
      const sizes = [
        [8, 2000],
        [32, 2000],
        [128, 2000],
        [1024, 1000]
      ] as const
      add(await coverage(one, each, sizes))
    }
  }
  return results
}

// -------------------------------------------------------------------------------------
// tables
// -------------------------------------------------------------------------------------

const percent = (part: number, whole: number): string => `${((100 * part) / whole).toFixed(2)} %`

const table = (header: ReadonlyArray<string>, rows: ReadonlyArray<ReadonlyArray<string>>): string =>
  [header, header.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n')

/** The tables of the page, from the results. */
export const tables = (results: ReadonlyArray<Result>): string => {
  const of = <K extends Result['kind']>(kind: K): ReadonlyArray<Extract<Result, { readonly kind: K }>> =>
    results.filter((result): result is Extract<Result, { readonly kind: K }> => result.kind === kind)
  return [
    '**False alarms.** Runs in which some true claim was refuted.',
    table(
      ['model', 'samples', 'stated', 'refuted', 'claims left undecided'],
      of('alpha').map(({ model, samples, stated, repetitions, claims, refuted, undecided }) => [
        model,
        String(samples),
        `${100 * stated} %`,
        `${percent(refuted, repetitions)} (${refuted} of ${repetitions})`,
        percent(undecided, repetitions * claims)
      ])
    ),
    '**Misses.** Runs in which a claim was not refuted that is off by what the run itself calls detectable; and by what runs call so on the average, the same for all.',
    table(
      ['model', 'estimator', 'samples', 'stated', 'missed, its own', 'missed, the average', 'the average', 'undecided'],
      of('power').map(({ model, estimator, samples, stated, repetitions, bias, missed, missedMean, undecided }) => [
        model,
        estimator,
        String(samples),
        `${100 * stated} %`,
        percent(missed, repetitions),
        percent(missedMean, repetitions),
        String(bias),
        percent(undecided, repetitions)
      ])
    ),
    '**Intervals of a variance**, 95 % stated. Too low: the whole interval lies below the variance.',
    table(
      ['model', 'estimator', 'samples', 'covered', 'too low', 'covered by plus and minus 1.96 errors'],
      of('coverage').map(({ model, estimator, samples, repetitions, covered, below, plain }) => [
        model,
        estimator,
        String(samples),
        percent(covered, repetitions),
        percent(below, repetitions),
        percent(plain, repetitions)
      ])
    )
  ].join('\n\n')
}
