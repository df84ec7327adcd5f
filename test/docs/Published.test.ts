import { readFileSync, writeFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import * as Expectation from '../../laws/exact/Expectation.js'
import * as Estimator from '../../laws/law/Estimator.js'
import { type Method, methods } from '../../laws/published/Methods.js'
import * as Run from '../../laws/run/Run.js'
import { closedForm, type LinearGaussian, linearSetting } from '../../laws/toy/LinearGaussian.js'
import * as Polynomial from '../../laws/toy/Polynomial.js'
import * as Ledger from '../../src/estimator/reading/Ledger.js'
import { type Carrier, firstOrder, portion, range, showSteps } from '../../src/estimator/Cover.js'
import { always } from '../../src/estimator/Estimator.js'
import * as X from '../../src/tensor/Expr.js'
import * as Tensor from '../../src/tensor/Tensor.js'
import { get } from '../network/adjoint.js'

const T = 20

/** Two numbers a state that turn as they go, so that the terms of the steps point in different directions. */
const toy: LinearGaussian = {
  A: [
    [0.95, 0.1],
    [-0.1, 0.95]
  ],
  B: [
    [1, 0],
    [0, 0.5]
  ],
  c: [0.1, -0.1],
  sigma: Array.from({ length: T }, (_, i) => 0.1 + (0.4 * i) / (T - 1)),
  theta: [0.05, -0.1],
  m: [1, 2],
  Q: [
    [1, 0.2],
    [0.2, 0.8]
  ],
  q: [0, 0]
}

const layout = { T, elements: 2, sigma: toy.sigma }
const { terms, gradient } = closedForm(toy)

const length = (v: ReadonlyArray<number>): number => Math.hypot(...v)

/** The expected gradient of a ledger, from the exact terms; factors alike are a learning rate's. */
const expected = ({ entries }: Ledger.Ledger): ReadonlyArray<number> =>
  gradient.map((_, i) => entries.reduce((sum, { step, paid }) => sum + paid * (terms[step - 1]?.[i] ?? 0), 0))

/**
 * The expected gradient of what is carried from step to step by something else: the part of the toy's steps that is no turn stands for
 * the sampler, and the reference is the chain itself, so that its terms are the chain's.
 */
const carriedBy = (through: Carrier): ReadonlyArray<number> => {
  const rate = { sampler: 0.95, identity: 1, reference: 0 }[through]
  return through === 'reference'
    ? gradient
    : gradient.map((_, i) => range(1, T).reduce((sum, t) => sum + rate ** (t - 1) * (terms[0]?.[i] ?? 0), 0))
}

/** What is left of the gradient at the best learning rate, as a share of its length; and the angle, in degrees. */
const bias = (ledger: Ledger.Ledger): { readonly left: number; readonly angle: number } => apart(expected(ledger))

const apart = (found: ReadonlyArray<number>): { readonly left: number; readonly angle: number } => {
  const along = found.reduce((sum, v, i) => sum + v * (gradient[i] ?? 0), 0) / (length(found) * length(gradient))
  const cosine = Math.min(1, Math.max(-1, along))
  // what is off by a factor alone is off by nothing, but for rounding
  const sine = Math.sqrt(Math.max(1 - cosine * cosine, 0))
  return { left: cosine > 0 ? sine : 1, angle: (Math.acos(cosine) * 180) / Math.PI }
}

const round = (x: number): string => (Math.abs(x) < 5e-4 ? '0' : String(Number(x.toPrecision(2))))

/** Runs of steps with what is paid of them, relative to the most. */
const payments = ({ entries }: Ledger.Ledger): string => {
  const most = Math.max(...entries.map(({ paid }) => paid))
  const amounts = new Map<string, Array<number>>()
  for (const { step, paid } of entries) {
    const amount = round(paid / most)
    amounts.set(amount, [...(amounts.get(amount) ?? []), step])
  }
  if (amounts.size > 5) {
    return `${round(Math.min(...entries.map(({ paid }) => paid)) / most)} to 1, ${(entries[0]?.paid ?? 0) < (entries[T - 1]?.paid ?? 0) ? 'rising' : 'falling'} with the step`
  }
  return [...amounts].map(([amount, steps]) => `${showSteps(steps)}: ${amount}`).join('; ')
}

const ledgerOf = ({ covers, departures }: Method): Ledger.Ledger | undefined =>
  typeof covers === 'string' ? undefined : Ledger.ledger(get(covers(layout)), departures(layout))

const short = (one: Ledger.Departure): string => {
  switch (one._tag) {
    case 'MeanDensity':
      return 'mean density'
    case 'AveragedSteps':
      return 'mean over steps'
    case 'OwnBaseline':
      return `own reward in the baseline (${one.group})`
    case 'Normalised':
      return `divided by the deviation of the ${one.over}`
    case 'ClippedRatio':
      return `ratio clipped at ${one.high}`
    case 'ReusedSamples':
      return `${one.updates} updates from one set of samples`
    case 'PartOfPenalty':
      return `penalty as ${one.as}`
    case 'ClippedAdvantage':
      return `advantages within ${one.limit}`
    case 'ClippedGradient':
      return `gradients within ${one.norm}`
    case 'StepwiseUpdates':
      return 'updates between terms'
    case 'StoppedState':
      return 'cotangents dropped'
  }
}

const line = (method: Method): string => {
  const ledger = ledgerOf(method)
  const paper = /^[\d.]+/.test(method.paper)
    ? `[${method.paper}](https://arxiv.org/abs/${/^[\d.]+/.exec(method.paper)?.[0] ?? ''})`
    : method.paper
  const code = /^[\w-]+\/[\w.-]+@\w+/.test(method.code)
    ? `\`${method.code.split(' ')[0] ?? ''}\`${method.code.slice((method.code.split(' ')[0] ?? '').length)}`
    : method.code
  const cells =
    ledger === undefined
      ? [
          typeof method.covers === 'string' ? method.covers : '',
          ...(method.carried === undefined
            ? ['', '']
            : [round(apart(carriedBy(method.carried)).left), `${round(apart(carriedBy(method.carried)).angle)}`])
        ]
      : [payments(ledger), round(bias(ledger).left), `${round(bias(ledger).angle)}`]
  return `| ${method.name} | ${paper}; ${code} | ${cells.join(' | ')} | ${method.departures(layout).map(short).join(', ') || 'none'} | ${method.remarks} |`
}

const path = new URL('../../docs/published-methods.md', import.meta.url)
const [begin, end] = [
  '<!-- methods: written by `UPDATE_DOCS=1 npx vitest run test/docs/Published.test.ts` -->',
  '<!-- end of methods -->'
]

const table = [
  '| method | source | paid of steps, of the most | left | angle | departures | besides |',
  '|---|---|---|---|---|---|---|',
  ...methods.map(line)
].join('\n')

describe('the page of published methods', () => {
  it('has the table that follows from their covers', () => {
    const page = readFileSync(path, 'utf8')
    const [before = '', rest = ''] = page.split(begin)
    const after = rest.split(end)[1] ?? ''
    const made = `${before}${begin}\n\n${table}\n\n${end}${after}`
    if (process.env['UPDATE_DOCS'] === '1') writeFileSync(path, made)
    expect(process.env['UPDATE_DOCS'] === '1' ? made : page).toBe(made)
  })

  it('has fifteen methods at least, each with its source', () => {
    expect(methods.length).toBeGreaterThanOrEqual(15)
    expect(methods.every(({ paper, code }) => paper !== '' && code !== '')).toBe(true)
    expect(new Set(methods.map(({ name }) => name)).size).toBe(methods.length)
  })
})

describe('what something else carries', () => {
  it.each<Carrier>(['reference', 'identity', 'sampler'])(
    'through the %s is what is computed of it',
    async (through) => {
      // the mean of the gradient is that at the mean of the output: the reward is quadratic, and the chain linear
      const setting = linearSetting(toy)
      const held: typeof setting.chain.mean = (t) => {
        const lens = setting.chain.mean(t)
        return {
          ...lens,
          run: (p, at) => {
            const [value, back] = lens.run(p, at)
            return [value, (bar) => [back(bar)[0], { ...at, x: X.scale(bar, 0.95) }]]
          }
        }
      }
      const cover = get(portion(T, [firstOrder(T, { through })]))
      const still = { rows: 1, xT: Tensor.fill([1, 2], 0), eps: Tensor.fill([T, 1, 2], 0), xi: {}, weights: [1] }
      const { estimate } = get(
        await Expectation.run(
          { ...setting, chain: { ...setting.chain, held }, reference: setting.params },
          { estimator: always('', cover) },
          cover,
          still
        )()
      )
      carriedBy(through).forEach((g, i) => expect(estimate.gradient['theta']?.data[i]).toBeCloseTo(g, 9))
    }
  )
})

describe('the ledgers', () => {
  const of = (name: string): Ledger.Ledger => {
    const found = methods.find((method) => method.name === name)
    const ledger = found === undefined ? undefined : ledgerOf(found)
    if (ledger === undefined) throw new Error(name)
    return ledger
  }

  it('say which are the gradient but for a factor, and which are not', () => {
    expect(bias(of('DDPO')).left).toBeLessThan(1e-6)
    expect(bias(of('DPOK')).left).toBeLessThan(1e-6)
    for (const name of ['Flow-GRPO', 'MixGRPO', 'DRaFT-1', 'RLR as released'])
      expect(bias(of(name)).left).toBeGreaterThan(1e-3)
    expect(Ledger.scaleOf(of('DDPO'))).toBeCloseTo((1 / 2 / 20) * (15 / 16), 12)
  })

  const covered = methods.flatMap(({ name, covers }) => (typeof covers === 'string' ? [] : [[name, covers] as const]))

  // on a shorter chain, whose expectations are integrated: what the ledger says is what the compiled estimator does
  it.each(covered.filter(([name]) => !/RLR as printed|evolution/.test(name)))(
    '%s is biased by what its ledger lacks',
    async (_, covers) => {
      const sigma = [0.5, 0.75, 0.5, 0.75, 0.5]
      const setting = Polynomial.polynomialSetting(1, { alpha: 0.5, a: 0.25, b: 0.5, sigma }, [0, 1, -1])
      const estimator = get(covers({ T: 5, elements: 1, sigma }))
      // a mixture of portions claims nothing, so that its bias is what its ledger lacks, be it nothing
      expect(estimator._tag).toBe('partial')
      Run.assert(await Estimator.biasIsUnpaid(setting)({ estimator })())
    }
  )
})
