import { test } from 'vitest'
import * as E from 'fp-ts/lib/Either.js'
import * as S from './Schedule.js'
import * as V from './Verdict.js'
import * as G from './toy/GaussianData.js'
import { cosine, linear } from '../src/chain/Schedule.js'
import { ddpm } from '../src/chain/Ddpm.js'
import { ddim } from '../src/chain/Ddim.js'
const show = (v: V.Verdict): string => E.isLeft(v) ? 'NO ' + V.show(v.left) : 'yes ' + V.showComparison(v.right.nearest)
test('x', () => {
  for (const T of [1,2,3,8,50]) for (const s of [cosine(T), linear(T)]) console.log(T, show(S.ddimIsDdpm()(s)), show(S.falls(s)))
  for (const T of [4, 16]) { const s = linear(T)
    console.log('large v=1', show(S.marginalsAreExact(s, {mean: 0.7, variance: 1})(ddpm({denoiser: G.exactDenoiser({mean: 0.7, variance: 1}), schedule: s, variance: 'large'}))))
    console.log('small v=0', show(S.marginalsAreExact(s, {mean: 0.7, variance: 0})(ddpm({denoiser: G.exactDenoiser({mean: 0.7, variance: 0}), schedule: s, variance: 'small'}))))
    for (const eta of [0,0.5,1]) console.log('ddim v=0', eta, show(S.marginalsAreExact(s, {mean: 0.7, variance: 0})(ddim({denoiser: G.exactDenoiser({mean: 0.7, variance: 0}), schedule: s, eta}))))
    for (const eta of [0,0.5,1]) console.log('ddim v=1', eta, show(S.marginalsAreExact(s, {mean: 0.7, variance: 1})(ddim({denoiser: G.exactDenoiser({mean: 0.7, variance: 1}), schedule: s, eta}))).slice(0,200))
  }
  const d = {mean: 0.7, variance: 0.5}
  for (const T of [32, 64]) {
  for (const eta of [0,0.5,1]) console.log('conv ddim', T, eta, show(S.marginalsConverge(linear, d, (schedule) => ddim({denoiser: G.exactDenoiser(d), schedule, eta}))(T)))
  for (const variance of ['large','small'] as const) console.log('conv ddpm', T, variance, show(S.marginalsConverge(linear, d, (schedule) => ddpm({denoiser: G.exactDenoiser(d), schedule, variance}))(T)))
  }
})
