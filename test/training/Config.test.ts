import * as E from 'fp-ts/lib/Either.js'
import { describe, expect, it } from 'vitest'
import { showError } from '../../src/document/Document.js'
import { either } from '../../src/estimator/catalogue/Row.js'
import * as Named from '../../src/estimator/Named.js'
import { options } from '../../src/estimator/reading/Help.js'
import { names as chainNames } from '../../src/training/Chains.js'
import * as Config from '../../src/training/Config.js'
import { seconds } from '../cost.js'
import { estimator, trained } from '../../src/training/Setup.js'

/** The names that have segments, as refusals list them. */
const withH = either(options.find(({ key }) => key === 'h')?.names ?? [])

const message = (given: unknown): string => {
  const decoded = Config.decode()(given)
  return E.isLeft(decoded) ? showError(decoded.left) : 'accepted'
}

describe('a configuration', () => {
  it('takes the default of every field that is left out', () => {
    expect(Config.decode()({})).toEqual(E.right(Config.defaults))
    expect(Config.decode()({ estimator: { h: 4 } })).toEqual(
      E.right({ ...Config.defaults, estimator: { ...Config.defaults.estimator, h: 4 } })
    )
  })

  it('names the path, what was expected, what was found, and what to do', () => {
    expect(message({ estimator: { h: 0 } })).toBe(
      'estimator.h: expected a whole number of at least 1, got 0; correct it'
    )
    expect(message({ chain: { kind: 'sde' } })).toBe(
      `chain.kind: expected one of ${chainNames.join(', ')}, got "sde"; correct it`
    )
    expect(message({ batch: 2.5 })).toBe('batch: expected a whole number in 1..10000000, got 2.5; correct it')
    expect(message({ optimizer: { learningRate: '0.1' } })).toBe(
      'optimizer.learningRate: expected a number above 0 that f32 holds, got "0.1"; correct it'
    )
    expect(message({ trained: ['out', 3] })).toBe(
      'trained[1]: expected a text of at most 10000 characters, got 3; correct it'
    )
  })

  it('refuses what it does not know', () => {
    expect(message({ optimizer: { rate: 1 } })).toBe(
      'optimizer.rate: expected one of the fields name, learningRate, weightDecay, beta1, beta2, momentum, nesterov, clip, got "rate"; correct or remove it'
    )
    expect(message([1])).toBe('config: expected a group of fields, got [1]; write it as key: value pairs')
    expect(message({ estimator: 'rlr' })).toBe(
      'estimator: expected a group of fields, got "rlr"; write it as key: value pairs'
    )
  })
})

describe('what a configuration may ask for', () => {
  it.each([
    [{ chain: { T: 1e15 } }, 'chain.T: expected a whole number in 1..4096, got 1000000000000000; correct it'],
    [{ chain: { T: Infinity } }, 'chain.T: expected a whole number in 1..4096, got Infinity; correct it'],
    [{ batch: 1e9 }, 'batch: expected a whole number in 1..10000000, got 1000000000; correct it'],
    [
      { evaluationSamples: 1e15 },
      'evaluationSamples: expected a whole number in 1..10000000, got 1000000000000000; correct it'
    ],
    [{ steps: 1e300 }, 'steps: expected a whole number in 0..1000000000, got 1e+300; correct it'],
    [{ threads: 1e9 }, 'threads: expected a whole number in 1..256, got 1000000000; correct it'],
    [{ adapter: { rank: 1e9 } }, 'adapter.rank: expected a whole number in 0..65536, got 1000000000; correct it'],
    [{ seed: 2 ** 53 }, 'seed: expected a whole number in 0..9007199254740991, got 9007199254740992; correct it'],
    [{ seed: Infinity }, 'seed: expected a whole number in 0..9007199254740991, got Infinity; correct it'],
    [{ seed: '1e400' }, 'seed: expected a whole number in 0..9007199254740991, got "1e400"; correct it'],
    [{ seed: 2 ** 53 - 1 }, 'accepted'],
    [{ chain: { T: 4096 } }, 'accepted'],
    [{ chain: { T: 10_000 } }, 'chain.T: expected a whole number in 1..4096, got 10000; correct it']
  ])('%j', (given, said) => {
    expect(message(given)).toBe(said)
  })

  it.each(['toString', 'constructor', '__proto__', 'hasOwnProperty'])('no field is called %s', (key) => {
    const document = (text: string): unknown => JSON.parse(text)
    const unknown = new RegExp(`${key}: expected one of the fields .*, got "${key}"; correct or remove it$`)
    expect(message(document(`{"${key}": 1}`))).toMatch(unknown)
    expect(message(document(`{"chain": {"${key}": 1}}`))).toMatch(unknown)
    expect(message(document(`{"estimator": {"${key}": 1}}`))).toContain(`got "${key}"`)
    expect(message({ estimator: { name: key } })).toContain(`got "${key}"`)
    expect(message({ chain: { kind: key } })).toContain(`got "${key}"`)
    expect(message({ optimizer: { name: key } })).toContain(`got "${key}"`)
  })

  it('texts and lists have a length, and are cut where they are shown', () => {
    const long = 'x'.repeat(50 * 2 ** 20)
    const spent = seconds(() => {
      expect(message({ prompt: long })).toBe(
        `prompt: expected a text of at most 10000 characters, got "${'x'.repeat(40)}"... (52428800 characters); correct it`
      )
      expect(message({ trained: new Array(300_000).fill('x') })).toBe(
        'trained: expected a list of at most 10000 paths, got ["x","x","x","x","x","x","x","x",... 300000 in all]; correct it'
      )
      expect(message(Object.fromEntries(Array.from({ length: 300_000 }, (_, i) => [`k${i}`, i])))).toMatch(
        /^k0: expected one of the fields .*, got "k0"; correct or remove it$/
      )
    })
    expect(spent).toBeLessThan(2)
  })

  it('a value that contains itself is refused in any field, in words', () => {
    const circle: Record<string, unknown> = {}
    circle['a'] = circle
    for (const key of Object.keys(Config.defaults)) {
      expect(message({ [key]: circle })).toMatch(new RegExp(`^${key}.*: expected .*, got .*; `))
      expect(message({ [key]: [circle, circle] })).toMatch(new RegExp(`^${key}.*: expected .*, got .*; `))
    }
  })
})

describe('the choice of trained parameters', () => {
  it('matches paths from the left, with * for one key', () => {
    const chosen = trained(['out', 'blocks.*.film'])
    expect(chosen('out.weight')).toBe(true)
    expect(chosen('outer.weight')).toBe(false)
    expect(chosen('blocks.2.film.scale.weight')).toBe(true)
    expect(chosen('blocks.2.dense.weight')).toBe(false)
    expect(trained([])('anything')).toBe(true)
    expect(trained(['**.bias'])('blocks.2.dense.bias')).toBe(true)
    expect(trained(['**.bias'])('blocks.2.dense.weight')).toBe(false)
  })

  it('takes no longer for many stars', () => {
    const path = new Array(30).fill('a').join('.')
    expect(seconds(() => expect(trained([`${'**.'.repeat(30)}b`])(path)).toBe(false))).toBeLessThan(1)
  })
})

describe('the estimator of a configuration', () => {
  const chosen = (given: unknown, base?: Config.Config): string => {
    const decoded = Config.decode(base)({ estimator: given })
    return E.isLeft(decoded) ? showError(decoded.left) : Named.show(decoded.right.estimator)
  }

  it('is RLR with a radius and directions for vectors', () => {
    expect(E.right(Config.defaults.estimator)).toEqual(Named.parse('rlr(radius = 0.3)'))
  })

  it.each([
    [{}, 'rlr(radius = 0.3)'],
    [{ h: 3, start: [2, 17] }, 'rlr(h = 3, start = [2,17], radius = 0.3)'],
    [{ name: 'blackBoxRlr' }, 'blackBoxRlr(radius = 0.3)'],
    [{ name: 'evolutionStrategies', form: 'forward' }, 'evolutionStrategies(form = forward, radius = 0.3)'],
    [{ name: 'reinforce' }, 'reinforce(radius = 0.3)'],
    [{ name: 'segmented' }, 'segmented'],
    [{ name: 'fullBackprop', memory: 'recompute' }, 'fullBackprop(memory = recompute)'],
    [{ name: 'truncatedBackprop' }, 'truncatedBackprop'],
    [{ cells: [{ kind: 'firstOrder', to: 1 }] }, 'cells(cells = [{"kind":"firstOrder","to":1}])']
  ])('%j is %s', (given, shown) => {
    expect(chosen(given)).toBe(shown)
  })

  it('takes the fields that it has from the estimator of a task, and the rest as a fine-tune usually has it', () => {
    const base = (given: unknown): Config.Config => {
      const decoded = Config.decode()({ estimator: given })
      if (E.isLeft(decoded)) throw new Error(showError(decoded.left))
      return decoded.right
    }
    const points = base({ radius: 0.02 })
    expect(chosen({ name: 'evolutionStrategies' }, points)).toBe('evolutionStrategies(radius = 0.02)')
    expect(chosen({ name: 'truncatedBackprop', k: 2 }, points)).toBe('truncatedBackprop(k = 2)')
    expect(chosen({ name: 'rlr', h: 1 }, base({ name: 'fullBackprop' }))).toBe('rlr(h = 1, radius = 0.3)')
    expect(chosen({ h: 3 }, base({ name: 'segmented' }))).toBe('segmented(h = 3)')
    expect(chosen({ h: 3 }, base({ name: 'fullBackprop' }))).toBe(
      `estimator.h: expected one of the fields of fullBackprop (name, memory), got "h"; remove it, or choose ${withH}`
    )
  })

  it.each([
    [
      { name: 'fullBackprop', h: 7 },
      `estimator.h: expected one of the fields of fullBackprop (name, memory), got "h"; remove it, or choose ${withH}`
    ],
    [
      { name: 'rlr', k: 1 },
      `estimator.k: expected one of the fields of rlr (${Object.keys(Config.defaults.estimator).join(', ')}), got "k"; remove it, or choose truncatedBackprop`
    ],
    [
      { name: 'rlr', baseline: -4 },
      'estimator.baseline: expected no number, since the advantage of a fine-tune has the constant, got -4; set `advantage` to { name: constant, baseline: .. } instead'
    ],
    [{ name: 'ppo' }, `estimator.name: expected one of ${Named.names.join(', ')}, got "ppo"; choose one of them`]
  ])('%j is refused by name', (given, said) => {
    expect(chosen(given)).toBe(said)
  })

  it('that pulls back a gradient is refused under a black box, with what to choose', () => {
    const refusal = (text: string, T = 10): string => {
      const parsed = Named.parse(text)
      if (E.isLeft(parsed)) return showError(parsed.left)
      const built = estimator(parsed.right, { T, noisyFirst: false, differentiable: false, clean: false })
      return E.isLeft(built) ? showError(built.left) : 'built'
    }
    const needs = 'estimator.name: expected an estimator that needs no gradient of the reward, since this one has none'
    expect(refusal('rlr')).toBe(`${needs}, got "rlr"; choose blackBoxRlr`)
    expect(refusal('segmented')).toBe(`${needs}, got "segmented"; choose reinforce or blackBoxRlr`)
    expect(refusal('fullBackprop')).toBe(
      `${needs}, got "fullBackprop"; choose reinforce, blackBoxRlr or evolutionStrategies`
    )
    expect(refusal('blackBoxRlr')).toBe('built')
    expect(refusal('blackBoxRlr(h = 10)')).toBe(
      'estimator: expected a cover of the chain, got h: expected a whole number in 1..9, got 10; change the estimator or T'
    )
  })
})
