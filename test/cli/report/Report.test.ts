import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import { afterAll, describe, expect, test } from 'vitest'
import { report } from '../../../cli/command/report/Report.js'
import { draw } from '../../../cli/report/Drawing.js'
import { page } from '../../../cli/report/Page.js'
import { decode, type Report, type Section } from '../../../cli/report/Report.js'
import { captured } from '../captured.js'

const scratch = mkdtempSync(join(tmpdir(), 'halforder-report-'))
afterAll(() => rmSync(scratch, { recursive: true, force: true }))

const level = (mean: number): object => ({ mean, standardError: 0.25, skipped: 0 })

const standing = (mean: number): object => ({
  ...level(mean),
  heldOut: level(mean - 1),
  kl: level(2),
  objective: level(mean),
  pairwiseDistance: 0.5,
  frechetToBase: 3
})

const lines = (values: ReadonlyArray<object>): string => values.map((one) => `${JSON.stringify(one)}\n`).join('')

const pixel = Buffer.from('iVBORw0KGgo=', 'base64')

/** The folder of a run after some of its steps; with a summary where it is done. */
const runFolder = (name: string, steps: number, done: boolean): string => {
  const folder = join(scratch, name)
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'config.json'), JSON.stringify({ task: 'points', reward: 'right', steps: 9, seed: 4 }))
  const metrics = Array.from({ length: steps }, (_, i) => ({
    step: i + 1,
    rewardMean: i,
    rewardStandardError: 0.5,
    klMean: null,
    objectiveMean: i,
    gradientNorm: 1,
    skipped: 0,
    clippedShare: 0,
    seconds: i
  }))
  writeFileSync(join(folder, 'metrics.jsonl'), lines(metrics))
  writeFileSync(join(folder, 'before.png'), pixel)
  if (!done) return folder
  writeFileSync(join(folder, 'after.png'), pixel)
  writeFileSync(join(folder, 'standings.jsonl'), lines([{ step: 2, ...standing(1) }]))
  const summary = {
    reward: '</script><b>how far</b>',
    before: standing(-1),
    after: standing(2),
    steps,
    interrupted: false
  }
  writeFileSync(join(folder, 'summary.json'), JSON.stringify(summary))
  return folder
}

const point = (condition: string, seed: number, steps: number, reward: number): object => ({
  condition,
  seed,
  steps,
  evaluations: 10 * steps,
  pullbacks: steps,
  reward,
  rewardError: 0.1,
  heldOut: reward,
  heldOutError: 0.1,
  kl: 0,
  diversity: 1,
  frechet: 0
})

const whole = async (paths: ReadonlyArray<string>): Promise<string> => {
  const out = join(scratch, 'report.html')
  const { code, out: said } = await captured(() => report(paths, { out }))
  expect([code, said]).toEqual([0, `${out}\n`])
  return readFileSync(out, 'utf8')
}

/** The report that a page has in it. */
const reportIn = (html: string): Report => {
  const [, json = ''] = /<script type="application\/json" id="report">(.*?)<\/script>/s.exec(html) ?? []
  const decoded = decode(JSON.parse(json))
  if (E.isLeft(decoded)) throw new Error(decoded.left)
  return decoded.right
}

const facts = ({ facts: all }: Section): Readonly<Record<string, string>> =>
  Object.fromEntries(all.map(({ name, value }) => [name, value]))

describe('halforder report', () => {
  test('shows runs and studies, done and under way, and has them as a document', async () => {
    const study = join(scratch, 'study')
    mkdirSync(join(study, 'cells', 'one-seed1'), { recursive: true })
    writeFileSync(join(study, 'study.json'), JSON.stringify({ study: 'ablation', task: 'points' }))
    const half = { points: [point('RLR, zeroth-order rest', 1, 3, 0.5)], computing: null }
    writeFileSync(join(study, 'cells', 'one-seed1', 'found.json'), JSON.stringify(half))
    const file = join(scratch, 'start-points.jsonl')
    const found = [1, 2].flatMap((seed) => ['anywhere', 'steps 2 to 7'].map((name) => point(name, seed, 4, seed)))
    writeFileSync(file, lines(found))
    const html = await whole([runFolder('done', 5, true), runFolder('going', 2, false), study, file])
    const { sections } = reportIn(html)
    expect(sections.map(({ title, state }) => `${title}: ${state}`)).toEqual([
      'done: done',
      'going: going on',
      'ablation, on points: going on',
      'start, on points: done'
    ])
    const [done, going, , start] = sections
    expect(done && facts(done)).toMatchObject({
      'reward, held-out samples': '-1.000 ± 0.25 to 2.000 ± 0.25',
      'by another judge': '-2.000 ± 0.25 to 1.000 ± 0.25'
    })
    expect(done?.charts.map(({ axes, places }) => [axes.y, places.length])).toEqual([
      ['mean, two standard errors', 5],
      ['mean, two standard errors', 2],
      ['Euclidean', 5]
    ])
    expect(done?.details.find(({ title }) => title.startsWith('Ledger'))?.text).toContain('step')
    expect(going?.pictures).toEqual({ before: `data:image/png;base64,${pixel.toString('base64')}`, after: null })
    expect(start?.tables[0]?.rows[1]).toContain('1.5 ± 6.4')
    for (const section of sections) expect(html).toContain(`>${section.title}</a>`)
    expect(html).toMatch(/<input type="range"/)
  })

  test('asks for nothing, and lets nothing in a report speak as the page', async () => {
    const html = await whole([runFolder('hostile', 3, true)])
    expect(html).not.toMatch(/(src|href|action)="?(https?:|\/\/)/)
    expect(html).not.toContain('<b>how far')
    expect(html.match(/<script/g)).toHaveLength(2)
    expect(html).not.toMatch(/ style="| on[a-z]+="/)
    // the policy lets in the one style and the one script that are there
    const [, policy = ''] = /Content-Security-Policy" content="([^"]*)"/.exec(html) ?? []
    expect(policy).toMatch(/^default-src 'none'; /)
    for (const [, kind = '', text = ''] of html.matchAll(/<(style|script)>(.*?)<\/\1>/gs))
      expect(policy).toContain(`${kind}-src 'sha256-${createHash('sha256').update(text).digest('base64')}'`)
  })

  test.each([
    ['a folder of something else', '.', 'expected the folder of a run or of a study'],
    ['lines of no study', 'other.jsonl', 'expected the lines of a study']
  ])('refuses %s', async (_, path, words) => {
    const { code, err } = await captured(() => report([join(scratch, path)], {}))
    expect(code).toBe(2)
    expect(err).toContain(words)
  })

  test('is refused as a document where it is none, with the place', () => {
    const good: Report = { format: 1, title: 'x', sections: [] }
    expect(decode(good)).toEqual(E.right(good))
    expect(decode({ ...good, format: 2 })).toEqual(E.left(expect.stringContaining('report.format')))
    expect(decode({ ...good, sections: [{ kind: 'run' }] })).toEqual(
      E.left(expect.stringContaining('report.sections.0'))
    )
    expect(page(good)).toContain('<title>x</title>')
  })
})

describe('a chart', () => {
  const axes = { title: 't', x: 'x', y: 'y', logX: false, logY: false }

  test('puts what is larger further up and to the right, and tells lines apart', () => {
    const places = [
      { line: 'a', x: 1, y: 1, half: null },
      { line: 'a', x: 2, y: 3, half: 0.5 },
      { line: 'b', x: 1, y: 2, half: 0 }
    ]
    const svg = draw({ axes, lines: ['a', 'b'], places })
    const [, x1 = '', y1 = '', x2 = '', y2 = ''] =
      /class="line" d="M([\d.]+),([\d.]+)L([\d.]+),([\d.]+)"/.exec(svg) ?? []
    expect(Number(x2)).toBeGreaterThan(Number(x1))
    expect(Number(y2)).toBeLessThan(Number(y1))
    expect(svg).toMatch(/class="c0 d0".*class="c1 d0"/s)
    expect(svg).not.toContain('NaN')
  })

  test('has ticks on every axis that it can have, and says so where there is nothing', () => {
    const ticks = (low: number, high: number, log: boolean): number => {
      const places = [low, high].map((x) => ({ line: 'a', x, y: x, half: null }))
      const svg = draw({ axes: { ...axes, logX: log, logY: log }, lines: ['a'], places })
      return (svg.match(/class="tick" d="M[\d.]+,\d+v4"/g) ?? []).length
    }
    for (const [low, high] of [
      [1, 2],
      [0.001, 1000],
      [650, 960],
      [5, 5],
      [1e-9, 1e9]
    ] as const)
      for (const log of [false, true]) expect(ticks(low, high, log)).toBeGreaterThan(0)
    expect(draw({ axes, lines: ['a'], places: [] })).toContain('nothing yet')
  })
})
