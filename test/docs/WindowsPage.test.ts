import { readFileSync, writeFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { product } from '../../laws/exact/Quadrature.js'
import { closedForm, linearChain, type LinearGaussian, quadraticReward } from '../../laws/toy/LinearGaussian.js'
import * as Advantage from '../../src/estimator/Advantage.js'
import { moved } from '../../src/estimator/catalogue/Windowed.js'
import * as Catalogue from '../../src/estimator/Catalogue.js'
import * as C from '../../src/estimator/Cover.js'
import * as Est from '../../src/estimator/Estimator.js'
import * as Gradient from '../../src/estimator/Gradient.js'
import { reference } from '../../src/tensor/Target.js'
import * as T from '../../src/tensor/Tensor.js'
import { get } from '../network/adjoint.js'

const length = 6
const size = 2
const angle = (20 * Math.PI) / 180

/** Six steps in the plane, whose state turns by twenty degrees a step. */
const numbers: LinearGaussian = {
  A: [
    [0.9 * Math.cos(angle), -0.9 * Math.sin(angle)],
    [0.9 * Math.sin(angle), 0.9 * Math.cos(angle)]
  ],
  B: [
    [1, 0],
    [0, 1]
  ],
  c: [0, 0],
  sigma: new Array<number>(length).fill(0.5),
  theta: [0.1, 0.2],
  m: [2, 1],
  Q: [
    [1, 0],
    [0, 1]
  ],
  q: [0, 0]
}

/** In a linear chain the noise has no say in the mean, so every place of the window has the same terms. */
const { terms, gradient: truth } = closedForm(numbers)

type Vector = ReadonlyArray<number>

const norm = (v: Vector): number => Math.hypot(...v)
const minus = (a: Vector, b: Vector): Vector => a.map((x, i) => x - (b[i] ?? 0))

/** The expectation of a cover's estimate on a chain with noise in its window alone, and the variance of one sample: exact. */
const measured = async (
  cover: C.Cover,
  noisy: ReadonlyArray<number>
): Promise<{ readonly mean: Vector; readonly variance: number }> => {
  // the square of an estimate has degree 6 in each noise
  const nodes = 4
  const { points, weights } = product(new Array<number>(2 + 2 * noisy.length).fill(nodes))
  const rows = points.length
  const sigma = numbers.sigma.map((s, i) => (noisy.includes(i + 1) ? s : 0))
  const problem = Gradient.problem(linearChain({ ...numbers, sigma }), quadraticReward(numbers), rows, {
    // a constant near the expected reward, so that variances are not those of an offset
    advantage: Advantage.constant(closedForm({ ...numbers, sigma }).J)
  })(Est.always('one', cover))
  const { gradient } = get(
    await get(Gradient.compile(problem, reference)).run({
      cover,
      params: { theta: T.tabulate([rows, 2], (i) => numbers.theta[i % 2] ?? 0) },
      condition: {},
      xT: T.tabulate([rows, 2], (i) => points[Math.floor(i / 2)]?.[i % 2] ?? 0),
      eps: T.tabulate([length, rows, 2], (i) => {
        const at = noisy.indexOf(Math.floor(i / (2 * rows)) + 1)
        return at < 0 ? 0 : (points[Math.floor(i / 2) % rows]?.[2 + 2 * at + (i % 2)] ?? 0)
      }),
      xi: {},
      weights: new Array<number>(rows).fill(1),
      advantageState: 0
    })()
  )
  const each = gradient['theta']?.data ?? []
  const moment = (k: number, power: number): number =>
    weights.reduce((total, w, row) => total + w * (each[2 * row + k] ?? 0) ** power, 0)
  const mean = [moment(0, 1), moment(1, 1)]
  return { mean, variance: moment(0, 2) + moment(1, 2) - mean.reduce((n, v) => n + v * v, 0) }
}

const places = (name: 'mixGrpo' | 'windowed'): Est.Estimator =>
  get(
    moved({ window: size }, name, (scored) =>
      name === 'mixGrpo' ? Catalogue.mixGrpo({ T: length, scored }) : Catalogue.windowed({ T: length, scored })
    )([1, ...C.range(2, length)])
  )

const noisyIn = (cover: C.Cover): ReadonlyArray<number> =>
  cover.cells.flatMap((cell) => (cell._tag === 'HalfOrder' ? [cell.from] : []))

/** What a cover pays of each term. */
const promised = (cover: C.Cover): Vector =>
  C.paid(cover).reduce<Vector>((all, share, i) => all.map((v, k) => v + share * (terms[i]?.[k] ?? 0)), [0, 0])

interface Place {
  readonly window: ReadonlyArray<number>
  readonly mean: Vector
  readonly variance: number
  readonly promised: Vector
}

const all = async (name: 'mixGrpo' | 'windowed'): Promise<ReadonlyArray<Place>> => {
  const found: Array<Place> = []
  for (const { cover } of places(name).covers) {
    const window = noisyIn(cover)
    found.push({ window, promised: promised(cover), ...(await measured(cover, window)) })
  }
  return found
}

/** A place at random: the mean over the places, and the variance within and between them. */
const atRandom = (each: ReadonlyArray<Place>): Place => {
  const average = (read: (one: Place) => Vector): Vector =>
    [0, 1].map((k) => each.reduce((n, one) => n + (read(one)[k] ?? 0) / each.length, 0))
  const mean = average((one) => one.mean)
  const variance = each.reduce((n, one) => n + (one.variance + norm(minus(one.mean, mean)) ** 2) / each.length, 0)
  return { window: [], mean, promised: average((one) => one.promised), variance }
}

const path = new URL('../../docs/results/windows.md', import.meta.url)
const [begin, end] = ['<!-- table -->', '<!-- end -->']
const round = (x: number): string => (Math.abs(x) < 1e-9 ? '0' : String(Number(x.toPrecision(3))))

describe('a window of noise', () => {
  it('that is scored alone is biased by the steps outside of it, as its ledger says; segments up to the next are not', async () => {
    const [alone, segments] = [await all('mixGrpo'), await all('windowed')]
    const rows = [...alone, atRandom(alone)].map((one, i) => {
      const exact = [...segments, atRandom(segments)][i]
      if (exact === undefined) throw new Error('another number of places')
      expect(norm(minus(one.mean, one.promised))).toBeLessThan(1e-9)
      expect(norm(minus(exact.mean, truth))).toBeLessThan(1e-9)
      const off = (mean: Vector): string => round(norm(minus(mean, truth)) / norm(truth))
      // the part that no learning rate makes up for
      const along = one.mean.reduce((n, v, k) => n + v * (truth[k] ?? 0), 0) / (norm(one.mean) * norm(truth))
      expect(norm(minus(one.mean, truth)) / norm(truth)).toBeGreaterThan(0.1)
      const name = one.window.length === 0 ? 'any, each as likely' : C.showSteps(one.window)
      const cells = [off(one.mean), off(one.promised), round((Math.acos(Math.min(1, along)) * 180) / Math.PI)]
      return `| ${[name, ...cells, round(one.variance), off(exact.mean), round(exact.variance)].join(' | ')} |`
    })
    const table = [
      '| noise at | `mixGrpo`: off by | its ledger says | angle | variance | `windowed`: off by | variance |',
      '|---|---|---|---|---|---|---|',
      ...rows
    ].join('\n')
    const page = readFileSync(path, 'utf8')
    const written = `${page.slice(0, page.indexOf(begin))}${begin}\n\n${table}\n\n${page.slice(page.indexOf(end))}`
    if (process.env['UPDATE_DOCS'] === '1') writeFileSync(path, written)
    expect(process.env['UPDATE_DOCS'] === '1' ? written : page).toBe(written)
  })
})
