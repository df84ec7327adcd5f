import { describe, expect, it } from 'vitest'
import * as Density from '../../src/random/Density.js'
import * as Draw from '../../src/random/Draw.js'
import * as Key from '../../src/random/Key.js'
import * as Nodes from '../../src/random/Nodes.js'

const secant = Density.byQuantile('secant', (p) => (2 / Math.PI) * Math.log(Math.tan((Math.PI * p) / 2)), {
  symmetric: true
})
const gumbel = Density.byQuantile('gumbel', (p) => -Math.log(-Math.log(p)))

const mean = ({ nodes, weights }: Nodes.Rule, f: (x: number) => number): number =>
  nodes.reduce((sum, x, i) => sum + (weights[i] ?? 0) * f(x), 0)

describe("a density of one's own", () => {
  it('is drawn by its quantile of the uniforms of the key', () => {
    const uniforms = Draw.uniform(Key.make(7), [4, 3])
    const draws = Density.draw(secant, Key.make(7), [4, 3])
    expect(draws.shape).toEqual([4, 3])
    expect(Array.from(draws.data)).toEqual(Array.from(uniforms.data, (p) => secant.draw([p])))
  })

  it('is drawn from several uniforms, each of a stream of its own', () => {
    const seen: Array<ReadonlyArray<number>> = []
    const three = Density.ofUniforms(
      'three',
      3,
      (u) => {
        seen.push(u)
        return u.reduce((a, b) => a + b, -1.5)
      },
      { symmetric: true, rule: Nodes.unit }
    )
    Density.draw(three, Key.make(7), [5])
    expect(seen.map((u) => u.length)).toEqual([3, 3, 3, 3, 3])
    expect(new Set(seen.flat()).size).toBe(15)
  })

  it('has the rows of a longer draw, rounded to f32', () => {
    const all = Density.draw32(gumbel, Key.make(3), [6, 2])
    const some = Density.drawRows32(gumbel, Key.make(3), [6, 2], { from: 2, to: 5 })
    expect(all.data).toBeInstanceOf(Float32Array)
    expect(some.shape).toEqual([3, 2])
    expect(Array.from(some.data)).toEqual(Array.from(all.data).slice(4, 10))
  })

  it.each<readonly [string, Density.Density]>([
    ['laplace', 'laplace'],
    ['logistic', 'logistic'],
    ['studentT', { studentT: 5 }],
    ['gumbel', gumbel]
  ])('has rows that are as many draws as there are numbers in them, wherever they are: %s', (_, density) => {
    let drawn = 0
    const counted: Density.Density =
      typeof density === 'object' && '_tag' in density
        ? { ...density, draw: (u) => ((drawn += 1), density.draw(u)) }
        : density
    const far = Density.drawRows32(counted, Key.make(3), [3_000_000, 2], { from: 2_999_997, to: 3_000_000 })
    expect([far.shape, drawn]).toEqual([[3, 2], density === gumbel ? 6 : 0])
    const near = Density.draw32(density, Key.make(3), [30, 2])
    for (const from of [0, 1, 7, 28])
      expect(Array.from(Density.drawRows32(density, Key.make(3), [30, 2], { from, to: from + 2 }).data)).toEqual(
        Array.from(near.data).slice(2 * from, 2 * from + 4)
      )
  })

  it('is declared as plain data, by name', () => {
    expect(JSON.parse(JSON.stringify(Density.declared(gumbel)))).toEqual({ named: 'gumbel', symmetric: false })
    expect(Density.declared('laplace')).toBe('laplace')
    expect(Density.declared({ studentT: 5 })).toEqual({ studentT: 5 })
    expect([secant, gumbel].map((density) => Density.isSymmetric(Density.declared(density)))).toEqual([true, false])
    expect(
      ['normal' as const, { studentT: 5 }, Density.declared(gumbel)].map((density) => Density.nameOf(density))
    ).toEqual(['normal', 'studentT(5)', 'gumbel'])
  })

  it('is integrated by the rule of its quantile', () => {
    // the variance is 1, and E|x| 8 over pi^2 times Catalan's constant; of Gumbel's the mean is Euler's constant and the variance pi^2 / 6
    expect(mean(secant.rule(120), (x) => x * x)).toBeCloseTo(1, 12)
    expect(mean(secant.rule(120), Math.abs)).toBeCloseTo((8 * 0.915965594177219) / Math.PI ** 2, 12)
    expect(mean(gumbel.rule(160), (x) => x)).toBeCloseTo(0.5772156649015329, 11)
    expect(mean(gumbel.rule(160), (x) => (x - 0.5772156649015329) ** 2)).toBeCloseTo(Math.PI ** 2 / 6, 10)
  })
})

describe('draws that the library knows', () => {
  it('keep their numbers', () => {
    const of = (density: Density.Density): ReadonlyArray<number> =>
      Array.from(Density.draw(density, Key.make(1), [2]).data)
    const [u = 0.5, v = 0.5] = Draw.uniform(Key.make(1), [2]).data
    const [a = 0.5, b = 0.5] = Draw.uniform(Key.foldInString(Key.make(1), 'angle'), [2]).data
    const polar = (p: number, angle: number): number =>
      Math.sqrt(3 * (p ** (-2 / 3) - 1)) * Math.cos(2 * Math.PI * angle)
    expect(of('logistic')).toEqual([Math.log(u / (1 - u)), Math.log(v / (1 - v))])
    expect(of({ studentT: 3 })).toEqual([polar(u, a), polar(v, b)])
    expect(of('normal')).toEqual(Array.from(Draw.normal(Key.make(1), [2]).data))
  })
})

describe('the tanh-sinh rule', () => {
  it('integrates what is singular at the ends', () => {
    expect(mean(Nodes.unit(60), () => 1)).toBeCloseTo(1, 14)
    expect(mean(Nodes.unit(60), (p) => p ** 3)).toBeCloseTo(0.25, 13)
    expect(mean(Nodes.unit(60), Math.log)).toBeCloseTo(-1, 12)
    expect(mean(Nodes.unit(80), (p) => 1 / Math.sqrt(p))).toBeCloseTo(2, 10)
  })
})
