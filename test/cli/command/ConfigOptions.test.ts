import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type ConfigOptions, readConfig } from '../../../cli/command/ConfigOptions.js'
import { either } from '../../../src/estimator/catalogue/Row.js'
import * as Named from '../../../src/estimator/Named.js'
import { options } from '../../../src/estimator/reading/Help.js'
import type { Config } from '../../../src/training/Config.js'

/** The names that have segments, as refusals list them. */
const withH = either(options.find(({ key }) => key === 'h')?.names ?? [])

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'halforder-options-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const file = (name: string, content: unknown): string => {
  const path = join(folder, name)
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content))
  return path
}

const config = async (options: ConfigOptions): Promise<Config> => {
  const read = await readConfig(options)()
  if (E.isLeft(read)) throw new Error(read.left.message)
  return read.right.config
}

/** The estimator of a fine-tune, or why there is none. */
const chosen = async (options: ConfigOptions): Promise<string> => {
  const read = await readConfig(options)()
  return E.isLeft(read) ? `${read.left.kind}: ${read.left.message}` : Named.show(read.right.config.estimator)
}

/** What pays for the rest in the faces' own default. */
const rest = 'rest = halfOrder'

const noH = `usage: estimator.h: expected one of the fields of fullBackprop (name, memory), got "h"; remove it, or choose ${withH}`

describe('--estimator', () => {
  it.each([
    [{}, `rlr(${rest}, radius = 0.3)`],
    [{ estimator: 'segmented' }, 'segmented'],
    [{ estimator: 'rlr(h = 3, radius = 0.1)' }, 'rlr(h = 3, radius = 0.1)'],
    [{ h: '3' }, `rlr(h = 3, ${rest}, radius = 0.3)`],
    // a task's choice is for its own default, not for what is named
    [{ estimator: 'rlr' }, 'rlr(radius = 0.3)'],
    [{ estimator: 'segmented', h: '3' }, 'segmented(h = 3)'],
    [{ estimator: 'siblings', k: '3' }, 'siblings(family = 3, radius = 0.3)'],
    [{ estimator: 'blackBoxRlr(form = onePoint)', h: '1' }, 'blackBoxRlr(h = 1, form = onePoint, radius = 0.3)'],
    [{ estimator: 'fullBackprop', h: '3' }, noH],
    [{ estimator: 'fullBackprop(h = 3)' }, noH],
    [
      { estimator: 'rlr(h = 2)', h: '3' },
      'usage: --h: expected one length of segments, got 3 beside that of --estimator; leave one out'
    ],
    [
      { estimator: 'siblings(family = 2)', k: '3' },
      'usage: --k: expected one number of siblings, got 3 beside that of --estimator; leave one out'
    ],
    [{ h: 'three' }, 'usage: estimator.h: expected a whole number of at least 1, got "three"; correct it'],
    [
      { estimator: 'rlrr' },
      `usage: estimator.name: expected one of ${Named.names.join(', ')}, got "rlrr"; near it is rlr`
    ],
    [
      { estimator: 'rlr(h' },
      'usage: --estimator: expected NAME, NAME(field = value, ...) or a JSON object, got "rlr(h"; write it as rlr or as rlr(h = 2, radius = 0.05)'
    ]
  ])('%j', async (options, shown) => {
    expect(await chosen(options)).toBe(shown)
  })

  it('takes a JSON file: a name with options, or cells', async () => {
    const cells = [
      { kind: 'firstOrder', to: 1 },
      { kind: 'zerothOrder', steps: [2, 3] }
    ]
    expect(await chosen({ estimator: file('mine.json', { cells }) })).toBe(
      'cells(cells = [{"kind":"firstOrder","to":1},{"kind":"zerothOrder","steps":[2,3]}])'
    )
    expect(await chosen({ estimator: file('mine.json', { name: 'rlr', form: 'forward' }) })).toBe(
      'rlr(form = forward, radius = 0.3)'
    )
  })

  it.each(['rlr(h = 3)', 'fullBackprop', 'cells(cells = [{"kind": "firstOrder", "to": 2}])'])(
    'gives with %s a configuration that reads back as it is',
    async (estimator) => {
      const written = await config({ estimator, task: 'points' })
      expect(await config({ config: file('config.json', written) })).toEqual(written)
    }
  )

  it('says which file is wrong, and where', async () => {
    const path = file('mine.json', { cells: [{ kind: 'firstOrder' }] })
    expect(await chosen({ estimator: path })).toBe(
      `usage: ${path}: estimator.cells[0].to: expected a whole number of at least 1, got nothing; correct it`
    )
    const baseline = file('baseline.json', { name: 'rlr', baseline: -4 })
    expect(await chosen({ estimator: baseline })).toBe(
      `usage: ${baseline}: estimator.baseline: expected no number, since the advantage of a fine-tune has the constant, got -4; set \`advantage\` to { name: constant, baseline: .. } instead`
    )
    expect(await chosen({ estimator: file('list.json', [1]) })).toContain(
      'list.json: estimator: expected a group of fields, got [1]; write it as key: value pairs'
    )
    expect(await chosen({ estimator: file('broken.json', '{') })).toContain('broken.json: expected JSON, got ')
    expect(await chosen({ estimator: join(folder, 'none.json') })).toContain('none.json')
  })

  it('over a file of another name takes from there what it has', async () => {
    const path = file('c.yaml', 'estimator: { name: rlr, h: 4, start: [2, 9], radius: 0.1 }\n')
    expect(await chosen({ config: path })).toBe('rlr(h = 4, start = [2,9], radius = 0.1)')
    expect(await chosen({ config: path, estimator: 'segmented' })).toBe('segmented(h = 4)')
    expect(await chosen({ config: path, estimator: 'fullBackprop' })).toBe('fullBackprop')
    expect(await chosen({ config: path, estimator: 'rlr', h: '1' })).toBe('rlr(h = 1, start = [2,9], radius = 0.1)')
    expect(await chosen({ config: path, estimator: 'fullBackprop', h: '1' })).toBe(noH)
  })

  it('of a file is refused by name where the file is wrong, whatever is typed', async () => {
    const path = file('c.json', { estimator: { name: 'fullBackprop', h: 7 } })
    expect(await chosen({ config: path })).toBe(noH)
    expect(await chosen({ config: path, estimator: 'rlr' })).toBe(noH)
    expect(await chosen({ config: file('d.json', { estimator: { name: 'fullBackprop' } }), h: '3' })).toBe(noH)
  })

  it('has the options that a task gives it', async () => {
    expect(await chosen({ task: 'points' })).toBe('rlr(radius = 0.02)')
    expect(await chosen({ task: 'points', estimator: 'evolutionStrategies' })).toBe(
      'evolutionStrategies(radius = 0.02)'
    )
    expect(await chosen({ task: 'points', estimator: 'truncatedBackprop' })).toBe('truncatedBackprop')
  })
})

describe('--kl', () => {
  it('is the price of leaving the base, over that of the file and of the task', async () => {
    const path = file('kl.json', { kl: { floor: 0.2 } })
    expect((await config({})).kl).toEqual({ beta: 0.5, floor: 0, as: 'objective' })
    expect((await config({ config: path })).kl).toEqual({ beta: 0.5, floor: 0.2, as: 'objective' })
    expect((await config({ config: path, kl: '0.01' })).kl).toEqual({ beta: 0.01, floor: 0.2, as: 'objective' })
    expect(await chosen({ kl: 'dear' })).toBe(
      'usage: kl.beta: expected a number of at least 0 that f32 holds, got "dear"; correct it'
    )
  })

  it('has a default, and few steps, for the usual reward on the usual chain only, whose units it is in', async () => {
    const of = async (options: ConfigOptions): Promise<readonly [number, number]> => {
      const { kl, steps } = await config(options)
      return [kl.beta, steps]
    }
    expect(await of({ T: '20' })).toEqual([0.5, 20])
    expect(await of({ chain: 'ddim', reward: 'glasses' })).toEqual([0.5, 20])
    expect(await of({ estimator: 'reinforce' })).toEqual([0.5, 20])
    expect(await of({ reward: 'aesthetic' })).toEqual([0, 60])
    expect(await of({ chain: 'flow-ode' })).toEqual([0, 60])
    expect(await of({ config: file('eta.json', { chain: { eta: 0 } }) })).toEqual([0, 60])
    expect(await of({ config: file('clip.json', { chain: { clip: 1 } }) })).toEqual([0, 60])
    expect(await of({ task: 'points' })).toEqual([0, 60])
  })
})

describe('--paper', () => {
  it('is the form of the paper: zeroth-order on the rest, no baseline of the state, no price', async () => {
    const { estimator, kl, steps } = await config({ paper: true })
    expect([Named.show(estimator), kl.beta, steps]).toEqual(['rlr(baseline = none, radius = 0.3)', 0, 60])
    expect(Named.show((await config({ paper: true, h: '4', lora: '2' })).estimator)).toBe(
      'rlr(h = 4, baseline = none, radius = 0.01)'
    )
    expect((await config({ paper: true, kl: '0.1', steps: '7' })).kl.beta).toBe(0.1)
  })

  it('is refused beside another estimator', async () => {
    expect(await chosen({ paper: true, estimator: 'reinforce' })).toBe(
      'usage: --paper: expected no --estimator beside it; leave one of the two out'
    )
  })
})

describe('--lora', () => {
  it('has directions, a radius and a learning rate for matrices, beneath what a file says', async () => {
    const adapted = await config({ lora: '4' })
    expect(Named.show(adapted.estimator)).toBe(`rlr(${rest}, radius = 0.01)`)
    expect([adapted.adapter.rank, adapted.optimizer.learningRate]).toEqual([4, 0.005])
    const path = file('c.json', { estimator: { radius: 0.2 }, optimizer: { learningRate: 0.3 } })
    const over = await config({ lora: '4', config: path })
    expect(Named.show(over.estimator)).toBe(`rlr(${rest}, radius = 0.2)`)
    expect(over.optimizer.learningRate).toBe(0.3)
    expect(await chosen({ lora: '4', estimator: 'evolutionStrategies' })).toBe('evolutionStrategies(radius = 0.01)')
    expect(await chosen({ lora: '4', estimator: 'fullBackprop' })).toBe('fullBackprop')
  })
})

describe('what is typed', () => {
  it('goes over the file, field by field', async () => {
    const path = file('c.json', { chain: { kind: 'ddpm', T: 9, eta: 0.5 }, batch: 3, seed: 7, task: 'points' })
    const { chain, batch, seed, steps, task } = await config({ config: path, T: '5', steps: '2' })
    expect([chain.kind, chain.T, chain.eta, batch, seed, steps, task]).toEqual(['ddpm', 5, 0.5, 3, 7, 2, 'points'])
    expect((await config({ config: path, task: 'faces', chain: 'edm' })).model).toBe('faces-mlp')
    expect((await config({ chain: 'latent' })).model).toBe('latent')
  })

  it('is refused with the field that it stands for', async () => {
    expect(await chosen({ seed: 'x' })).toBe(
      'usage: seed: expected a whole number in 0..9007199254740991, got "x"; correct it'
    )
    expect(await chosen({ config: file('c.json', [1]) })).toBe(
      'usage: config: expected a group of fields, got [1]; write it as key: value pairs'
    )
    expect(await chosen({ config: file('c.json', { chain: 3 }), T: '4' })).toBe(
      'usage: chain: expected a group of fields, got 3; write it as key: value pairs'
    )
  })
})

describe('--group', () => {
  it('takes advantages within groups, unless something else is said, and divides the batch', async () => {
    const grouped = await config({ group: '8' })
    expect([grouped.group, grouped.advantage.name]).toEqual([8, 'perPrompt'])
    const path = file('grouped.json', { advantage: { name: 'group' } })
    expect((await config({ group: '8', config: path })).advantage.name).toBe('group')
    expect((await config({})).advantage.name).toBe('leaveOneOut')
  })
})
