import { test } from 'vitest'
import * as E from 'fp-ts/lib/Either.js'
import * as Cat from '../src/estimator/Catalogue.js'
import * as Est from '../src/estimator/Estimator.js'
import * as K from '../src/random/Key.js'
import * as Law from './Estimator.js'
import * as P from './toy/Polynomial.js'
import * as LG from './toy/LinearGaussian.js'
import * as V from './Verdict.js'
const ok = <A>(e: E.Either<unknown, A>): A => { if (E.isLeft(e)) throw new Error(JSON.stringify(e.left)); return e.right }
const show = (v: V.Verdict): string => E.isLeft(v) ? 'NO ' + V.show(v.left) : 'yes ' + V.showComparison(v.right.nearest)
test('x', async () => {
  const mk = (T: number) => [Cat.fullBackprop(T), Cat.reinforce(T), Cat.rlr({T, h: 1, radius: 0.3}), Cat.rlr({T, h: 1, radius: 0.3, form: 'onePoint'}), Cat.rlr({T, h: 1, radius: 0.3, form: 'forward', perturbation: 'perStep'}), Cat.evolutionStrategies({T, radius: 0.3}),Cat.evolutionStrategies({T, radius: 0.3, form: 'onePoint', perturbation: 'perStep'})].map(ok)
  const settings: Array<[string, P.ScalarSetting]> = [
    ['p1', P.polynomialSetting(1, {alpha: 0.5, a: 0.2, b: -0.3, sigma: [0.3, 0.5, 0.4]}, [0.5, 1, -1])],
    ['p2', P.polynomialSetting(2, {alpha: 0.5, a: 0.2, b: -0.3, sigma: [0.3, 0.5]}, [0.5, 1, -1])],
    ['p2c', P.polynomialSetting(2, {alpha: 0.5, a: 0.2, b: -0.3, sigma: [0.3, 0.5]}, [0.5, 1, -1, 0.1])],
    ['mult', P.multiplicativeSetting({a: 0.2, b: -0.3, sigma: [0.3, 0.5]}  , [0.5, 1, -1])]]
  for (const [n, s] of settings) for (const e of mk(s.chain.T)) {
    const t0 = performance.now()
    const v = await Law.unbiased(s)({ estimator: e })()
    const t1 = performance.now()
    const w = await Law.isFormula(s)({ estimator: e }, K.make(1))()
    console.log(n, e.name, (t1 - t0).toFixed(0), 'ms', (performance.now() - t1).toFixed(0), show(v).slice(0, 400), '\n    ', show(w).slice(0,400))
  }
  const lg = LG.linearSetting({A: [[0.5, 0.2],[-0.1,0.7]], B: [[1,0.5],[0.3,-1]], c: [0.1,0.2], sigma: [0.5,0.7], theta: [0.3,-0.4], m: [1,-1], Q: [[1,0.3],[0.3,2]], q: [0.5,0.1]})
  for (const e of mk(2)) {
    const t0 = performance.now()
    const v = await Law.unbiased(lg)({ estimator: e })()
    console.log('lg', e.name, (performance.now()-t0).toFixed(0), show(v).slice(0,400))
  }
  void Est
}, 600000)
