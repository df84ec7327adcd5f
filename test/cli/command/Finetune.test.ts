import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import * as E from 'fp-ts/lib/Either.js'
import { afterAll, describe, expect, it } from 'vitest'
import { finetune, type Options } from '../../../cli/command/Finetune.js'
import { asset } from '../../../cli/edge/Files.js'
import { sha256 } from '../../../cli/command/run/RunFolder.js'
import { readStandings } from '../../../cli/command/run/Standings.js'
import { type Metrics, readMetrics } from '../../../cli/edge/Metrics.js'
import * as Named from '../../../src/estimator/Named.js'
import * as Chains from '../../../src/training/Chains.js'
import * as Checkpoint from '../../../src/training/Checkpoint.js'
import { loadModel } from '../../../src/network/Model.js'
import type { Values } from '../../../src/tensor/Program.js'
import { captured, type Ran } from '../captured.js'

const scratch = mkdtempSync(join(tmpdir(), 'halforder-finetune-'))
afterAll(() => rmSync(scratch, { recursive: true, force: true }))

/** Two short chains on few samples: the shape of a run, not its effect. */
const quick = { chain: { T: 5 }, steps: 2, batch: 4, evaluationSamples: 6, estimator: { radius: 0.1 } }

const configFile = (name: string, content: unknown): string => {
  const path = join(scratch, name)
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content))
  return path
}

const right = <L, A>(result: E.Either<L, A>): A => {
  if (E.isLeft(result)) throw new Error(JSON.stringify(result.left))
  return result.right
}

const model = (bytes: Uint8Array): Values => right(loadModel(bytes)).parameters

/** What a run says of itself. */
interface Told {
  readonly summary: {
    readonly kl: unknown
    readonly before: Stand
    readonly after: Stand
  }
  readonly metrics: ReadonlyArray<Metrics>
}

interface Stand {
  readonly mean: number
  readonly heldOut: { readonly mean: number }
  readonly kl: { readonly mean: number }
  readonly objective: { readonly mean: number }
  readonly pairwiseDistance: number
  readonly frechetToBase: number
}

const run = (options: Options): Promise<Ran> => captured(() => finetune(options, new Date(0)))

describe('halforder finetune', () => {
  it('leaves a folder with everything that it promises, and prints the summary as one line', async () => {
    const out = join(scratch, 'run')
    const { code, out: printed } = await run({ config: configFile('quick.json', quick), out, json: true })
    expect(code).toBe(0)
    expect(readdirSync(out).sort()).toEqual([
      'after.png',
      'before.png',
      'checkpoint.safetensors',
      'config.json',
      'metrics.jsonl',
      'model.safetensors',
      'reward.svg',
      'summary.json'
    ])
    expect(printed.trim().split('\n')).toHaveLength(1)
    expect(JSON.parse(printed)).toEqual(JSON.parse(readFileSync(join(out, 'summary.json'), 'utf8')))
    expect(JSON.parse(printed)).toMatchObject({
      steps: 2,
      interrupted: false,
      objective: 'J',
      unpaidSteps: [],
      trainedParameters: 128
    })
    const metrics = readMetrics(readFileSync(join(out, 'metrics.jsonl'), 'utf8'))
    expect(E.isRight(metrics) && metrics.right.map(({ step }) => step)).toEqual([1, 2])
    expect(readFileSync(join(out, 'reward.svg'), 'utf8')).toContain('<svg')
  })

  it('runs on a chain that is named, and says so in the folder', async () => {
    const out = join(scratch, 'flow')
    const { code, out: printed } = await run({
      config: configFile('flow.json', quick),
      chain: 'flow-sde',
      out,
      json: true
    })
    expect(code).toBe(0)
    expect(JSON.parse(readFileSync(join(out, 'config.json'), 'utf8'))).toMatchObject({
      model: 'faces-mlp',
      chain: { kind: 'flow-sde', T: 5 }
    })
    // every step has noise, so none but the first is paid for by the gradient of the reward
    expect(JSON.parse(printed)).toMatchObject({ cover: expect.stringContaining('FO(1..1) + HO(') as string })
  })

  it('goes on from a folder to the same bits as a run that was not stopped', async () => {
    const whole = join(scratch, 'whole')
    const parts = join(scratch, 'parts')
    const config = configFile('three.json', { ...quick, steps: 3 })
    const { out: printed } = await run({ config, out: whole, measureAt: '1,2,3', json: true })
    await run({ config, out: parts, steps: '1' })
    const { code } = await run({ resume: parts, steps: '3', measureAt: '2,1' })
    expect(code).toBe(0)
    const rewards = (folder: string): ReadonlyArray<number> => {
      const metrics = readMetrics(readFileSync(join(folder, 'metrics.jsonl'), 'utf8'))
      return E.isRight(metrics) ? metrics.right.map(({ rewardMean }) => rewardMean) : []
    }
    expect(rewards(parts)).toEqual(rewards(whole))
    expect(readFileSync(join(parts, 'after.png')).equals(readFileSync(join(whole, 'after.png')))).toBe(true)
    // where it stood on the way, before the last step, which is told after
    const standings = right(readStandings(readFileSync(join(whole, 'standings.jsonl'), 'utf8')))
    expect(standings.map(({ step }) => step)).toEqual([1, 2])
    expect(JSON.parse(printed)).toMatchObject({ along: standings })
    expect(standings[0]?.mean).not.toBe(standings[1]?.mean)
    expect(readFileSync(join(parts, 'standings.jsonl'), 'utf8')).toBe(
      readFileSync(join(whole, 'standings.jsonl'), 'utf8')
    )
    expect(readStandings('{"step": 1}')).toMatchObject({ left: expect.stringContaining('line 1') as string })
  })

  it.each(['fullBackprop', 'truncatedBackprop', 'reinforce', 'rlr', 'segmented', 'evolutionStrategies'])(
    'runs %s from the same configuration',
    async (estimator) => {
      const config = configFile('one.json', { ...quick, steps: 1 })
      const { code, err } = await run({ config, estimator, out: join(scratch, estimator) })
      expect([code, err.includes('halforder finetune:')]).toEqual([0, false])
    }
  )

  it('trains an adapter and leaves the base as it was, bit for bit; the model that it writes has both in one', async () => {
    const out = join(scratch, 'adapted')
    const config = configFile('lora.json', { ...quick, adapter: { on: ['blocks'] }, optimizer: { learningRate: 0.01 } })
    const { code, out: printed } = await run({ config, lora: '2', out, json: true })
    expect(code).toBe(0)
    const base = model(readFileSync(asset('faces-mlp.safetensors')))
    const file = readFileSync(join(out, 'checkpoint.safetensors'))
    const { params } = Checkpoint.toState(right(Checkpoint.decode(sha256)(file)).checkpoint)
    const frozen = Object.entries(base).map(([path, { data }]) => [data, params[`frozen.${path}`]?.data])
    for (const [was, is] of frozen) expect(is).toEqual(was)
    const merged = model(readFileSync(join(out, 'model.safetensors')))
    const changed = Object.keys(base).filter((path) => !isDeepStrictEqual(merged[path]?.data, base[path]?.data))
    expect(changed.length).toBeGreaterThan(0)
    expect(changed.every((path) => path.startsWith('blocks.') && path.endsWith('.weight'))).toBe(true)
    const { trainedParameters } = JSON.parse(printed) as { readonly trainedParameters: number }
    const all = Object.values(base).reduce((n, { data }) => n + data.length, 0)
    expect(trainedParameters / all).toBeLessThan(0.05)
    expect(trainedParameters).toBeGreaterThan(0)
  })

  it('asks for the prompt, also part by part; the same seed with another prompt is another run', async () => {
    const config = configFile('prompts.json', { ...quick, steps: 1, reward: 'alignment' })
    const rewardOf = async (name: string, options: Options): Promise<number> => {
      const { code, out } = await run({ config, json: true, out: join(scratch, name), ...options })
      expect(code).toBe(0)
      return (JSON.parse(out) as { readonly before: { readonly mean: number } }).before.mean
    }
    const open = await rewardOf('open', {})
    expect(open).toBe(0)
    const asked = await rewardOf('asked', { prompt: 'a face with a green cap' })
    expect(asked).toBeLessThan(0)
    const stages = { coarse: 'a bald face', fine: 'a face with dark glasses' }
    const parts = configFile('parts.json', { ...quick, steps: 1, reward: 'alignment', stages })
    const apart = await rewardOf('apart', { config: parts, prompt: 'a face with a green cap' })
    expect(apart).toBeLessThan(0)
    expect(apart).not.toBe(asked)
  })

  it('takes the model of latents that ships for a chain of latents, and shows pictures', async () => {
    const out = join(scratch, 'latents')
    const { code } = await run({ config: configFile('latents.json', { ...quick, steps: 1 }), chain: 'latent', out })
    expect(code).toBe(0)
    const { model: chosen } = JSON.parse(readFileSync(join(out, 'config.json'), 'utf8')) as { readonly model: string }
    expect(chosen).toBe('latent')
    // the model that it leaves draws by itself: encoder and decoder are with it
    expect(
      Object.keys(model(readFileSync(join(out, 'model.safetensors')))).some((path) => path.startsWith('decoder.'))
    ).toBe(true)
  })

  it('takes a black-box reward, and says what to choose for an estimator that needs a gradient', async () => {
    const config = configFile('black.json', { ...quick, steps: 1 })
    const black = { config, reward: 'compressibility' }
    expect((await run({ ...black, estimator: 'blackBoxRlr', out: join(scratch, 'black') })).code).toBe(0)
    const refused = await run({ ...black, out: join(scratch, 'refused') })
    expect(refused.code).toBe(2)
    expect(refused.err).toBe(
      'halforder finetune: estimator.name: expected an estimator that needs no gradient of the reward, since this one has none, got "rlr"; choose blackBoxRlr\n'
    )
    const cells = configFile('cells.json', { cells: [{ kind: 'firstOrder', to: 5 }] })
    const own = await run({ ...black, estimator: cells, out: join(scratch, 'refused') })
    expect(own.code).toBe(2)
    expect(own.err).toContain('is a black box, which FO(1..5) can not pull back through')
    expect(existsSync(join(scratch, 'refused'))).toBe(false)
  })

  it('pays for leaving the base where it is told to: reward, divergence and objective apart, in the log and the summary', async () => {
    const config = configFile('kl.json', { ...quick, steps: 3, estimator: { rest: 'halfOrder' } })
    const told = async (name: string, options: Options): Promise<Told> => {
      const out = join(scratch, name)
      const { code, out: printed } = await run({ config, json: true, out, ...options })
      expect(code).toBe(0)
      const metrics = right(readMetrics(readFileSync(join(out, 'metrics.jsonl'), 'utf8')))
      return { summary: JSON.parse(printed) as Told['summary'], metrics }
    }
    const [free, dear] = [await told('kl-0', { kl: '0' }), await told('kl-5', { kl: '5' })]
    expect(free.summary.kl).toEqual({ beta: 0, floor: 0, as: 'objective', leftOut: [1] })
    expect(dear.summary.kl).toEqual({ beta: 5, floor: 0, as: 'objective', leftOut: [1] })
    // the first batch is of the base itself
    expect(dear.metrics[0]?.klMean).toBe(0)
    expect(dear.metrics[1]?.klMean).toBeGreaterThan(0)
    expect(free.metrics.map(({ klMean }) => klMean)).toEqual([NaN, NaN, NaN])
    free.metrics.forEach(({ objectiveMean, rewardMean }) => expect(objectiveMean).toBe(rewardMean))
    dear.metrics.forEach(({ klMean, objectiveMean, rewardMean }) =>
      expect(objectiveMean).toBeCloseTo(rewardMean - 5 * klMean, 6)
    )
    for (const { before, after } of [free.summary, dear.summary]) {
      expect(before).toMatchObject({ kl: { mean: 0 }, frechetToBase: 0 })
      expect(after.kl.mean).toBeGreaterThan(0)
      expect(after.frechetToBase).toBeGreaterThan(0)
    }
    expect(free.summary.after.objective.mean).toBe(free.summary.after.mean)
    const { after } = dear.summary
    expect(after.objective.mean).toBeCloseTo(after.mean - 5 * after.kl.mean, 9)
    // the same noise and, at the first step, the same gradient: what is paid for holds the model back from then on
    expect(after.kl.mean).toBeLessThan(free.summary.after.kl.mean)
  })

  it('holds an adapter to the model that it is laid on', async () => {
    const config = configFile('kl-lora.json', {
      ...quick,
      steps: 2,
      estimator: { rest: 'halfOrder' },
      adapter: { on: ['blocks'] }
    })
    const out = join(scratch, 'kl-lora')
    const { code, out: printed } = await run({ config, lora: '2', kl: '0.1', out, json: true })
    expect(code).toBe(0)
    const metrics = right(readMetrics(readFileSync(join(out, 'metrics.jsonl'), 'utf8')))
    expect(metrics[0]?.klMean).toBe(0)
    expect(metrics[1]?.klMean).toBeGreaterThan(0)
    expect((JSON.parse(printed) as Told['summary']).after.kl.mean).toBeGreaterThan(0)
  })

  it('is judged by another classifier, and by how its outputs differ', async () => {
    const config = configFile('judged.json', quick)
    const { out } = await run({ config, json: true, out: join(scratch, 'judged') })
    const summary = JSON.parse(out) as Told['summary'] & { readonly heldOutReward: string; readonly features: string }
    expect(summary.heldOutReward).toBe('log p(glasses = round or dark)')
    expect(summary.features).toBe("the 64 features of the judge's last layer")
    expect(summary.before.heldOut.mean).not.toBe(summary.before.mean)
    expect(summary.before.pairwiseDistance).toBeGreaterThan(0.1)
    const aesthetic = await run({ config, reward: 'aesthetic', json: true, out: join(scratch, 'judged-otherwise') })
    expect(JSON.parse(aesthetic.out)).toMatchObject({ heldOutReward: 'clarity' })
  })

  it('takes a reward of its own from a module, which sees outputs, conditions and prompts', async () => {
    const reward = configFile(
      'bright.mjs',
      `export const batch = 3
       export default async ({ x0, condition, prompt, rows }) => {
         if (x0.shape[0] !== rows || condition.c.shape[0] !== rows || rows > 3) throw new Error('not what was promised')
         if (prompt.some((text) => text !== 'a happy face')) throw new Error('got ' + prompt.join())
         const width = x0.data.length / rows
         return Array.from({ length: rows }, (_, n) => x0.data.slice(n * width, (n + 1) * width).reduce((a, b) => a + b, 0))
       }`
    )
    const config = configFile('module.json', { ...quick, steps: 1, prompt: 'a happy face' })
    const out = join(scratch, 'module')
    const { code, err, out: printed } = await run({ config, reward, estimator: 'reinforce', out, json: true })
    expect([code, err.includes('halforder finetune:')]).toEqual([0, false])
    expect(JSON.parse(printed)).toMatchObject({ reward, heldOutReward: 'clarity' })
    const throwing = configFile('throws.mjs', "export default () => { throw new Error('no model') }")
    const failed = await run({ config, reward: throwing, estimator: 'reinforce', out: join(scratch, 'module-throws') })
    expect([failed.code, failed.err.includes('it threw no model')]).toEqual([1, true])
  })

  it('takes cells of its own, from a file', async () => {
    const cells = [
      { kind: 'firstOrder', to: 2 },
      { kind: 'halfOrder', from: 3, to: 4 }
    ]
    const estimator = configFile('mine.json', { cells })
    const config = configFile('own.json', { ...quick, steps: 1 })
    const out = join(scratch, 'own')
    const { code, out: printed } = await run({ config, estimator, json: true, out })
    expect(code).toBe(0)
    expect(JSON.parse(printed)).toMatchObject({
      estimator: 'FO(1..2) + HO(3..4)',
      cover: 'FO(1..2) + HO(3..4)',
      unpaidSteps: [5]
    })
    expect(JSON.parse(readFileSync(join(out, 'config.json'), 'utf8'))).toMatchObject({
      estimator: { name: 'cells', cells }
    })
  })
})

describe('misuse', () => {
  const cases: ReadonlyArray<readonly [string, () => Options, string]> = [
    [
      'a field that is unknown',
      () => ({ config: configFile('a.json', { bacth: 3 }) }),
      'bacth: expected one of the fields'
    ],
    [
      'a number that is none',
      () => ({ seed: 'seven' }),
      'seed: expected a whole number in 0..9007199254740991, got "seven"'
    ],
    [
      'an estimator that is none',
      () => ({ estimator: 'magic' }),
      `estimator.name: expected one of ${Named.names.join(', ')}, got "magic"`
    ],
    [
      'a reward that is none',
      () => ({ reward: 'hat:purple' }),
      'reward: expected hat: none, red beanie, black top hat, green cap, got "purple"; the nearest is '
    ],
    [
      'a length of segments for an estimator that has none',
      () => ({ estimator: 'fullBackprop', h: '3' }),
      'estimator.h: expected one of the fields of fullBackprop (name, memory), got "h"'
    ],
    ['a file that is not there', () => ({ config: join(scratch, 'nowhere.json') }), 'could not read'],
    ['a file that is no JSON', () => ({ config: configFile('b.json', '{ "steps": ') }), 'expected JSON or YAML'],
    [
      'a segment that does not fit',
      () => ({ config: configFile('c.json', { estimator: { h: 50 } }) }),
      'h: expected a whole number in 1..49, got 50'
    ],
    ['a model that is none', () => ({ model: 'faces-mpl' }), 'near it is faces-mlp'],
    [
      'a chain that is none',
      () => ({ chain: 'sde' }),
      `chain.kind: expected one of ${Chains.names.join(', ')}, got "sde"`
    ],
    [
      'latents of a model that has none',
      () => ({ chain: 'latent', model: 'faces-mlp' }),
      'expected a model of latents with a decoder'
    ],
    [
      'a price where no step has noise',
      () => ({ kl: '0.1', estimator: 'fullBackprop', config: configFile('k.json', { chain: { eta: 0 } }) }),
      'kl.beta: expected a chain that has noise at some step, got 0.1 on '
    ],
    ['a price that is none', () => ({ kl: '-1' }), 'kl.beta: expected '],
    [
      'a reward file that is not there',
      () => ({ reward: './no-such-reward.mjs' }),
      '--reward: ./no-such-reward.mjs does not exist; name a module such as ./reward.mjs, or a reward of the task'
    ],
    [
      'a reward file that does not load',
      () => ({ reward: configFile('broken.mjs', 'export default (') }),
      'broken.mjs does not load: '
    ],
    [
      'a reward file without a reward',
      () => ({ reward: configFile('none.mjs', 'export const mine = 1') }),
      "none.mjs: expected a default export that is a function of { x0, condition, prompt, rows }, or a reward made by 'halforder/reward', got none"
    ],
    [
      'a reward file with a batch that is none',
      () => ({ reward: configFile('batch.mjs', 'export const batch = 0; export default () => []') }),
      'batch.mjs: expected the export batch to be a whole number of rows of at least 1'
    ],
    [
      'a reward file under an estimator that needs a gradient',
      () => ({ reward: configFile('function.mjs', 'export default () => []') }),
      'expected an estimator that needs no gradient of the reward'
    ],
    ['a score where there is no noise', () => ({ chain: 'flow-ode' }), 'is 0 in flow-ode, so'],
    [
      'nothing trained',
      () => ({ config: configFile('e.json', { trained: ['nothing'] }) }),
      'no parameter is trained; choose some of in.weight'
    ],
    [
      'matrices with a direction a row',
      () => ({ config: configFile('f.json', { trained: ['out'], estimator: { directions: 'row' } }) }),
      "estimator.directions: expected 'batch'"
    ],
    [
      'a chain without noise under a half-order cell',
      () => ({ config: configFile('g.json', { chain: { eta: 0 } }) }),
      'has no score there'
    ],
    ['a folder that has files', () => ({ out: scratch }), 'which has files; choose another, or --resume it']
  ]
  it.each(cases)('of %s ends with 2 and says what to do, and nothing is written', async (_, options, said) => {
    const out = join(scratch, 'misused')
    const { code, out: printed, err } = await run({ out, ...options() })
    expect(err).toContain(said)
    expect([code, printed, existsSync(out)]).toEqual([2, '', false])
  })
})
