/**
 * The faces that pretraining sees, and those that it does not.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as Faces from './Faces.js'
import * as Draw from 'halforder/random/Draw'
import * as Key from 'halforder/random/Key'
import { draw, type FaceSet } from './Renderer.js'

/**
 * Faces to train on and faces to judge by. No held-out face has the attributes of a training face.
 *
 * @category model
 * @since 0.1.0
 */
export interface PretrainData {
  readonly training: FaceSet
  readonly heldOut: FaceSet
}

/**
 * How many faces are held out.
 *
 * @category constants
 * @since 0.1.0
 */
export const heldOutFaces = 1024

/**
 * The data of a key: `faces` training faces as the vocabulary's probabilities give them, with repetitions, and held-out ones
 * likewise, leaving out those that are in the training set: fewer than `heldOutFaces` where training has almost all there
 * are. Takes about 0.15 ms a face that differs from the others.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (key: Key.Key, faces: number): PretrainData => {
  const training = sample(Key.foldInString(key, 'training'), faces)
  const seen = new Set(training.map(code))
  // at the default number of faces about a third of the draws are new: eight times as many are enough
  const fresh = sample(Key.foldInString(key, 'held-out'), 8 * heldOutFaces).filter((face) => !seen.has(code(face)))
  return { training: draw(training), heldOut: draw(fresh.slice(0, heldOutFaces)) }
}

const code = (face: Faces.Attributes): string => Faces.encode(face).join('')

const sample = (key: Key.Key, count: number): ReadonlyArray<Faces.Attributes> =>
  pipe(
    Faces.sample(Draw.uniform(key, [count, Faces.attributeNames.length])),
    // uniforms of the right shape in (0, 1) are faces
    E.getOrElse((): ReadonlyArray<Faces.Attributes> => [])
  )
