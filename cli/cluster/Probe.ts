/**
 * Which bits a machine gives: a small program of everything that processors may round in their own way.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import * as Draw from 'halforder/random/Draw'
import * as Key from 'halforder/random/Key'
import * as Build from 'halforder/tensor/Build'
import * as X from 'halforder/tensor/Expr'
import * as Program from 'halforder/tensor/Program'
import type { Target } from 'halforder/tensor/Target'
import { broken, type Step } from '../edge/Failure.js'
import * as Parcel from './Parcel.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * What the program gave here, and the digest of it.
 *
 * @category model
 * @since 0.1.0
 */
export interface Probe {
  readonly numbers: Float32Array
  readonly digest: string
}

const rows = 17
const width = 29

/** Products long enough to be added up in several registers, and every function that is computed by a polynomial. */
const program = Program.make({ a: [rows, width], b: [width, rows] }, ({ a, b }) => {
  const product = X.scale(X.matmul(a, b), 1 / Math.sqrt(width))
  const positive = X.add(X.mul(product, product), X.scalar(0.1))
  return {
    product,
    back: X.matmul(X.transpose(product), a),
    exp: X.exp(product),
    log: X.log(positive),
    sqrt: X.sqrt(positive),
    tanh: X.tanh(product),
    sigmoid: X.sigmoid(product),
    sin: X.sin(X.scale(product, 7)),
    cos: X.cos(X.scale(product, 7)),
    quotient: X.div(product, positive),
    sum: X.sum(product, [0])
  }
})

// -------------------------------------------------------------------------------------
// effects
// -------------------------------------------------------------------------------------

/**
 * Runs the program, and draws its inputs as a run draws its noise.
 *
 * @category effects
 * @since 0.1.0
 */
export const probe = (target: Target): Step<Probe> => {
  const key = Key.make(1)
  const values = {
    a: Draw.normal32(Key.foldInString(key, 'a'), [rows, width]),
    b: Draw.normal32(Key.foldInString(key, 'b'), [width, rows])
  }
  return pipe(
    TE.Do,
    TE.flatMapEither(() =>
      pipe(
        program,
        E.mapLeft((errors) => broken(`the probe: ${errors.length} shapes do not fit`)),
        E.flatMap((closed) =>
          pipe(
            target.compile(closed, {}),
            E.mapLeft((error) => broken(`the probe: ${Build.showError({ _tag: 'OnTarget', program: 'probe', error })}`))
          )
        )
      )
    ),
    TE.flatMap((executable) =>
      pipe(
        executable.run(values),
        TE.bimap(
          (error) => broken(`the probe: ${Build.showError({ _tag: 'OnTarget', program: 'probe', error })}`),
          (outputs): Probe => {
            const all = [
              values.a,
              values.b,
              ...Object.keys(outputs)
                .sort()
                .flatMap((name) => outputs[name] ?? [])
            ]
            const numbers = Float32Array.from(all.flatMap(({ data }) => Array.from(data)))
            return { numbers, digest: Parcel.digestOf(Parcel.bytesOf(numbers)) }
          }
        ),
        TE.chainFirstTaskK(() => () => executable.dispose())
      )
    )
  )
}
