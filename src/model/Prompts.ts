/**
 * Conditioning for the face models, drawn as the training faces were.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as Draw from '../random/Draw.js'
import type { Key } from '../random/Key.js'
import type { Values } from '../tensor/Program.js'
import * as Faces from './Faces.js'

/**
 * The one-hot codes of `n` random faces, as the value of a chain's condition `c [n, 34]`, in f32.
 *
 * @category constructors
 * @since 0.1.0
 */
export const anyFace = (key: Key, n: number): Values => ({
  c: {
    shape: [n, Faces.labelWidth],
    data: pipe(
      Faces.sample(Draw.uniform(key, [n, Faces.attributeNames.length])),
      E.match(
        // uniforms of this shape below 1 are what `sample` takes
        () => new Float32Array(n * Faces.labelWidth),
        (faces) => Float32Array.from(faces.flatMap((face) => Faces.encode(face)))
      )
    )
  }
})
