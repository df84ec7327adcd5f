import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import { Run } from 'halforder/laws'
import { finetune } from '../../../../cli/command/Finetune.js'
import { sample } from '../../../../cli/command/Sample.js'
import { alphabet, draw, isSentence, length, read, sentence, words } from '../../../../cli/tasks/tokens/Grammar.js'
import { task } from '../../../../cli/tasks/tokens/index.js'
import type { Outputs } from '../../../../src/reward/Shelf.js'
import { masked } from '../../../../src/chain/sampler/Masked.js'
import { gpuJs } from '../../../../src/kernel/index.js'
import * as Key from '../../../../src/random/Key.js'
import { evaluate } from '../../../../src/reward/Reward.js'
import * as Shelf from '../../../../src/reward/Shelf.js'
import * as Task from '../../../../src/task/Task.js'
import { reference } from '../../../../src/tensor/Target.js'
import * as X from '../../../../src/tensor/Expr.js'
import * as T from '../../../../src/tensor/Tensor.js'
import * as Sampling from '../../../../src/training/Sampling.js'
import { get } from '../../../network/adjoint.js'
import { captured } from '../../captured.js'

const scratch = mkdtempSync(join(tmpdir(), 'halforder-tokens-'))
const target = gpuJs()
afterAll(async () => {
  rmSync(scratch, { recursive: true, force: true })
  await target.dispose()
})

const said = (text: string): ReadonlyArray<string> => text.split(' ')

/** The codes of some words. */
const codes = (text: string): T.Tensor =>
  T.tabulate([1, length * alphabet], (i) => (said(text)[Math.floor(i / alphabet)] === words[i % alphabet] ? 1 : 0))

describe('the grammar', () => {
  it('makes sentences of it alone', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), { minLength: 9, maxLength: 9 }),
        (u) => isSentence(sentence(u))
      )
    )
  })

  it.each([
    ['the big bears bite one small bird', true],
    ['the big bear bites the small birds', true],
    ['the big bears bites one small bird', false],
    ['two big bear bite one small bird', false],
    ['one big bears bite one small bird', false],
    ['the bear big bites one small bird', false],
    ['the big bear bites one small', false],
    ['the big bear bites one small ...', false]
  ])('%s: %s', (text, is) => {
    expect(isSentence(said(text))).toBe(is)
  })

  it('is drawn from a key as codes that read as sentences', () => {
    const { x0 } = draw(Key.make(3), 20)
    const width = length * alphabet
    for (let row = 0; row < 20; row++)
      expect(isSentence(read(x0.data.subarray(row * width, (row + 1) * width)))).toBe(true)
    expect(draw(Key.make(3), 20).x0.data).toEqual(x0.data)
  })
})

describe('the rewards of tokens', () => {
  const rewardOf = async (name: string) =>
    get(Shelf.reward(get(await task.rewards(get(await Task.model(task)('sentences')()))()))(name))

  it.each([
    ['alliteration', 'one small snake sees the slow seals', 5],
    ['alliteration', 'the big bears rescue two red birds', 3],
    ['grammar', 'the big bears rescue two red birds', 1],
    ['grammar', 'the big bears rescues two red birds', 0]
  ])('%s of "%s"', async (name, text, expected) => {
    const reward = await rewardOf(name)
    if (reward._tag !== 'BlackBox') throw new Error('no black box')
    expect(get(await evaluate(reward)(codes(text), { condition: {} })())).toEqual([expected])
  })

  it('that are sums over words are lenses of the codes', async () => {
    const reward = await rewardOf('vowels')
    if (reward._tag === 'BlackBox') throw new Error('a black box')
    const subject: Outputs = ['batch', length * alphabet]
    await Run.lens(
      { name: 'vowels', lens: reward.lens(X.zeros(['batch', 1])), argument: subject, sizes: { batch: 2 } },
      { numRuns: 2 }
    )
  })
})

describe('the model of sentences', () => {
  const drawn = async (on: typeof reference, count: number) => {
    const model = get(await Task.model(task)('sentences')())
    const options = {
      chain: masked({ denoiser: model.denoiser, T: 8 }),
      parameters: model.parameters,
      condition: () => ({ c: T.fill([count, 1], 0) }),
      count,
      key: Key.make(5),
      batch: count
    }
    return get(await Sampling.sample(options, on)()).x0
  }

  it('knows the grammar, and a key draws the same words again, on the target as by the definition', async () => {
    const x0 = await drawn(target, 64)
    expect(await drawn(target, 64)).toEqual(x0)
    // in f64 and in f32 a draw differs where two numbers tie but for rounding, about once in 1e5
    const few = T.rows(0, 4)(x0)
    expect(Array.from((await drawn(reference, 4)).data)).toEqual(Array.from(few.data))
    const width = length * alphabet
    const sentences = Array.from({ length: 64 }, (_, row) => read(x0.data.subarray(row * width, (row + 1) * width)))
    // 0.90 +- 0.01 of many; 44 of 64 or fewer have a chance of 1e-5
    expect(sentences.filter(isSentence).length).toBeGreaterThan(44)
  })
})

describe('the commands on tokens', () => {
  it('print what they draw, and write it', async () => {
    const out = join(scratch, 'drawn.txt')
    const options = {
      task: 'tokens',
      prompt: '',
      count: '3',
      seed: '1',
      eta: '1',
      guidance: '1',
      columns: '8',
      mode: 'webasm'
    }
    const ran = await captured(() => sample({ ...options, out }))
    expect(ran.code).toBe(0)
    const lines = readFileSync(out, 'utf8').trim().split('\n')
    expect(lines.map((line) => said(line).length)).toEqual([7, 7, 7])
    expect(ran.out).toBe(`${lines.join('\n')}\n3 of masked(8 steps), 8 steps, in ${out}\n`)
    const refused = await captured(() => sample({ ...options, out: join(scratch, 'drawn.png') }))
    expect(refused.err).toContain('--out: expected a file named *.txt, since the samples are words')
  })

  it('fine-tune, with a price on leaving the base', async () => {
    const out = join(scratch, 'run')
    const config = join(scratch, 'config.json')
    const fs = await import('node:fs/promises')
    await fs.writeFile(config, JSON.stringify({ batch: 4, evaluationSamples: 8, steps: 1, chain: { T: 2 } }))
    const ran = await captured(() => finetune({ task: 'tokens', config, out }, new Date(0)))
    expect(ran.err).not.toContain('expected')
    expect(ran.code).toBe(0)
    expect(readFileSync(join(out, 'after.txt'), 'utf8').trim().split('\n')).toHaveLength(8)
    expect(ran.out).toContain('held out')
    const before = readFileSync(join(out, 'before.txt'), 'utf8')
    expect(before).not.toBe('')
  })

  it('refuse what would differentiate words', async () => {
    const ran = await captured(() =>
      finetune({ task: 'tokens', estimator: 'rlr', out: join(scratch, 'none') }, new Date(0))
    )
    expect(ran.code).toBe(2)
    expect(ran.err).toContain('choose reinforce or evolutionStrategies')
  })
})
