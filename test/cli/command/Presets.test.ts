import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { finetune, type Options } from '../../../cli/command/Finetune.js'
import { ledger, type LedgerOptions } from '../../../cli/command/Ledger.js'
import type { Ledger } from '../../../src/estimator/reading/Ledger.js'
import { names, presets } from '../../../src/training/policy/Presets.js'
import { captured, type Ran } from '../captured.js'

const scratch = mkdtempSync(join(tmpdir(), 'halforder-presets-'))
afterAll(() => rmSync(scratch, { recursive: true, force: true }))

const file = (name: string, document: unknown): string => {
  const path = join(scratch, name)
  writeFileSync(path, JSON.stringify(document))
  return path
}

const ledgerOf = async (options: LedgerOptions): Promise<Ledger> => {
  const { out } = await captured(() => ledger({ ...options, json: true }))
  // what the command prints with --json is a ledger
  return JSON.parse(out) as Ledger
}

const run = (options: Options): Promise<Ran> => captured(() => finetune(options, new Date(0)))

/** The amounts of the steps, of the most that any is paid. */
const amounts = ({ entries }: Ledger): ReadonlyArray<number> => {
  const most = Math.max(...entries.map(({ paid }) => paid))
  return entries.map(({ paid }) => Number((paid / most).toFixed(6)))
}

describe('the ledger of a preset', () => {
  it.each([
    [
      'ddpo',
      50,
      (t: number) => (t === 1 ? 0 : 1),
      [
        'MeanDensity',
        'OwnBaseline',
        'Normalised',
        'ClippedAdvantage',
        'ReusedSamples',
        'ClippedRatio',
        'ClippedGradient'
      ]
    ],
    [
      'flow-grpo',
      10,
      (t: number) => (t === 1 ? 0 : 1),
      [
        'MeanDensity',
        'OwnBaseline',
        'Normalised',
        'ClippedAdvantage',
        'ReusedSamples',
        'ClippedRatio',
        'PartOfPenalty',
        'ClippedGradient'
      ]
    ],
    [
      'dance-grpo',
      16,
      (t: number) => (t === 1 ? 0 : 1),
      [
        'MeanDensity',
        'OwnBaseline',
        'Normalised',
        'ClippedAdvantage',
        'ReusedSamples',
        'ClippedRatio',
        'ClippedGradient'
      ]
    ],
    // a window of four in twenty-five places less three: the ends are in one
    [
      'mix-grpo',
      25,
      (t: number) => Math.min(t, 26 - t, 4) / 4,
      [
        'MeanDensity',
        'OwnBaseline',
        'Normalised',
        'ClippedAdvantage',
        'ReusedSamples',
        'ClippedRatio',
        'ClippedGradient'
      ]
    ],
    [
      'dpok',
      50,
      (t: number) => (t === 1 ? 0 : 1),
      ['MeanDensity', 'ReusedSamples', 'ClippedRatio', 'PartOfPenalty', 'ClippedGradient']
    ]
  ] as const)('%s has what is paid of each step, and what is done besides', async (preset, T, paid, departures) => {
    const found = await ledgerOf({ preset, task: 'points' })
    expect(amounts(found)).toEqual(Array.from({ length: T }, (_, i) => paid(i + 1)))
    expect(found.departures.map(({ _tag }) => _tag)).toEqual(departures)
  })

  it('is listed for each, with its source', () => {
    expect(names).toEqual(['ddpo', 'flow-grpo', 'dance-grpo', 'mix-grpo', 'dpok'])
    expect(presets.every(({ source }) => /arXiv \d{4}\.\d{5}; /.test(source))).toBe(true)
  })
})

describe('--preset', () => {
  it('lies under what a file has and under what is typed', async () => {
    const config = file('over.json', { policy: { minibatches: 1 }, chain: { T: 8 } })
    const found = await ledgerOf({ preset: 'flow-grpo', task: 'points', config, density: 'sum', klAs: 'objective' })
    expect(found.T).toBe(8)
    expect(found.departures.map(({ _tag }) => _tag)).toEqual([
      'OwnBaseline',
      'Normalised',
      'ClippedAdvantage',
      'ClippedGradient'
    ])
  })

  it.each([
    ['3 down 2', { size: 3, moves: 'down', every: 2 }],
    ['3 random', { size: 3, moves: 'random', every: 1 }]
  ])('has the window that is typed: %s', async (window, moving) => {
    const config = file('moving.json', { chain: { window: moving } })
    const typed = await ledgerOf({ preset: 'mix-grpo', task: 'points', T: '8', window })
    expect(typed).toEqual(await ledgerOf({ preset: 'mix-grpo', task: 'points', T: '8', config }))
    expect(typed).not.toEqual(await ledgerOf({ preset: 'mix-grpo', task: 'points', T: '8' }))
  })

  it.each([
    [
      { window: '3 sideways' },
      'chain.window: expected null, the lowest and the highest step, or { size, moves, every }'
    ],
    [{ window: '5,2' }, 'chain.window: expected'],
    [
      { preset: 'grpo' },
      '--preset: expected one of ddpo, flow-grpo, dance-grpo, mix-grpo, dpok, got grpo; choose one of them'
    ],
    [{ preset: 'ddpo', paper: true }, '--paper: expected no --preset beside it; leave one of the two out'],
    [{ minibatches: '5' }, 'policy.minibatches: expected a number that divides the batch of 32, got 5; change either'],
    [{ innerEpochs: '0' }, 'policy.epochs: expected a whole number in 1..'],
    [{ density: 'median' }, 'policy.density: expected one of sum, mean'],
    [
      { preset: 'mix-grpo', estimator: 'reinforce' },
      'estimator.name: expected mixGrpo or windowed on a window that moves, got reinforce; choose one of them'
    ]
  ])('refuses %j', async (options, said) => {
    const { code, err } = await captured(() => ledger(options))
    expect(code).toBe(2)
    expect(err).toContain(said)
  })
})

/** The shape of a run, not its effect. */
const quick = { chain: { T: 5 }, batch: 8, steps: 2, evaluationSamples: 8 }

describe('a fine-tune by a preset', () => {
  it.each(['mix-grpo', 'dpok'])(
    'goes on from a folder to the same bits as one that was not stopped: %s',
    async (preset) => {
      const own = { ...quick, ...(preset === 'mix-grpo' ? { chain: { T: 5, window: { every: 1 } } } : {}) }
      const config = file(`${preset}.json`, own)
      const [whole, parts] = [join(scratch, `${preset}-whole`), join(scratch, `${preset}-parts`)]
      const { code, err } = await run({ task: 'points', preset, config, out: whole, json: true })
      expect([code, err.includes('halforder finetune:')]).toEqual([0, false])
      await run({ task: 'points', preset, config, out: parts, steps: '1' })
      const resumed = await run({ resume: parts, steps: '2', json: true })
      expect(resumed.code).toBe(0)
      const { clippedShare, pullbackSteps } = JSON.parse(resumed.out) as Record<string, number>
      expect(clippedShare).toBe(
        (JSON.parse(readFileSync(join(whole, 'summary.json'), 'utf8')) as Record<string, number>)['clippedShare']
      )
      expect(pullbackSteps).toBeGreaterThan(0)
      expect(
        readFileSync(join(parts, 'model.safetensors')).equals(readFileSync(join(whole, 'model.safetensors')))
      ).toBe(true)
      const other = await run({ resume: parts, preset })
      expect([other.code, other.err]).toEqual([2, expect.stringContaining('--preset: expected none') as string])
    }
  )

  it('is measured on another chain where one is named', async () => {
    const config = file('ode.json', { ...quick, steps: 0 })
    interface Told {
      readonly before: { readonly mean: number; readonly kl: unknown }
    }
    const summaries: Array<Told> = []
    for (const more of [{}, { evaluateChain: 'flow-ode' }]) {
      const out = join(scratch, `ode-${summaries.length}`)
      const printed = await run({ task: 'points', chain: 'flow-sde', ...more, config, out, json: true })
      summaries.push(JSON.parse(printed.out) as Told)
    }
    expect(summaries[0]?.before.mean).not.toBe(summaries[1]?.before.mean)
    // the ODE has no noise, so no divergence
    expect(summaries[1]?.before.kl).toBe(null)
    expect(summaries[0]?.before.kl).not.toBe(null)
  })
})
