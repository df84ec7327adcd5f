import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, describe, expect, test } from 'vitest'
import { study, type StudyOptions } from '../../../cli/command/study/Study.js'
import { found } from '../../../cli/command/study/Cells.js'
import { type Order, type Program, withHands } from '../../../cli/command/study/Hands.js'
import { Point as PointCodec, type Point } from '../../../cli/study/Line.js'
import { differenceOf, isDecided, meanOf, showMean } from '../../../cli/study/Means.js'
import { chartsOf } from '../../../cli/study/Charts.js'
import { show } from '../../../cli/study/Page.js'
import { plot } from '../../../cli/study/Plot.js'
import { families, placeOf, stepsAt, stepsOf } from '../../../cli/study/Study.js'
import { learningRate } from '../../../cli/study/catalogue/LearningRate.js'
import { video } from '../../../cli/study/catalogue/Video.js'
import { studies } from '../../../cli/study/catalogue/index.js'
import { get } from '../../network/adjoint.js'
import { captured, type Ran } from '../captured.js'

const scratch = mkdtempSync(join(tmpdir(), 'halforder-study-'))
afterAll(() => rmSync(scratch, { recursive: true, force: true }))

const nothing = { mean: 1, standardError: 0.1, skipped: 0 }

/** A program that says at once what a run would say after a while: numbers of the configuration and the seed alone. */
const quick =
  (heard: Array<Order> = [], late = 0): Program =>
  async (order) => {
    heard.push(order)
    if (late > 0) await new Promise((resolve) => setTimeout(resolve, late * (1 + (heard.length % 3))))
    if (order._tag === 'Compare') {
      const T = Number(order.options.T)
      const line = { variance: T, varianceTimesCost: T * T, networkEvaluations: 2 * T, pullbacks: T, tailIndex: 2 }
      return { _tag: 'Done', value: ['reinforce', 'full backpropagation'].map((estimator) => ({ ...line, estimator })) }
    }
    if (order._tag !== 'Finetune') return { _tag: 'Failed', reason: 'no study asks for it' }
    const { config = '', seed = '', measureAt } = order.options
    const measures = {
      smoothness: { ...nothing, mean: -Number(seed) },
      dynamicDegree: { ...nothing, mean: basename(config).length }
    }
    const standing = {
      measures,
      ...nothing,
      mean: basename(config).length + Number(seed) / 10,
      heldOut: nothing,
      kl: nothing
    }
    const before = { ...standing, pairwiseDistance: 2 }
    const along = (measureAt?.split(',') ?? []).map((step) => ({ ...before, step: Number(step) }))
    const end = { ...standing, pairwiseDistance: 1, frechetToBase: Number(seed) }
    return { _tag: 'Done', value: { before, along, after: end } }
  }

const run = (name: string | undefined, options: StudyOptions, program = quick()): Promise<Ran> =>
  captured(() => study(name, { task: 'points', quick: true, ...options }, program))

const read = (out: string, file: string): string => readFileSync(join(out, file), 'utf8')

describe('halforder study', () => {
  test('lists the studies with what they ask', async () => {
    const { code, out } = await run(undefined, { list: true })
    expect(code).toBe(0)
    for (const { name, question } of studies) {
      expect(out).toContain(`${name}  (`)
      expect(out).toContain(question)
    }
  })

  test('writes lines, a plot and a page, which has a row for each condition', async () => {
    const out = join(scratch, 'whole')
    const { code, out: page } = await run('methods', { out, seeds: '3' })
    expect(code).toBe(0)
    expect(readdirSync(out).sort()).toEqual([
      'cells',
      'methods-points-diversity-by-cost.png',
      'methods-points-diversity-by-cost.svg',
      'methods-points.jsonl',
      'methods-points.md',
      'methods-points.png',
      'methods-points.svg',
      'study.json'
    ])
    expect(page).toBe(read(out, 'methods-points.md'))
    const all = studies.find(({ name }) => name === 'methods')
    for (const { name } of all?.conditions ?? []) {
      expect(page).toContain(`\n| ${name} | `)
      expect(read(out, 'methods-points.svg')).toContain(`>${name}</text>`)
    }
    expect(page).toContain('npx halforder study methods --task points --seeds 3 --quick')
  })

  test('gives the same lines in whatever order its cells end', async () => {
    const [one, many] = [join(scratch, 'one'), join(scratch, 'many')]
    await run('ablation', { out: one, jobs: '1' })
    await run('ablation', { out: many, jobs: '4' }, quick([], 3))
    for (const file of ['ablation-points.jsonl', 'ablation-points.md']) expect(read(many, file)).toBe(read(one, file))
  })

  test('stops when it is told to, and goes on to the same lines without what is done', async () => {
    const [out, whole] = [join(scratch, 'stopped'), join(scratch, 'unbroken')]
    const before: Array<Order> = []
    const answer = quick(before)
    const stopping: Program = (order, stop) => {
      if (before.length === 2) process.emit('SIGINT')
      return answer(order, stop)
    }
    expect((await run('start', { out, jobs: '1' }, stopping)).code).toBe(130)
    const later: Array<Order> = []
    expect((await run('start', { out, jobs: '1' }, quick(later))).code).toBe(0)
    const all: Array<Order> = []
    await run('start', { out: whole, jobs: '1' }, quick(all))
    expect(read(out, 'start-points.jsonl')).toBe(read(whole, 'start-points.jsonl'))
    expect(before.length).toBeGreaterThan(0)
    expect(before.length + later.length).toBe(all.length)
  })

  test('compares where estimators stand, and has the chain on the axis', async () => {
    const out = join(scratch, 'compared')
    const heard: Array<Order> = []
    const { code, out: page } = await run('pathwise', { out }, quick(heard))
    expect(code).toBe(0)
    const options = { task: 'points', samples: '64', only: 'full backpropagation|reinforce', T: '50', seed: '2' }
    expect(heard).toContainEqual({ _tag: 'Compare', options })
    expect(page).toContain('| T = 50 | full backpropagation | 2.0000 ± 0.0000 |')
  })

  test.each([
    ['an unknown study', 'method', {}, 'study: expected one of methods,'],
    ['a task without a budget', 'chains', { task: 'points' }, '--task: expected one of faces, got "points"'],
    ['no seeds', 'methods', { seeds: '0' }, '--seeds'],
    ['a budget that is none', 'methods', { budget: 'much' }, '--budget']
  ] as const)('refuses %s', async (_, name, options, words) => {
    const { code, err } = await run(name, { out: join(scratch, 'refused'), ...options })
    expect(code).toBe(2)
    expect(err).toContain(words)
  })

  test('refuses the folder of another study, and one that a run fails in says why', async () => {
    const out = join(scratch, 'other')
    await run('start', { out })
    expect((await run('start', { out, seeds: '4' })).err).toContain('study.json differs; choose another')
    const failing: Program = async () => ({ _tag: 'Failed', reason: 'the disk is full' })
    const { code, err } = await run('start', { out: join(scratch, 'failing') }, failing)
    expect(code).toBe(1)
    expect(err).toContain('the disk is full')
    const broken = join(scratch, 'broken')
    await run('start', { out: broken })
    // what is no line of a study is found out again
    const cells = join(broken, 'cells', 'anywhere-seed1')
    writeFileSync(join(cells, 'found.json'), '{}')
    const heard: Array<Order> = []
    expect((await run('start', { out: broken }, quick(heard))).code).toBe(0)
    expect(heard.length).toBeGreaterThan(0)
  })
})

describe('what a task measures beside the reward', () => {
  const cell = {
    folder: join(scratch, 'measured'),
    config: 'clips.json',
    price: undefined,
    steps: [4],
    evaluations: 1,
    pullbacks: 1,
    by: 'it'
  }
  const point = async (condition: string, seed: number): Promise<ReadonlyArray<Point>> =>
    get(
      await found(
        quick(),
        new AbortController().signal
      )({ ...cell, condition, seed, folder: `${cell.folder}${condition}${seed}` })()
    ).points.filter(({ steps }) => steps > 0)

  test('is told on a page, with how it is taken, and where it differs from what it is compared with', async () => {
    const lines = (
      await Promise.all([1, 2, 3].flatMap((seed) => ['base model', video.against].map((one) => point(one, seed))))
    ).flat()
    expect(lines[0]?.measures).toEqual({ smoothness: -1, dynamicDegree: 10 })
    const changed = lines.map((line) => ({
      ...line,
      measures: { ...line.measures, dynamicDegree: line.condition === 'base model' ? 5 : 6 + line.seed / 100 }
    }))
    const made = { task: 'clips', seeds: 3, command: 'a command', commit: 'a commit', machine: 'a machine' }
    const { page } = show(video, { points: changed, estimates: [], computing: [] }, made)
    expect(page).toContain('| estimator | motion smoothness | dynamic degree | aesthetic quality | alignment |')
    // of -1, -2 and -3; a star where the difference is decided; and nothing of what was not told
    expect(page).toContain('| base model | -2.0 ± 2.5 | 5.0000 ± 0.0000 * |  |  |')
    expect(page).toContain(`| ${video.against} | -2.0 ± 2.5 | 6.020 ± 0.025 |  |  |`)
    expect(page).toContain('| motion smoothness | minus the mean over pixels of')
  })

  test('is left out where a study asks for nothing beside', async () => {
    const other = studies.find(({ name }) => name === 'methods')
    if (other === undefined) throw new Error('no study is called methods')
    const made = { task: 'points', seeds: 1, command: 'a command', commit: 'a commit', machine: 'a machine' }
    const lines = { points: await point('base model', 1), estimates: [], computing: [] }
    expect(show(other, lines, made).page).not.toContain('VBench')
  })
})

describe('where leaving the base has a price', () => {
  const point = (condition: string, seed: number, objective: number): Point => ({
    condition,
    seed,
    steps: 4,
    evaluations: 10,
    pullbacks: 10,
    reward: 2,
    rewardError: null,
    heldOut: 3,
    heldOutError: null,
    kl: 5,
    diversity: 1,
    frechet: 0,
    objective
  })

  test('a run pays for it, and says the reward less the price', async () => {
    const folder = join(scratch, 'priced')
    const { code } = await run('methods', { out: folder }, quick())
    expect(code).toBe(0)
    const lines = readFileSync(join(folder, 'methods-points.jsonl'), 'utf8').trim().split('\n')
    expect(lines.length).toBeGreaterThan(0)
    for (const line of lines) {
      const told: unknown = JSON.parse(line)
      if (!PointCodec.is(told)) throw new Error(`no point: ${line}`)
      expect(told.objective).toBeCloseTo((told.reward ?? NaN) - 0.1 * (told.kl ?? NaN), 12)
    }
    for (const name of ['reinforce-ddpo.json', 'adjoint-matching.json'])
      expect(JSON.parse(readFileSync(join(folder, 'cells', name), 'utf8'))).toMatchObject({ kl: { beta: 0.1 } })
  })

  test('a page has methods in the form that other seeds choose, and a line a method', () => {
    const points = learningRate.conditions.flatMap(({ name, form }) =>
      [1, 2, 3].map((seed) => point(name, seed, form?.at === 0.03 ? 9 + seed / 10 : seed / 10))
    )
    const made = { task: 'points', seeds: 3, command: 'a command', commit: 'a commit', machine: 'a machine' }
    const { page } = show(learningRate, { points, estimates: [], computing: [] }, made)
    expect(page).toContain('| estimator | learning rate | reward less the price of KL | reward |')
    expect(page).toContain('| REINFORCE (DDPO) | 0.03 (3) | 9.20 ± 0.25 | 2.0000 ± 0.0000 |')
    const [chart] = chartsOf(learningRate, { points, estimates: [], computing: [] }, made)
    expect(chart?.axes.y).toBe('reward less the price of KL')
    expect(chart?.lines).toEqual(families(learningRate).map(({ name }) => name))
    expect(chart?.places.filter(({ line }) => line === 'full backpropagation').map(({ x }) => x)).toEqual([
      0.03, 0.1, 0.3, 1
    ])
  })
})

describe('a study', () => {
  test('has conditions by names that differ, also as folders, and a condition that differences are from', () => {
    for (const one of studies) {
      const places = one.conditions.map(({ name }) => placeOf({ condition: name, seed: 1 }))
      expect(new Set(places).size).toBe(places.length)
    }
    const against = studies.flatMap((one) =>
      one._tag === 'Finetunes' ? one.conditions.filter(({ name }) => name === one.against) : []
    )
    expect(against).toHaveLength(studies.filter(({ _tag }) => _tag === 'Finetunes').length)
  })

  test('takes the steps that its budget pays for', () => {
    const cost = { _tag: 'Cost', evaluationsAndPullbacks: 1000 } as const
    const one = { name: '', config: {} }
    expect(stepsOf(cost, one, 300)).toBe(3)
    expect(stepsOf(cost, one, 3000)).toBe(1)
    expect(stepsOf(cost, { ...one, steps: 0 }, 300)).toBe(0)
    expect(stepsOf({ _tag: 'Steps', steps: 7 }, one, 300)).toBe(7)
    expect(stepsAt([0.1, 0.5], 10)).toEqual([1, 5, 10])
    expect(stepsAt([0.1, 0.5], 1)).toEqual([1])
    expect(stepsAt([0.5], 0)).toEqual([0])
  })

  test('has Student’s intervals, of differences between runs of one seed', () => {
    // t at 0.975 with 4 degrees of freedom is 2.776445; the standard error of 1..5 is sqrt(1 / 2)
    const five = meanOf([1, 2, 3, 4, 5])
    expect(five.mean).toBe(3)
    expect(five.half).toBeCloseTo(2.776445 * Math.SQRT1_2, 5)
    expect(meanOf([1]).half).toBe(Infinity)
    const of = (...values: ReadonlyArray<number>): ReadonlyMap<number, number> => new Map(values.map((v, i) => [i, v]))
    // what two runs of a seed share is not in their difference
    const apart = differenceOf(of(11, 21, 31.5), of(10, 20, 30))
    expect(apart.mean).toBeCloseTo(3.5 / 3, 12)
    expect(isDecided(apart)).toBe(true)
    expect(isDecided(differenceOf(of(1, -1, 0.5), of(0, 0, 0)))).toBe(false)
    expect(showMean({ mean: 1.23456, half: 0.0123, n: 5 })).toBe('1.235 ± 0.012')
    expect(showMean(meanOf([]))).toBe('')
  })

  test('is drawn with a mark for each line, whatever its names are', () => {
    const svg = plot({
      axes: { title: 'a < b', x: 'x', y: 'y', logX: true, logY: true },
      lines: ['<one>', 'two'],
      places: [
        { line: '<one>', x: 1, y: 2, half: 3 },
        { line: 'two', x: 0, y: 1, half: 1 },
        { line: 'two', x: 10, y: 1, half: Infinity }
      ]
    })
    expect(svg).toContain('&lt;one&gt;')
    expect(svg).not.toContain('NaN')
  })
})

describe('a plot', () => {
  const axes = { title: 'a', x: 'cost', y: 'reward', logX: false, logY: false }
  const places = [1, 2, 3, 4, 5, 6, 7].map((x) => ({ line: 'a', x, y: x, half: 0.1 }))

  test('leaves out what would make all else one line, and says so', () => {
    expect(plot({ axes, lines: ['a'], places })).not.toContain('places are far')
    const below = plot({ axes, lines: ['a'], places: [...places, { line: 'a', x: 8, y: -1000, half: 1 }] })
    expect(below).toContain('reward (1 of 8 places are far below)')
    expect(below).not.toMatch(/[−-]\d{3}/)
    const above = plot({ axes, lines: ['a'], places: [...places, { line: 'a', x: 8, y: 1000, half: 1 }] })
    expect(above).toContain('reward (1 of 8 places are far off)')
    expect(plot({ axes: { ...axes, logY: true }, lines: ['a'], places })).not.toContain('places are far')
  })
})

describe('a process that carries out orders', () => {
  test('is heard where it dies', async () => {
    const module = join(scratch, 'dies.mjs')
    writeFileSync(module, `process.on('message', () => { throw new RangeError('Maximum call stack size exceeded') })`)
    const order: Order = { _tag: 'Compare', options: { samples: '1', seed: '1' } }
    const answer = await withHands((program) => program(order, new AbortController().signal), pathToFileURL(module))
    expect(answer).toEqual({
      _tag: 'Failed',
      reason: 'the process ended with 1: RangeError: Maximum call stack size exceeded'
    })
  })
})
