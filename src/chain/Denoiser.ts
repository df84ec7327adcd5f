/**
 * What a denoising network must be, and guidance of one: any chain that takes a denoiser takes a guided one.
 *
 * @since 0.1.0
 */
import type { Rows } from '../lens/Rows.js'
import { erase } from '../lens/Erase.js'
import * as L from '../lens/Lens.js'
import type { Lens, Params } from '../lens/Lens.js'
import * as X from '../tensor/Expr.js'
import type { Expr } from '../tensor/Expr.js'
import * as Need from '../tensor/Need.js'
import type { Shape } from '../tensor/Shape.js'
import * as Tree from '../tensor/Tree.js'
import type { Exprs } from '../tensor/Tree.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * A network that predicts the noise in `x` (epsilon-prediction) from the time, in [0, 1], and a condition. A condition
 * of zeros means none. With an `alphabet` its rows are one-hot codes of so many categories each, the last of them the mask, and it
 * predicts the logits of the clean ones: chains of numbers cannot read it, and `masked` reads no other.
 *
 * @category model
 * @since 0.1.0
 */
export interface Denoiser<P extends Params, D extends number, K extends number> {
  readonly features: D
  readonly labels: K
  readonly networkCalls: number
  readonly alphabet?: number
  readonly lens: Lens<P, DenoiserInput<D, K>, Rows<D>>
}

/**
 * The argument of a denoiser.
 *
 * @category model
 * @since 0.1.0
 */
export type DenoiserInput<D extends number, K extends number> = {
  readonly x: Rows<D>
  readonly time: Rows<1>
  readonly c: Rows<K>
}

// -------------------------------------------------------------------------------------
// combinators
// -------------------------------------------------------------------------------------

/**
 * Classifier-free guidance (Ho and Salimans, arXiv 2207.12598) as a transformer of denoisers:
 * `(1 - scale) eps(x, t, none) + scale eps(x, t, c)`. A scale of 1 is the conditional denoiser itself, at no extra
 * cost; any other scale evaluates the network twice.
 *
 * @category combinators
 * @since 0.1.0
 */
export const guided =
  (scale: number) =>
  <P extends Params, D extends number, K extends number>(denoiser: Denoiser<P, D, K>): Denoiser<P, D, K> =>
    scale === 1
      ? denoiser
      : {
          ...denoiser,
          networkCalls: 2 * denoiser.networkCalls,
          lens: L.refused(Need.single('guided', 'scale', scale))(
            L.make(denoiser.lens.parameters, (p, { x, time, c }) => {
              const [with_, backWith] = denoiser.lens.run(p, { x, time, c })
              const [without, backWithout] = denoiser.lens.run(p, { x, time, c: X.zeros(c.shape) })
              return [
                X.add(X.scale(without, 1 - scale), X.scale(with_, scale)),
                (bar) => {
                  const [p1, a1] = backWith(X.scale(bar, scale))
                  const [p2, a2] = backWithout(X.scale(bar, 1 - scale))
                  return [Tree.add(p1, p2), { x: X.add(a1.x, a2.x), time: X.add(a1.time, a2.time), c: a1.c }]
                }
              ]
            })
          )
        }

/**
 * Autoguidance (Karras et al., arXiv 2406.02070): a worse version of the network in place of the unconditional one,
 * `(1 - scale) eps_weak(x, t, c) + scale eps(x, t, c)`. Their parameters are side by side, `main` and `weak`; train `main` alone.
 * A scale of 1 is the network itself, though it is still told what the weak one's parameters are.
 *
 * @category combinators
 * @since 0.1.0
 */
export const autoguided =
  (scale: number) =>
  <P extends Params, Q extends Params, D extends number, K extends number>(
    main: Denoiser<P, D, K>,
    weak: Denoiser<Q, D, K>
  ): Denoiser<{ readonly main: P } & { readonly weak: Q }, D, K> => ({
    ...main,
    networkCalls: main.networkCalls + (scale === 1 ? 0 : weak.networkCalls),
    lens:
      scale === 1
        ? besides(main.lens, weak.lens)
        : L.refused(Need.single('autoguided', 'scale', scale))(
            mixed(scale)(L.fanout(L.at('main', main.lens), L.at('weak', weak.lens)))
          )
  })

/** The first of two lenses, in the parameters of both. */
const besides = <P extends Params, Q extends Params, A extends Exprs, B extends Exprs>(
  main: Lens<P, A, B>,
  weak: Lens<Q, A, B>
): Lens<{ readonly main: P } & { readonly weak: Q }, A, B> =>
  L.make({ main: main.parameters, weak: weak.parameters }, (p, a) => {
    const [value, back] = main.run(p.main, a)
    return [
      value,
      (bar) => {
        const [mainBar, aBar] = back(bar)
        return [{ main: mainBar, weak: Tree.mapExprs(p.weak, (leaf) => X.zeros(leaf.shape)) }, aBar]
      }
    ]
  })

/** `scale first + (1 - scale) second`. */
const mixed =
  (scale: number) =>
  <P extends Params, A extends Exprs, S extends Shape>(
    pair: Lens<P, A, { readonly first: Expr<S>; readonly second: Expr<S> }>
  ): Lens<P, A, Expr<S>> =>
    L.compose(
      pair,
      L.pure(({ first, second }) => [
        X.add(X.scale(first, scale), X.scale(second, 1 - scale)),
        (bar) => ({ first: X.scale(bar, scale), second: X.scale(bar, 1 - scale) })
      ])
    )

/**
 * The denoiser whose input is held: the same values, and a pullback that sends nothing back to `x` (Wu et al., DRTune,
 * arXiv 2405.00760, have a chain of it: only the sampler's own formula carries a gradient from step to step).
 *
 * @category combinators
 * @since 0.1.0
 */
export const heldInput = <P extends Params, D extends number, K extends number>(
  denoiser: Denoiser<P, D, K>
): Denoiser<P, D, K> => ({
  ...denoiser,
  lens: L.make(denoiser.lens.parameters, (p, input) => {
    const [value, back] = denoiser.lens.run(p, input)
    return [
      value,
      (bar) => {
        const [pBar, inputBar] = back(bar)
        return [pBar, { ...inputBar, x: X.zeros(input.x.shape) }]
      }
    ]
  })
})

/**
 * Forgets which parameters a denoiser has.
 *
 * @category combinators
 * @since 0.1.0
 */
export const eraseDenoiser = <P extends Params, D extends number, K extends number>(
  denoiser: Denoiser<P, D, K>
): Denoiser<Params, D, K> => ({ ...denoiser, lens: erase(denoiser.lens) })
