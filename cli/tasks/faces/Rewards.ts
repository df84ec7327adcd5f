/**
 * The rewards of faces and of clips of them, by name.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import * as O from 'fp-ts/lib/Option.js'
import { type DocumentError, fault } from 'halforder/document/Document'
import { nearest } from 'halforder/document/Nearest'
import { certainty, classifier as network, logProbability } from 'halforder/network/Classifier'
import type { TrainedClassifier } from 'halforder/network/Model'
import { alignment } from 'halforder/reward/Alignment'
import { dynamicDegree, meanOverFrames, smoothness } from 'halforder/reward/Clip'
import type { BlackBox } from 'halforder/reward/Reward'
import type { Named, Shelf } from 'halforder/reward/Shelf'
import { aesthetic, type TrainedAesthetic } from './Aesthetic.js'
import * as Faces from './Faces.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * What rewards draw on: a classifier, a score where there is one, black boxes by name, and for models of clips how many
 * `frames` a row has (1, an image, by default): rewards of images are then means over the frames.
 *
 * @category model
 * @since 0.1.0
 */
export interface RewardMaterials {
  readonly classifier: TrainedClassifier
  readonly aesthetic?: TrainedAesthetic
  readonly blackBoxes: Readonly<Record<string, BlackBox>>
  readonly frames?: number
}

interface Wish {
  readonly attribute: Faces.AttributeName
  readonly values: ReadonlyArray<string>
}

/** Short names for what people ask for most. */
const wishes: Readonly<Record<string, Wish>> = {
  glasses: { attribute: 'glasses', values: ['round', 'dark'] },
  smile: { attribute: 'mouth', values: ['happy'] },
  hat: { attribute: 'hat', values: Faces.vocabulary.hat.map(({ name }) => name).filter((name) => name !== 'none') },
  beard: {
    attribute: 'beard',
    values: Faces.vocabulary.beard.map(({ name }) => name).filter((name) => name !== 'none')
  }
}

// -------------------------------------------------------------------------------------
// names
// -------------------------------------------------------------------------------------

const framesIn = ({ frames = 1 }: RewardMaterials): number => frames

/** The rewards that have a name of their own; the others are `attribute:value`. */
const named = (materials: RewardMaterials): ReadonlyMap<string, () => Named> => {
  const { classifier, blackBoxes } = materials
  const { description, parameters } = classifier
  const frames = framesIn(materials)
  const clip = { frames, size: description.features }
  const trained = materials.aesthetic
  const entries: ReadonlyArray<readonly [string, () => Named]> = [
    ...Object.entries(wishes).map(([name, wish]) => [name, () => wished(wish, materials)] as const),
    [
      'alignment',
      () => {
        const blocks = Faces.attributeNames.map(Faces.block)
        const width = description.labels
        const one = alignment({ network: network(description), blocks, width, parameters })
        return { _tag: 'Prompted', reward: frames === 1 ? one : meanOverFrames(clip, one) }
      }
    ],
    ['clarity', () => clarity(materials)],
    ...(trained === undefined
      ? []
      : [
          [
            'aesthetic',
            (): Named => {
              const one = aesthetic(trained.description, trained.parameters)
              return { _tag: 'Free', reward: frames === 1 ? one : meanOverFrames(clip, one) }
            }
          ] as const
        ]),
    ...(frames === 1
      ? []
      : [
          ['smoothness', (): Named => ({ _tag: 'Free', reward: smoothness(clip) })] as const,
          ['dynamicDegree', (): Named => ({ _tag: 'Free', reward: dynamicDegree(clip) })] as const
        ]),
    ...Object.entries(blackBoxes).map(([name, reward]) => [name, (): Named => ({ _tag: 'Opaque', reward })] as const)
  ]
  return new Map(entries)
}

/** How sure the classifier is of all that it reads, whatever that is. */
const clarity = (materials: RewardMaterials): Named => {
  const { description } = materials.classifier
  const frames = framesIn(materials)
  const one = certainty('clarity', materials.classifier, Faces.attributeNames.map(Faces.block))
  return { _tag: 'Free', reward: frames === 1 ? one : meanOverFrames({ frames, size: description.features }, one) }
}

const wished = ({ attribute, values }: Wish, materials: RewardMaterials): Named => {
  const { description } = materials.classifier
  const frames = framesIn(materials)
  // in the vocabulary's order, whatever order they were asked for in
  const wanted = Faces.positions(attribute, values)
  const one = logProbability(
    `log p(${attribute} = ${wanted.map((i) => Faces.vocabulary[attribute][i]?.name ?? '').join(' or ')})`,
    materials.classifier,
    Faces.block(attribute),
    wanted
  )
  return { _tag: 'Free', reward: frames === 1 ? one : meanOverFrames({ frames, size: description.features }, one) }
}

/**
 * The shelf of rewards: the names above, and `attribute:value` with several values joined by `|`.
 *
 * @category rewards
 * @since 0.1.0
 */
export const shelf = (materials: RewardMaterials): Shelf => ({
  named: named(materials),
  pattern: {
    about: 'attribute:value such as hairColor:blue or hat:red beanie|green cap',
    find: (name) => {
      const [head = '', list] = name.split(':')
      return list === undefined ? O.none : O.some(attributeValue(head, list, materials))
    }
  }
})

/**
 * The held-out rewards, by a classifier that no reward is of: those that a classifier gives; clarity stands for the others.
 *
 * @category rewards
 * @since 0.1.0
 */
export const heldOut = (
  judge: TrainedClassifier,
  frames: number
): { readonly rewards: Shelf; readonly otherwise: Named } => {
  const materials = { classifier: judge, frames, blackBoxes: {} }
  const all = shelf(materials)
  // what no network judges is the same for every judge
  const alike = ['smoothness', 'dynamicDegree']
  return {
    rewards: { ...all, named: new Map([...all.named].filter(([name]) => !alike.includes(name))) },
    otherwise: clarity(materials)
  }
}

const attributeValue = (head: string, list: string, materials: RewardMaterials): E.Either<DocumentError, Named> => {
  const attribute = Faces.attributeNames.find((candidate) => candidate === head.trim())
  if (attribute === undefined) {
    const near = nearest(head, Faces.attributeNames).join(', ')
    return E.left(fault('reward', `an attribute: ${Faces.attributeNames.join(', ')}`, head, `the nearest are ${near}`))
  }
  const legal: ReadonlyArray<string> = Faces.vocabulary[attribute].map((value) => value.name)
  const values = list.split('|').map((value) => value.trim())
  const other = values.find((value) => !legal.includes(value))
  return other === undefined
    ? E.right(wished({ attribute, values }, materials))
    : E.left(
        fault(
          'reward',
          `${attribute}: ${legal.join(', ')}`,
          other,
          `the nearest is ${nearest(other, legal, 1).join('')}`
        )
      )
}
