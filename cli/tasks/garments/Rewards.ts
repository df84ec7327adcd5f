/**
 * The rewards of garments, by name.
 *
 * @since 0.1.0
 */
import type { None } from 'halforder/lens/Lens'
import * as L from 'halforder/lens/Lens'
import { certainty, logProbability } from 'halforder/network/Classifier'
import type { TrainedClassifier } from 'halforder/network/Model'
import { brightness } from 'halforder/reward/Pixels'
import { type BlackBox, differentiable, type Differentiable } from 'halforder/reward/Reward'
import { shelf, type Shelf } from 'halforder/reward/Shelf'
import * as X from 'halforder/tensor/Expr'
import { flip } from 'halforder/tensor/Indexing'
import type { Exprs } from 'halforder/tensor/Tree'
import { ofGrey } from '../../edge/Images.js'
import * as Jpeg from '../faces/Jpeg.js'
import * as Data from './Data.js'

/** All classes are one attribute. */
const whole = { offset: 0, width: Data.classes.length }

/**
 * Minus the mean squared difference of a picture `x` to its mirror image `m(x)`, left for right. Its gradient is
 * `-4 (x - m(x)) / features`.
 *
 * @category rewards
 * @since 0.1.0
 */
export const symmetry: Differentiable<None, readonly ['batch', number], Exprs> = differentiable<
  None,
  readonly ['batch', number]
>(
  'symmetry',
  L.pure((x) => {
    const picture = X.reshape(x, ['batch', Data.side, Data.side])
    const off = X.retype(X.reshape(X.sub(picture, flip(picture, 2)), ['batch', Data.features]), x.shape)
    const total = X.reshape(X.sumTo(X.mul(off, off), ['batch', 1]), ['batch'])
    return [
      X.scale(total, -1 / Data.features),
      (bar) => X.scale(X.mul(off, X.broadcastTo(X.reshape(bar, ['batch', 1]), x.shape)), -4 / Data.features)
    ]
  })
)

/** A reward of faces in color, of grey pictures. */
const inGrey = (reward: BlackBox): BlackBox => ({
  ...reward,
  evaluate: (pictures, asked) => reward.evaluate(ofGrey(pictures), asked)
})

const files: Readonly<Record<string, BlackBox>> = {
  compressibility: inGrey(Jpeg.compressibility()),
  incompressibility: inGrey(Jpeg.incompressibility())
}

/** What a classifier gives: how sure it is of any class, and of each. */
const read = (classifier: TrainedClassifier): Parameters<typeof shelf>[0] => ({
  clarity: certainty('clarity', classifier, [whole]),
  ...Object.fromEntries(Data.classes.map((name, i) => [name, logProbability(`log p(${name})`, classifier, whole, [i])]))
})

/**
 * The shelf: `clarity` and the names of the classes by the classifier, `symmetry` and `brightness` of the pixels, and the size of
 * files.
 *
 * @category rewards
 * @since 0.1.0
 */
export const rewards = (classifier: TrainedClassifier): Shelf =>
  shelf({ ...read(classifier), symmetry, brightness: brightness<number>(Data.features), ...files })

/**
 * What the judge gives under the same names; its clarity judges the others.
 *
 * @category rewards
 * @since 0.1.0
 */
export const heldOut = (judge: TrainedClassifier): Shelf => shelf(read(judge))
