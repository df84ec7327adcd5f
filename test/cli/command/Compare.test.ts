import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as t from 'io-ts'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { compareEstimators } from '../../../cli/command/Compare.js'
import type { CompareOptions } from '../../../cli/command/Contending.js'
import { captured, type Ran } from '../captured.js'

let folder = ''
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'halforder-compare-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

const file = (name: string, content: unknown): string => {
  const path = join(folder, name)
  writeFileSync(path, JSON.stringify(content))
  return path
}

const Measured = t.type({
  estimator: t.string,
  baseline: t.string,
  control: t.string,
  variance: t.number,
  networkEvaluations: t.number,
  pullbacks: t.number,
  varianceTimesCost: t.number,
  varianceTimesCostInterval: t.tuple([t.number, t.number]),
  betterThanReinforce: t.union([t.number, t.null]),
  betterThanReinforceInterval: t.union([t.tuple([t.number, t.number]), t.null]),
  slopeRatio: t.number,
  slopeRatioError: t.number,
  tailIndex: t.number
})

const run = (options: Partial<CompareOptions>): Promise<Ran> =>
  captured(() => compareEstimators({ task: 'points', samples: '64', seed: '1', T: '8', json: true, ...options }))

const refusal = async (options: Partial<CompareOptions>): Promise<string> => {
  const { code, out, err } = await run(options)
  expect([code, out]).toEqual([2, ''])
  return err
}

describe('halforder compare', () => {
  it('measures forms of the named estimators by a part of their name', async () => {
    const { code, out } = await run({ only: 'truncated' })
    expect(code).toBe(0)
    expect(JSON.parse(out)).toMatchObject({
      estimator: 'truncated backpropagation(k = 1)',
      exact: false,
      samples: 64,
      networkEvaluations: 9
    })
  })

  it('measures one with options, and cells of a file', async () => {
    const named = await run({ estimator: 'truncatedBackprop(k = 2)' })
    expect(JSON.parse(named.out)).toMatchObject({
      estimator: 'truncated backpropagation(k = 2)',
      networkEvaluations: 10
    })
    const cells = await run({ estimator: file('mine.json', { cells: [{ kind: 'firstOrder', to: 2 }] }) })
    // what it took is not what it is
    const numbers = (out: string): unknown => ({ ...JSON.parse(out), estimator: '', seconds: 0 })
    expect(numbers(cells.out)).toEqual(numbers(named.out))
  })

  it('pays for step 1 by a zeroth-order cell under a black box', async () => {
    const { code, out } = await run({
      task: 'faces',
      reward: 'compressibility',
      T: '3',
      only: 'reinforce (zeroth-order on step 1)'
    })
    expect(code).toBe(0)
    const [first = ''] = out.split('\n')
    expect(JSON.parse(first)).toMatchObject({ estimator: 'reinforce (zeroth-order on step 1)', exact: true })
  })

  it('has the baselines beside each other, against REINFORCE and against finite differences', async () => {
    const { code, out } = await run({ only: 'reinforce' })
    expect(code).toBe(0)
    const rows = out
      .trim()
      .split('\n')
      .map((line) => Measured.decode(JSON.parse(line)))
      .flatMap((decoded) => (decoded._tag === 'Right' ? [decoded.right] : []))
    expect(rows.map(({ estimator, baseline, control }) => [estimator, baseline, control])).toEqual([
      ['reinforce (first-order on step 1)', 'leaveOneOut', 'none'],
      ['reinforce (first-order on step 1), no baseline', 'none', 'none'],
      ['reinforce (first-order on step 1), clean baseline', 'clean', 'none'],
      ['reinforce (first-order on step 1), clean control', 'leaveOneOut', 'clean']
    ])
    for (const row of rows) {
      const { variance, networkEvaluations, pullbacks, varianceTimesCost, varianceTimesCostInterval } = row
      expect(varianceTimesCost).toBeCloseTo(variance * (networkEvaluations + pullbacks), 9)
      expect(varianceTimesCostInterval[0]).toBeLessThan(varianceTimesCost)
      expect(varianceTimesCostInterval[1]).toBeGreaterThan(varianceTimesCost)
      expect(row.tailIndex).toBeGreaterThan(0)
      expect(row.slopeRatioError).toBeGreaterThan(0)
    }
    const [reference, ...others] = rows
    expect([reference?.betterThanReinforce, reference?.betterThanReinforceInterval]).toEqual([null, null])
    for (const row of others) {
      const ratio = (reference?.varianceTimesCost ?? 0) / row.varianceTimesCost
      expect(row.betterThanReinforce).toBeCloseTo(ratio, 9)
    }
  })

  it('measures means of batches where the batch shares what is trained, on the chain and the model that are named', async () => {
    const { code, out, err } = await run({
      lora: '2',
      batch: '8',
      chain: 'ddpm',
      T: '6',
      model: 'moons',
      only: 'clean baseline|truncated'
    })
    expect([code, err.split('\n').filter((line) => line !== '' && !line.startsWith('compare'))]).toEqual([0, []])
    const rows = out
      .trim()
      .split('\n')
      .map((line): unknown => JSON.parse(line))
    expect(rows.length).toBeGreaterThanOrEqual(2)
    rows.forEach((row) => expect(row).toMatchObject({ lora: 2, chain: 'ddpm', model: 'moons', batch: 8, samples: 8 }))
  })

  it('finds chances of steps by a pilot, where they are asked for', async () => {
    const { code, out } = await run({ only: 'by chances' })
    expect(code).toBe(0)
    const names = out
      .trim()
      .split('\n')
      .map((line): unknown => JSON.parse(line))
    expect(names).toEqual([
      expect.objectContaining({ estimator: 'subsampled(1.4 of 7 steps, by chances)', exact: true }),
      expect.objectContaining({ estimator: 'subsampled(0.7 of 7 steps, by chances)', exact: true })
    ])
  })

  it('refuses what is no estimator here, with one line', async () => {
    expect(await refusal({ only: 'nothing' })).toBe(
      'halforder compare: --only: expected a part of the name of an estimator, got nothing\n'
    )
    expect(await refusal({ estimator: 'rlr(h = 60)' })).toBe(
      'halforder compare: --estimator: h: expected a whole number in 1..7, got 60\n'
    )
    expect(await refusal({ estimator: 'rlr(directions = batch)' })).toBe(
      'halforder compare: --estimator: directions: expected "row" or "auto", since each sample is measured with a direction of its own, got "batch"; leave it out\n'
    )
    expect(await refusal({ task: 'faces', reward: 'compressibility', estimator: 'rlr' })).toBe(
      "halforder compare: --estimator: rlr pulls back the reward's gradient, and this reward has none; choose blackBoxRlr\n"
    )
    expect(
      await refusal({ estimator: file('scores.json', { cells: [{ kind: 'halfOrder', from: 1, to: 1 }] }) })
    ).toContain('HO(1..1): sigma of step 1 is 0 in ddim(eta = 1), so HO(1..1) has no score there')
  })
})
