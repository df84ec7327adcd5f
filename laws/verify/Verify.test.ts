import * as E from 'fp-ts/lib/Either.js'
import { describe, expect, it } from 'vitest'
import * as Est from '../../src/estimator/Estimator.js'
import * as C from '../../src/estimator/Cover.js'
import * as Key from '../../src/random/Key.js'
import { reference } from '../../src/tensor/Target.js'
import * as Catalogue from './Catalogue.js'
import type { Contender, Model } from './Model.js'
import * as Report from './Report.js'
import * as Verify from './Verify.js'

const models = Catalogue.models()
const named = (name: string): Model => {
  const found = models.find((model) => model.name === name)
  if (found === undefined) throw new Error(`no model ${name}`)
  return found
}
const multiplicative = named('multiplicative')
const linear = named('linear-Gaussian')

const run = async (
  model: Model,
  contenders: ReadonlyArray<Contender>,
  options: Partial<Verify.Options> & { readonly samples: number }
): Promise<ReadonlyArray<Verify.Row>> => {
  const result = await Verify.verify([{ model, contenders }], { key: Key.make(1), target: reference, ...options })()
  if (E.isLeft(result)) throw new Error('it did not run')
  return result.right.rows
}

const count = (rows: ReadonlyArray<Verify.Row>, verdict: Verify.Outcome): number =>
  rows.filter((row) => row.verdict === verdict).length

describe('true claims on few samples', () => {
  it.each([2, 8, 20, 100])('%d of them refute none, and decide none', async (samples) => {
    for (const model of [multiplicative, linear]) {
      const rows = await run(model, Catalogue.contenders(model), { samples, key: Key.make(samples) })
      expect(count(rows, 'undecided')).toBe(rows.length)
      expect(rows[0]?.reason).toMatch(/^\d+ samples, where at least 1000 are needed$/)
      expect(rows.every(({ tolerance, detectable }) => tolerance === null && detectable === null)).toBe(true)
      expect(Report.sound(rows)).toBe(false)
      expect(Report.refusal(rows)).toMatch(
        /^nothing was decided: .* on .*: \d+ samples, where at least 1000 are needed/
      )
    }
  })

  it('a thousand refute none, and decide most', async () => {
    const rows = await run(linear, Catalogue.contenders(linear), { samples: 1000, most: 1000 })
    expect(count(rows, 'refuted')).toBe(0)
    expect(count(rows, 'undecided')).toBeLessThan(rows.length / 2)
    expect(Report.sound(rows)).toBe(true)
    expect(Report.open(rows).length).toBe(count(rows, 'undecided'))
  })
})

describe('samples that do not decide', () => {
  const heavy: Contender = {
    name: 'heavy',
    baseline: 0,
    estimator: (() => {
      const cover = C.exact(3, [C.halfOrder(1, 3)])
      if (E.isLeft(cover)) throw new Error('a cover')
      return Est.always('heavy', cover.right)
    })()
  }

  it('are followed by eight times as many, until they decide or there are enough', async () => {
    const [few] = await run(multiplicative, [heavy], { samples: 1000, most: 1000 })
    expect(few).toMatchObject({ verdict: 'undecided', samples: 1000 })
    const [more] = await run(multiplicative, [heavy], { samples: 1000, most: 1_000_000 })
    expect(more?.verdict).toBe('unbiased')
    expect(more?.samples).toBeGreaterThanOrEqual(8000)
    const [some] = await run(multiplicative, [heavy], { samples: 1000, most: 1500 })
    expect(some?.samples).toBeGreaterThan(1000)
    expect(some?.samples).toBeLessThanOrEqual(2000)
  })

  it('leave a row that says why, in the table too', async () => {
    const result = await Verify.verify([{ model: multiplicative, contenders: [heavy] }], {
      samples: 1000,
      most: 1000,
      key: Key.make(1),
      target: reference
    })()
    if (E.isLeft(result)) throw new Error('it did not run')
    const { rows, test } = result.right
    expect(rows[0]?.reason).toMatch(/take more$/)
    expect(Report.table(rows, test)).toContain(`heavy: undecided: ${rows[0]?.reason ?? ''}`)
    expect(Report.table(rows, test)).toContain('0 unbiased, 0 biased as predicted, 0 refuted, 1 undecided, 0 skipped')
    expect(Report.table(rows, test)).toContain(
      'asymptotically, a true claim among them is refuted with probability 0.000001'
    )
    expect(Report.open(rows)).toEqual([`heavy on multiplicative is undecided: ${rows[0]?.reason ?? ''}`])
  })
})

describe('a sampler', () => {
  it('tells what each cell pays of each sample: what the gradients are sums of', async () => {
    const [contender] = Catalogue.contenders(linear).filter(({ name }) => name.startsWith('rlr'))
    const sampler = contender && linear.sampler(contender, reference, 8)
    const cover = contender?.estimator.covers[0].cover
    if (sampler === undefined || cover === undefined || E.isLeft(sampler)) throw new Error('no sampler')
    const noise = linear.noise(Key.make(3), 8)(0)
    const [rows, parts] = [await sampler.right.rows(cover, noise)(), await sampler.right.parts(cover, noise)()]
    if (E.isLeft(rows) || E.isLeft(parts)) throw new Error('no samples')
    expect(parts.right.map(({ cell }) => cell)).toEqual(cover.cells)
    rows.right.data.forEach((value, i) => {
      expect(parts.right.reduce((sum, { rows: part }) => sum + (part.data[i] ?? Number.NaN), 0)).toBeCloseTo(value, 9)
    })
    await sampler.right.dispose()
  })
})

describe('rates of errors', () => {
  it('are those that are asked for: less alpha allows more, and a bias that is detectable is further off', async () => {
    const contenders = Catalogue.contenders(linear).slice(0, 3)
    const [strict] = await run(linear, contenders, { samples: 4000 })
    const [loose] = await run(linear, contenders, { samples: 4000, alpha: 0.05, beta: 0.05 })
    expect([strict?.alpha, strict?.power, loose?.alpha, loose?.power]).toEqual([1e-6, 1 - 1e-6, 0.05, 0.95])
    expect(loose?.tolerance ?? 0).toBeLessThan((strict?.tolerance ?? 0) / 1.5)
    expect(loose?.detectable ?? 0).toBeGreaterThan(loose?.tolerance ?? 0)
  })
})
