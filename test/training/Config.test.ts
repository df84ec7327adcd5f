import * as E from 'fp-ts/lib/Either.js'
import { describe, expect, it } from 'vitest'
import { showError } from '../../src/document/Document.js'
import * as Config from '../../src/training/Config.js'
import { trained } from '../../src/training/Setup.js'

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
      `chain.kind: expected one of ${Config.chainNames.join(', ')}, got "sde"; correct it`
    )
    expect(message({ batch: 2.5 })).toBe('batch: expected a whole number of at least 1, got 2.5; correct it')
    expect(message({ optimizer: { learningRate: '0.1' } })).toBe(
      'optimizer.learningRate: expected a number above 0, got "0.1"; correct it'
    )
    expect(message({ trained: ['out', 3] })).toBe('trained[1]: expected string, got 3; correct it')
  })

  it('refuses what it does not know', () => {
    expect(message({ optimizer: { rate: 1 } })).toBe(
      'optimizer.rate: expected one of the fields name, learningRate, weightDecay, beta1, beta2, clip, got "rate"; correct or remove it'
    )
    expect(message([1])).toBe('config: expected a group of fields, got [1]; write it as key: value pairs')
    expect(message({ estimator: 'rlr' })).toBe(
      'estimator: expected a group of fields, got "rlr"; write it as key: value pairs'
    )
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
  })
})
