import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { finetune, type Options } from '../../../cli/command/Finetune.js'
import { pretrain } from '../../../cli/command/Pretrain.js'
import { sha256 } from '../../../cli/command/run/RunFolder.js'
import * as Checkpoint from '../../../src/training/Checkpoint.js'
import { contents } from '../../faults/program.js'
import { right } from '../../training/tiny.js'
import { captured, interrupt, type Ran } from '../captured.js'

const scratch = mkdtempSync(join(tmpdir(), 'halforder-resume-'))
afterAll(() => rmSync(scratch, { recursive: true, force: true }))

const quick = { task: 'points', chain: { T: 4 }, batch: 4, evaluationSamples: 6, steps: 4 }
const config = join(scratch, 'quick.json')
writeFileSync(config, JSON.stringify(quick))

const run = (options: Options): Promise<Ran> => captured(() => finetune(options, new Date(0)))

/** A run of four steps, and one that ended after two. */
const whole = join(scratch, 'whole')
const half = join(scratch, 'half')
let copies = 0

/** A copy of the folder of the run that ended early. */
const copy = (): string => {
  const folder = join(scratch, `copy-${copies++}`)
  cpSync(half, folder, { recursive: true })
  return folder
}

beforeAll(async () => {
  for (const options of [{ out: whole }, { out: half, steps: '2', saveEvery: '0' }]) {
    const { code, err } = await run({ config, ...options })
    if (code !== 0) throw new Error(err)
  }
})

describe('a run that goes on', () => {
  it('leaves the bytes of one that was not stopped, with more steps', async () => {
    const folder = copy()
    expect((await run({ resume: folder, steps: '4' })).code).toBe(0)
    expect(contents(folder)).toEqual(contents(whole))
  })

  it('does so from every step, from the first checkpoint on, and with other threads', async () => {
    const folder = join(scratch, 'stopped')
    interrupt()
    const stopped = await run({ config, out: folder })
    expect(stopped.code).toBe(130)
    const file = readFileSync(join(folder, 'checkpoint.safetensors'))
    expect(right(Checkpoint.decode(sha256)(file)).checkpoint.step).toBeLessThan(4)
    expect((await run({ resume: folder, threads: '2' })).code).toBe(0)
    expect(contents(folder)).toEqual(contents(whole))
  })

  it('takes options that are as they were', async () => {
    const folder = copy()
    const same = { seed: '1', model: 'eight-gaussians', task: 'points', T: '4', batch: '4', chain: 'ddim' }
    const { code, err } = await run({ resume: folder, out: `${folder}/`, steps: '2', ...same })
    expect([code, err]).toEqual([0, ''])
  })

  it('does not rewrite its configuration but for the steps', async () => {
    const folder = copy()
    const path = join(folder, 'config.json')
    const spaced = readFileSync(path, 'utf8').replaceAll(',\n', ' ,\n')
    writeFileSync(path, spaced)
    await run({ resume: folder })
    expect(readFileSync(path, 'utf8')).toBe(spaced)
    await run({ resume: folder, steps: '3' })
    expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual({ ...(JSON.parse(spaced) as object), steps: 3 })
    rmSync(path)
    expect((await run({ resume: folder })).code).toBe(0)
    expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual({ ...(JSON.parse(spaced) as object), steps: 3 })
  })

  const tail =
    'of a run that goes on only --steps may change, upwards, so leave it out, or begin a run of its own with --out'
  const refused: ReadonlyArray<readonly [Options, (folder: string) => string]> = [
    [{ seed: '2' }, (folder) => `--seed: expected 1, as in ${folder}, got 2; ${tail}`],
    [{ model: 'moons' }, (folder) => `--model: expected "eight-gaussians", as in ${folder}, got "moons"; ${tail}`],
    [{ task: 'faces' }, (folder) => `--task: expected "points", as in ${folder}, got "faces"; ${tail}`],
    [{ chain: 'ddpm' }, (folder) => `--chain: expected "ddim", as in ${folder}, got "ddpm"; ${tail}`],
    [{ T: '5' }, (folder) => `--T: expected 4, as in ${folder}, got 5; ${tail}`],
    [{ h: '1' }, (folder) => `--h: expected 2, as in ${folder}, got 1; ${tail}`],
    [{ estimator: 'segmented' }, (folder) => `--estimator: expected "rlr", as in ${folder}, got "segmented"; ${tail}`],
    [{ batch: '5' }, (folder) => `--batch: expected 4, as in ${folder}, got 5; ${tail}`],
    [{ reward: 'left' }, (folder) => `--reward: expected "right", as in ${folder}, got "left"; ${tail}`],
    [{ prompt: 'east' }, (folder) => `--prompt: expected "", as in ${folder}, got "east"; ${tail}`],
    [{ lora: '2' }, (folder) => `--lora: expected 0, as in ${folder}, got 2; ${tail}`],
    [{ mode: 'cpu' }, (folder) => `--mode: expected "webasm", as in ${folder}, got "cpu"; ${tail}`],
    [{ steps: '1' }, () => '--steps: expected at least 2, got 1; a run that goes on may only be longer'],
    [{ out: 'elsewhere' }, (folder) => `--out: expected ${folder}, which is resumed, got elsewhere; leave it out`],
    [{ config }, (folder) => `--config: expected none, since ${folder} has one, got ${config}; leave it out`]
  ]
  it.each(refused)('refuses %j, and writes nothing', async (options, said) => {
    const folder = copy()
    const before = contents(folder)
    const { code, out, err } = await run({ resume: folder, ...options })
    expect(err).toBe(`halforder finetune: ${said(folder)}\n`)
    expect([code, out, contents(folder)]).toEqual([2, '', before])
  })

  it('refuses a configuration that is not the checkpoint’s', async () => {
    const folder = copy()
    const path = join(folder, 'config.json')
    const text = readFileSync(path, 'utf8')
    writeFileSync(path, text.replace('"seed": 1', '"seed": 2'))
    expect((await run({ resume: folder })).err).toBe(
      `halforder finetune: ${path}: seed: expected 1, as in the checkpoint, got 2; correct it, or begin a run of its own\n`
    )
    writeFileSync(path, text.replace('"steps": 2', '"steps": 1'))
    expect((await run({ resume: folder })).err).toBe(
      `halforder finetune: ${path}: steps: expected at least 2, got 1; a run that goes on may only be longer\n`
    )
  })

  it('refuses a base model that is another by now', async () => {
    const model = join(scratch, 'base')
    cpSync(half, model, { recursive: true })
    const folder = join(scratch, 'on-a-model')
    expect((await run({ config, model: `${model}/`, out: folder, steps: '1' })).code).toBe(0)
    cpSync(join(whole, 'model.safetensors'), join(model, 'model.safetensors'))
    const { code, err } = await run({ resume: folder, steps: '2' })
    expect(code).toBe(2)
    expect(err).toMatch(
      /checkpoint\.safetensors: base model \(SHA-256\): expected [0-9a-f]{64}, got [0-9a-f]{64}; the checkpoint is of another run/
    )
  })

  it('refuses a folder without a checkpoint, of a training, or with a damaged log', async () => {
    const none = join(scratch, 'none')
    expect((await run({ resume: none })).err).toBe(
      `halforder finetune: --resume: expected the folder of a run, got ${JSON.stringify(none)}, which has no checkpoint; name another\n`
    )
    expect(existsSync(none)).toBe(false)
    const training = join(scratch, 'training')
    const small = { task: 'points', steps: '1', batch: '4', examples: '8', out: training }
    expect((await captured(() => pretrain('moons', small))).code).toBe(0)
    expect((await run({ resume: training })).err).toBe(
      `halforder finetune: ${training}: expected the folder of a finetune, got one of pretrain; name another\n`
    )
    const folder = copy()
    const log = join(folder, 'metrics.jsonl')
    writeFileSync(log, (readFileSync(log, 'utf8').split('\n')[0] ?? '') + '\n')
    expect((await run({ resume: folder })).err).toBe(
      `halforder finetune: ${folder}: metrics.jsonl: expected the steps 1 to 2 in order; the log is damaged, so the run can not be resumed\n`
    )
  })

  it('refuses a checkpoint of another seed, or with a flipped bit', async () => {
    const other = join(scratch, 'other')
    expect((await run({ config, seed: '2', steps: '2', out: other })).code).toBe(0)
    const folder = copy()
    const path = join(folder, 'checkpoint.safetensors')
    cpSync(join(other, 'checkpoint.safetensors'), path)
    expect((await run({ resume: folder })).err).toBe(
      `halforder finetune: ${join(folder, 'config.json')}: seed: expected 2, as in the checkpoint, got 1; correct it, or begin a run of its own\n`
    )
    const bytes = readFileSync(join(half, 'checkpoint.safetensors'))
    bytes[bytes.length - 9] = (bytes[bytes.length - 9] ?? 0) ^ 16
    writeFileSync(path, bytes)
    const { code, err } = await run({ resume: folder })
    expect(code).toBe(2)
    expect(err).toMatch(
      /checkpoint\.safetensors: "[a-z.0-9]+": expected what was written, got other bits; the file is damaged/
    )
  })
})

describe('a run with a number that is not finite', () => {
  it('ends with 1 and keeps the last good checkpoint', async () => {
    const steep = join(scratch, 'steep.json')
    writeFileSync(steep, JSON.stringify({ ...quick, optimizer: { learningRate: 1e38 } }))
    const folder = join(scratch, 'diverged')
    const { code, out, err } = await run({ config: steep, out: folder, saveEvery: '0' })
    expect([code, out]).toEqual([1, ''])
    const [, step = '', last = ''] =
      /step (\d): the samples: expected finite numbers, got -?(?:NaN|Infinity) in row 0; lower the learning rate .*\n {2}.* has the checkpoint of step (\d); --resume .* goes on\n$/.exec(
        err
      ) ?? []
    expect([step, last]).toEqual(['2', '1'])
    const { checkpoint } = right(Checkpoint.decode(sha256)(readFileSync(join(folder, 'checkpoint.safetensors'))))
    expect(checkpoint.step).toBe(1)
    expect(readdirSync(folder)).not.toContain('summary.json')
  })

  it('has its first checkpoint before anything is measured', async () => {
    const folder = join(scratch, 'far')
    const { code, err } = await run({ config, reward: 'near:1e30,0', out: folder })
    expect(code).toBe(1)
    expect(err).toBe(
      "halforder finetune: held-out samples before the run: reward 'minus the squared distance to (1e+30, 0)': " +
        'expected finite numbers, got -Infinity in row 0; lower the learning rate or the radius, bound the reward, or let nonFinite be skipRow\n' +
        `  ${folder} has the checkpoint of step 0; --resume ${folder} goes on\n`
    )
    expect(readdirSync(folder).sort()).toEqual(['checkpoint.safetensors', 'config.json'])
  })
})

describe('a folder', () => {
  it('with what a run left that ended before its first checkpoint is taken again', async () => {
    const folder = join(scratch, 'left')
    mkdirSync(folder)
    writeFileSync(join(folder, 'run.lock'), JSON.stringify({ pid: 2 ** 22, place: '', started: '', token: '' }))
    writeFileSync(join(folder, 'checkpoint.safetensors.1-a.part'), 'half')
    // the lock is of another machine's process, for all that is known: until it has been silent
    expect((await run({ config, out: folder })).err).toContain('expected a folder that no run is in')
    const old = new Date(Date.now() - 3_600_000)
    utimesSync(join(folder, 'run.lock'), old, old)
    expect((await run({ config, out: folder })).code).toBe(0)
    expect(contents(folder)).toEqual(contents(whole))
  })

  it('of no name has the seed in it, and a counter when it is taken', async () => {
    const here = process.cwd()
    const place = join(scratch, 'unnamed')
    mkdirSync(place)
    process.chdir(place)
    try {
      const reward = Array.from({ length: 40 }, (_, i) => `${i + 1}*right`).join(' + ')
      for (const options of [{ config }, { config }, { config, seed: '2' }, { config, reward }])
        expect((await run({ ...options, steps: '0' })).code).toBe(0)
      const stamp = '1970-01-01-000000-rlr'
      expect(readdirSync('runs').sort()).toEqual([
        `${stamp}-${reward.replaceAll(/[^A-Za-z0-9]+/g, '-').slice(0, 60)}-seed1`,
        `${stamp}-right-seed1`,
        `${stamp}-right-seed1-2`,
        `${stamp}-right-seed2`
      ])
    } finally {
      process.chdir(here)
    }
  })

  it.each(['', '/dev/null/x', config])('called %j is refused', async (out) => {
    const { code, err } = await run({ config, out })
    expect([code > 0, err.split('\n').length]).toEqual([true, 2])
    expect(err).toMatch(/^halforder finetune: (--out: expected a folder, got ""|could not (make|look into))/)
  })
})

describe('a training that goes on', () => {
  const small = { task: 'points', steps: '3', batch: '4', examples: '8', saveEvery: '0' }
  const train = (options: Parameters<typeof pretrain>[1]): Promise<Ran> =>
    captured(() => pretrain('moons', { ...small, ...options }))

  const unbroken = join(scratch, 'unbroken')

  beforeAll(async () => {
    const { code, err } = await train({ out: unbroken })
    if (code !== 0) throw new Error(err)
  })

  it('leaves the bytes of one that was not stopped', async () => {
    const stopped = join(scratch, 'parted')
    interrupt()
    expect((await train({ out: stopped })).code).toBe(130)
    expect((await train({ out: stopped })).code).toBe(0)
    expect(contents(stopped)).toEqual(contents(unbroken))
  })

  it('is refused by what differs', async () => {
    const out = unbroken
    const before = contents(out)
    const path = join(out, 'checkpoint.safetensors')
    const tail = 'the checkpoint is of another run, so go on with that one, or begin again in another folder'
    const said = async (options: Parameters<typeof pretrain>[1]): Promise<string> =>
      (await train({ out, ...options })).err
    expect(await said({ seed: '2' })).toBe(`halforder pretrain: ${path}: seed: expected 2, got 1; ${tail}\n`)
    expect(await said({ batch: '5' })).toBe(`halforder pretrain: ${path}: batch: expected 5, got 4; ${tail}\n`)
    expect(await said({ steps: '4' })).toContain(`${path}: recipe: expected {"steps":4,`)
    expect(await said({ threads: '2' })).toBe(
      `halforder pretrain: ${path}: rows: expected split over threads, got not split; ${tail}\n`
    )
    expect(await said({ mode: 'cpu' })).toBe(`halforder pretrain: ${path}: mode: expected cpu, got webasm; ${tail}\n`)
    expect((await captured(() => pretrain('checkerboard', { ...small, out }))).err).toBe(
      `halforder pretrain: ${path}: name: expected checkerboard, got moons; ${tail}\n`
    )
    expect(contents(out)).toEqual(before)
  })

  it('is refused when a bit of its checkpoint was flipped', async () => {
    const out = join(scratch, 'flipped')
    cpSync(unbroken, out, { recursive: true })
    const path = join(out, 'checkpoint.safetensors')
    const bytes = readFileSync(path)
    bytes[bytes.length - 5] = (bytes[bytes.length - 5] ?? 0) ^ 1
    writeFileSync(path, bytes)
    const { code, err } = await train({ out })
    expect([code, err]).toEqual([
      2,
      `halforder pretrain: ${path}: "state.1.0.square.time.weight": expected what was written, got other bits; ` +
        'the file is damaged, so take a copy of it or begin again\n'
    ])
  })

  it('does not begin in a folder that has other files', async () => {
    const out = join(scratch, 'files')
    mkdirSync(out)
    writeFileSync(join(out, 'metrics.json'), 'mine')
    expect((await train({ out })).err).toBe(
      `halforder pretrain: --out: expected a new or empty folder, got ${out}, which has files; choose another, or --resume it\n`
    )
    expect(readFileSync(join(out, 'metrics.json'), 'utf8')).toBe('mine')
  })
})

describe('names that every object has', () => {
  it.each(['constructor', '__proto__', 'toString'])('%s names nothing', async (name) => {
    const out = join(scratch, `named-${name}`)
    const { code, err } = await captured(() => pretrain(name, { task: 'points', out }))
    expect([code, err]).toEqual([
      2,
      `halforder pretrain: name: expected one of eight-gaussians, moons, checkerboard, got "${name}"; choose one of them\n`
    ])
    for (const option of ['model', 'task', 'reward', 'chain', 'estimator'] as const)
      expect([option, (await run({ config, out, [option]: name })).code]).toEqual([option, 2])
    expect(existsSync(out)).toBe(false)
  })
})

describe('numbers that are typed', () => {
  const said = async (options: Options): Promise<string> =>
    (await run({ config, out: join(scratch, 'typed'), ...options })).err.replace('halforder finetune: ', '').trim()

  it.each([
    [{ seed: '1e400' }, 'seed: expected a whole number in 0..9007199254740991, got "1e400"; correct it'],
    [
      { seed: '9007199254740993' },
      'seed: expected a whole number in 0..9007199254740991, got "9007199254740993"; correct it'
    ],
    [{ seed: '-1' }, 'seed: expected a whole number in 0..9007199254740991, got -1; correct it'],
    [{ seed: '0.5' }, 'seed: expected a whole number in 0..9007199254740991, got 0.5; correct it'],
    [{ T: '1' }, 'T: expected a whole number of at least 2, got 1'],
    [
      { reward: '1e999*right' },
      'reward: expected weights that are finite in f32, at most 3.4e38, got 1e999 * right; write a smaller one'
    ],
    [{ saveEvery: '-1' }, '--save-every: expected a number of at least 0, got "-1"']
  ])('%j: %s', async (options, expected) => {
    expect(await said(options)).toContain(expected)
    expect(existsSync(join(scratch, 'typed'))).toBe(false)
  })

  it('of which a rank of 0 is no adapter, and changes nothing', async () => {
    const folder = join(scratch, 'rank')
    expect((await run({ config, lora: '0', out: folder })).code).toBe(0)
    expect(contents(folder)).toEqual(contents(whole))
  })
})
