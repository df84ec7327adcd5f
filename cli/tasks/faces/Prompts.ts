/**
 * Conditioning for the face models, drawn as the training faces were.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as Draw from 'halforder/random/Draw'
import * as Key from 'halforder/random/Key'
import type { Tensor } from 'halforder/tensor/Tensor'
import * as Faces from './Faces.js'

/**
 * Draws the conditioning of a batch: random faces' one-hot codes `[n, 34]`, in f32, in which each attribute is named with
 * the given probability and left open else (zeros in its block). 1 asks for a whole face; 0 asks for any face.
 *
 * @category constructors
 * @since 0.1.0
 */
export const prompts =
  (named: number) =>
  (key: Key.Key, n: number): Tensor => {
    const attributes = Faces.attributeNames.length
    const kept = Draw.uniform(Key.foldInString(key, 'named'), [n, attributes]).data
    const code = (face: Faces.Attributes, row: number): ReadonlyArray<number> => {
      const whole = Faces.encode(face)
      return Faces.attributeNames.flatMap((attribute, i) => {
        const { offset, width } = Faces.block(attribute)
        const open = (kept[row * attributes + i] ?? 0) >= named
        return whole.slice(offset, offset + width).map((v) => (open ? 0 : v))
      })
    }
    return {
      shape: [n, Faces.labelWidth],
      data: pipe(
        Faces.sample(Draw.uniform(key, [n, attributes])),
        E.match(
          // uniforms of this shape below 1 are what `sample` takes
          () => new Float32Array(n * Faces.labelWidth),
          (faces) => Float32Array.from(faces.flatMap(code))
        )
      )
    }
  }
