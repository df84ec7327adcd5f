import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as t from 'io-ts'
import { afterAll, describe, expect, it } from 'vitest'
import { plan, type PlanOptions, showPlans } from '../../../cli/command/Plan.js'
import { captured, type Ran } from '../captured.js'

const scratch = mkdtempSync(join(tmpdir(), 'halforder-plan-'))
afterAll(() => rmSync(scratch, { recursive: true, force: true }))

const run = (options: PlanOptions): Promise<Ran> => captured(() => plan(options))

const Planned = t.type({
  program: t.string,
  role: t.string,
  kernels: t.array(t.type({ name: t.string, calls: t.number, flops: t.number, bytesMoved: t.number })),
  work: t.type({ flops: t.number, bytesMoved: t.number, peakBytes: t.number })
})

const planned = async (options: PlanOptions): Promise<ReadonlyMap<string, t.TypeOf<typeof Planned>>> => {
  const { out } = await run({ ...options, json: true })
  return new Map(
    out
      .trim()
      .split('\n')
      .map((line) => {
        const decoded = Planned.decode(JSON.parse(line))
        if (decoded._tag === 'Left') throw new Error(line)
        return [decoded.right.program, decoded.right] as const
      })
  )
}

/** The paper's rest has sides. */
const quick = { T: '5', batch: '4', estimator: 'rlr', kl: '0' }

describe('halforder plan', () => {
  it('lists every program of a step in its order, and the kernels of each', async () => {
    const { code, out, err } = await run(quick)
    expect([code, err]).toEqual([0, ''])
    const lines = out.split('\n')
    const summary = lines.slice(lines.findIndex((line) => line.startsWith('program')))
    expect(summary.map((line) => line.split(/ {2,}/).slice(0, 2).join(': '))).toEqual([
      'program: kernels',
      'rollout(none): sample',
      'side(shared): sample',
      'side(shared, 3 steps): sample',
      'reward: score',
      'firstOrder(1): credit',
      'halfOrder(2): credit',
      'zerothOrder(shared): credit',
      'update: update',
      '',
      expect.stringMatching(/^memory: \d+\.\d MiB for a gradient, and \d+\.\d MiB where/),
      ...[
        'that all programs work in',
        'of arrays',
        'of compiled code',
        'of the process and its programs',
        'to spare'
      ].map((part): unknown => expect.stringMatching(`: \\d+\\.\\d MiB ${part}`)),
      ''
    ])
    expect(lines[0]).toBe('sample: rollout(none)')
    expect(lines[1]).toBe(' calls       Mflops         KiB  kernel')
    // 5 steps of one layer that maps 384 features to 768, on 4 rows
    expect(out).toMatch(/^ {5}5 +11\.796 .* contraction 4x384x768 by rows$/m)
  })

  it('has a layout of its own', () => {
    const work = { flops: 2e6, bytesMoved: 2048, peakBytes: 1024 }
    const kernels = [{ name: 'contraction 1x2x3 by rows', calls: 2, flops: 2e6, bytesMoved: 2048 }]
    expect(showPlans([{ program: 'update', role: 'update', report: { kernels, work } }])).toBe(
      [
        'update: update',
        ' calls       Mflops         KiB  kernel',
        '     2       2.000         2.0 contraction 1x2x3 by rows',
        '     2       2.000         2.0 in all',
        '1.0 KiB alive at once',
        '',
        'program            kernels      calls     Mflops  KiB moved  KiB alive',
        'update   update          1          2      2.000        2.0        1.0'
      ].join('\n')
    )
  })

  it('shows what options and the file change: a rollout is linear in T and in the batch, credit does not know T', async () => {
    const config = join(scratch, 'long.yaml')
    writeFileSync(config, 'chain: { T: 9 }\nestimator: { radius: 0.1 }\n')
    const [short, long, wide] = [
      await planned(quick),
      await planned({ config, batch: '4', estimator: 'rlr', kl: '0' }),
      await planned({ ...quick, batch: '8' })
    ]
    const flops = (of: typeof short, name: string): number => of.get(name)?.work.flops ?? NaN
    // the condition is embedded once a rollout, not once a step
    const once = 2 * 4 * 34 * 128
    expect((flops(long, 'side(shared)') - once) / (flops(short, 'side(shared)') - once)).toBeCloseTo(9 / 5, 2)
    expect(flops(wide, 'side(shared)') / flops(short, 'side(shared)')).toBeCloseTo(2, 2)
    expect(flops(long, 'halfOrder(2)')).toBe(flops(short, 'halfOrder(2)'))
    expect([...(await planned({ ...quick, estimator: 'segmented', h: '3' })).keys()]).toContain('halfOrder(3)')
  })

  it('shows the rows that each of several threads takes', async () => {
    const threaded = await planned({ ...quick, batch: '16', threads: '2' })
    const names = (threaded.get('side(shared)')?.kernels ?? []).map(({ name }) => name)
    expect(names).toContain('contraction 8x384x768 by rows')
    expect(names).not.toContain('contraction 16x384x768 by rows')
  })

  it.each<readonly [PlanOptions, string]>([
    [{ h: '60' }, 'h: expected a whole number in 1..49, got 60'],
    [{ T: 'many' }, 'chain.T: expected a whole number in 1..4096, got "many"; correct it'],
    [{ threads: '0' }, 'threads: expected a whole number in 1..256, got 0; correct it'],
    [{ mode: 'webgl2' }, "use the mode 'webasm', which runs anywhere"]
  ])('refuses %o with 2, and prints nothing', async (options, said) => {
    const { code, out, err } = await run(options)
    expect([code, out]).toEqual([2, ''])
    expect(err).toContain(`halforder plan: `)
    expect(err).toContain(said)
  })
})
