/**
 * Pictures of parameters of a chain: its samples on the same noise each time, and what they earn.
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import type { Chain } from 'halforder/chain/Chain'
import * as L from 'halforder/lens/Lens'
import type { Params } from 'halforder/lens/Lens'
import type { Rows } from 'halforder/lens/Rows'
import type { Model } from 'halforder/network/Model'
import * as Draw from 'halforder/random/Draw'
import * as Key from 'halforder/random/Key'
import { type Outputs, type Shelf } from 'halforder/reward/Shelf'
import { showError as showDocumentError } from 'halforder/document/Document'
import * as Build from 'halforder/tensor/Build'
import * as X from 'halforder/tensor/Expr'
import * as Program from 'halforder/tensor/Program'
import type { Values } from 'halforder/tensor/Program'
import { showTargetError, type Target } from 'halforder/tensor/Target'
import type { Tensor } from 'halforder/tensor/Tensor'
import * as Sampling from 'halforder/training/Sampling'
import * as Setup from 'halforder/training/Setup'

/** The chains of models. */
export type ModelChain = Chain<Params, Outputs, Rows<number>>

/** `shot` gives the states of the samples that some parameters make, `x_T` first. It is compiled once. */
export interface Camera {
  readonly shot: (parameters: Values) => Promise<E.Either<string, ReadonlyArray<Tensor>>>
  readonly dispose: () => Promise<void>
}

/** A batch of zeros. */
export const zeros = (rows: number, width: number): Tensor => ({
  shape: [rows, width],
  data: new Float32Array(rows * width)
})

/** Pictures of a chain told `c`, a row each, on noise from a key. */
export const camera = (chain: ModelChain, c: Tensor, key: Key.Key, target: Target): E.Either<string, Camera> => {
  const rows = c.shape[0] ?? 1
  return pipe(
    Build.build(target, { batch: rows })('step', Sampling.step(chain)),
    E.bimap(Build.showError, (executable) => {
      const noise = (name: string): Tensor =>
        Draw.normal32(Key.foldInString(key, name), [rows, ...chain.state.slice(1).map(Number)])
      const first = noise('xT')
      const noises = Array.from({ length: chain.T }, (_, i) => noise(`eps ${chain.T - i}`))
      return {
        shot: async (parameters) => {
          const states = [first]
          for (const [i, eps] of noises.entries()) {
            const t = { shape: [], data: Float32Array.of(chain.T - i) }
            const x = states.at(-1) ?? first
            const found = await executable.run({ ...Program.under('params', parameters), c, x, eps, t })()
            if (E.isLeft(found)) return E.left(showTargetError(found.left))
            states.push(found.right['next'] ?? x)
          }
          return E.right(states)
        },
        dispose: () => executable.dispose()
      }
    })
  )
}

/** The mean reward of outputs told `c`; none of rewards that are no programs. */
export interface Scale {
  readonly mean: (x0: Tensor) => Promise<number | undefined>
  readonly dispose: () => Promise<void>
}

const none: Scale = { mean: async () => undefined, dispose: async () => undefined }

/** What a reward says of the outputs of a model. Left: a name that is no reward. */
export const scale = (
  text: string,
  { model, rewards, c }: { readonly model: Model; readonly rewards: Shelf; readonly c: Tensor },
  target: Target
): E.Either<string, Scale> =>
  pipe(
    Setup.reward(text, { model, rewards }),
    E.mapLeft(showDocumentError),
    E.flatMap((reward): E.Either<string, Scale> => {
      if (reward._tag === 'BlackBox') return E.right(none)
      const [batch = 1, labels = 0] = c.shape
      const { features } = model.denoiser
      const shapes = { x: ['batch', features], c: ['batch', labels], parameters: L.shapes(reward.shapes) } as const
      return pipe(
        Build.build(target, { batch })(
          'reward',
          Program.make(shapes, () => ({
            rewards: reward
              .lens(X.input('c', ['batch', labels]))
              .forward(L.parameterInputs('parameters', reward.shapes), X.input('x', ['batch', features]))
          }))
        ),
        E.bimap(
          Build.showError,
          (executable): Scale => ({
            mean: async (x0) => {
              const inputs = { x: x0, c, ...Program.under('parameters', reward.parameters) }
              const found = await executable.run(inputs)()
              if (E.isLeft(found)) return undefined
              const values = Array.from(found.right['rewards']?.data ?? [])
              return values.reduce((sum, value) => sum + value, 0) / values.length
            },
            dispose: () => executable.dispose()
          })
        )
      )
    })
  )
