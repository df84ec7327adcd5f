/**
 * Rewards by name, and sums of them: `alignment + 0.5 * aesthetic - 0.1 * compressibility`.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as RA from 'fp-ts/lib/ReadonlyArray.js'
import type { Rows } from '../lens/Dense.js'
import type { Params } from '../lens/Lens.js'
import { aesthetic, type TrainedAesthetic } from '../model/Aesthetic.js'
import { classifier as network, logProbability } from '../model/Classifier.js'
import * as Faces from '../model/Faces.js'
import type { TrainedClassifier } from '../model/Model.js'
import { nearest } from '../model/Nearest.js'
import { alignment } from '../reward/Alignment.js'
import { dynamicDegree, meanOverFrames, smoothness } from '../reward/Clip.js'
import type { BlackBox, Differentiable, Reward } from '../reward/Reward.js'
import { type AnyDifferentiable, type Term, weighted } from '../reward/Weighted.js'
import type { Exprs } from '../tensor/Tree.js'
import type { ConfigError } from './Config.js'

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

/**
 * The parameters of a reward that was chosen by name: any.
 *
 * @category model
 * @since 0.1.0
 */
export type RewardParameters = Params

type Images = readonly ['batch', number]

type Named = Reward<RewardParameters, Images, Rows<number>>

/** What a name stands for. `prompted` rewards look at the condition, `free` ones do not. */
type Found =
  | { readonly _tag: 'Free'; readonly reward: AnyDifferentiable<Images, Exprs> }
  | { readonly _tag: 'Prompted'; readonly reward: AnyDifferentiable<Images, Rows<number>> }
  | { readonly _tag: 'Opaque'; readonly reward: BlackBox }

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
const named = (materials: RewardMaterials): Readonly<Record<string, () => Found>> => {
  const { classifier, blackBoxes } = materials
  const { description, parameters } = classifier
  const frames = framesIn(materials)
  const clip = { frames, size: description.features }
  const trained = materials.aesthetic
  const entries: ReadonlyArray<readonly [string, () => Found]> = [
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
    ...(trained === undefined
      ? []
      : [
          [
            'aesthetic',
            (): Found => {
              const one = aesthetic(trained.description, trained.parameters)
              return { _tag: 'Free', reward: frames === 1 ? one : meanOverFrames(clip, one) }
            }
          ] as const
        ]),
    ...(frames === 1
      ? []
      : [
          ['smoothness', (): Found => ({ _tag: 'Free', reward: smoothness(clip) })] as const,
          ['dynamicDegree', (): Found => ({ _tag: 'Free', reward: dynamicDegree(clip) })] as const
        ]),
    ...Object.entries(blackBoxes).map(([name, reward]) => [name, (): Found => ({ _tag: 'Opaque', reward })] as const)
  ]
  return Object.fromEntries(entries)
}

const wished = ({ attribute, values }: Wish, materials: RewardMaterials): Found => {
  const { description, parameters } = materials.classifier
  const frames = framesIn(materials)
  // `values` are among the vocabulary of `attribute`
  const names = Faces.vocabulary[attribute].map(({ name }) => name).filter((name) => values.includes(name))
  const one = logProbability(description, parameters, attribute, names)
  return { _tag: 'Free', reward: frames === 1 ? one : meanOverFrames({ frames, size: description.features }, one) }
}

/**
 * The names that `reward` takes: those of their own, and `attribute:value` with several values joined by `|`.
 *
 * @category rewards
 * @since 0.1.0
 */
export const rewardNames = (materials: RewardMaterials): string =>
  Object.keys(named(materials)).join(', ') + ', or attribute:value such as hairColor:blue or hat:red beanie|green cap'

const wrong = (expected: string, got: string, remedy: string): ConfigError => ({
  _tag: 'ConfigError',
  path: 'reward',
  expected,
  got,
  remedy
})

const find = (name: string, materials: RewardMaterials): E.Either<ConfigError, Found> => {
  const names = named(materials)
  // not a key that every record inherits
  const known = Object.hasOwn(names, name) ? names[name] : undefined
  if (known !== undefined) return E.right(known())
  const [head = '', list] = name.split(':')
  if (list === undefined) {
    const near = nearest(name, Object.keys(names)).join(', ')
    return E.left(wrong(rewardNames(materials), JSON.stringify(name), `the nearest are ${near}`))
  }
  const attribute = Faces.attributeNames.find((candidate) => candidate === head.trim())
  if (attribute === undefined) {
    const near = nearest(head, Faces.attributeNames).join(', ')
    return E.left(
      wrong(`an attribute: ${Faces.attributeNames.join(', ')}`, JSON.stringify(head), `the nearest are ${near}`)
    )
  }
  const legal: ReadonlyArray<string> = Faces.vocabulary[attribute].map((value) => value.name)
  const values = list.split('|').map((value) => value.trim())
  const other = values.find((value) => !legal.includes(value))
  return other === undefined
    ? E.right(wished({ attribute, values }, materials))
    : E.left(
        wrong(
          `${attribute}: ${legal.join(', ')}`,
          JSON.stringify(other),
          `the nearest is ${nearest(other, legal, 1).join('')}`
        )
      )
}

// -------------------------------------------------------------------------------------
// sums
// -------------------------------------------------------------------------------------

const number = '\\d+(?:\\.\\d*)?(?:e[+-]?\\d+)?|\\.\\d+(?:e[+-]?\\d+)?'

const termPattern = new RegExp(`\\s*([+-])?\\s*(?:(${number})\\s*\\*\\s*)?([a-z][^+*-]*)`, 'iy')

/**
 * A sum as its terms: `a - 0.5 * b` is `[[1, 'a'], [-0.5, 'b']]`. Left: what is no sum, and where it goes wrong.
 *
 * @category parsing
 * @since 0.1.0
 */
export const parseSum = (text: string): E.Either<ConfigError, ReadonlyArray<Term<string>>> => {
  const terms: Array<Term<string>> = []
  let at = 0
  while (at < text.trimEnd().length || terms.length === 0) {
    termPattern.lastIndex = at
    const [whole, sign, weight, name] = termPattern.exec(text) ?? []
    if (whole === undefined || name === undefined || (sign === undefined && terms.length > 0)) {
      return E.left(
        wrong(
          'a sum of rewards such as alignment + 0.5 * aesthetic',
          `${JSON.stringify(text)}, at ${JSON.stringify(text.slice(at))}`,
          'write [number *] name, joined by + or -'
        )
      )
    }
    terms.push([(sign === '-' ? -1 : 1) * Number(weight ?? 1), name.trim()])
    at += whole.length
  }
  return E.right(terms)
}

/**
 * The reward of a name, or of a sum of names. A sum is differentiable unless a black box is among its terms; then no term may
 * look at the prompt. Left: a name that is no reward, with the nearest that are, or what is no sum.
 *
 * @category rewards
 * @since 0.1.0
 */
export const reward = (
  text: string,
  materials: RewardMaterials
): E.Either<ConfigError, Reward<RewardParameters, Images, Rows<number>>> =>
  pipe(
    parseSum(text),
    E.flatMap(
      RA.traverse(E.Applicative)(([weight, name]) =>
        pipe(
          find(name, materials),
          E.map((found): Term<Found> => [weight, found])
        )
      )
    ),
    E.flatMap(sum)
  )

const sum = (terms: ReadonlyArray<Term<Found>>): E.Either<ConfigError, Named> => {
  const [first] = terms
  if (terms.length === 1 && first?.[0] === 1) {
    const { reward: only } = first[1]
    return E.right(only._tag === 'BlackBox' ? only : erase(only))
  }
  const differentiable = terms.flatMap(
    ([weight, found]): ReadonlyArray<Term<AnyDifferentiable<Images, Rows<number>>>> =>
      found._tag === 'Opaque' ? [] : [[weight, found.reward]]
  )
  if (differentiable.length === terms.length) return E.right(erase(weighted(differentiable)))
  const unprompted = terms.flatMap(
    ([weight, found]): ReadonlyArray<Term<AnyDifferentiable<Images, Exprs> | BlackBox>> =>
      found._tag === 'Prompted' ? [] : [[weight, found.reward]]
  )
  return unprompted.length === terms.length
    ? E.right(weighted(unprompted))
    : E.left(
        wrong(
          'a sum whose terms do not look at the prompt, since a black box is among them',
          terms.flatMap(([, found]) => (found._tag === 'Prompted' ? [found.reward.name] : [])).join(', '),
          'leave one of the two out, or name what is asked for, as in hat:green cap'
        )
      )
}

/** Forgets which parameters: programs build the tree that `shapes` declares, which is what the lens takes. */
const erase = (one: AnyDifferentiable<Images, Rows<number>>): Differentiable<Params, Images, Rows<number>> =>
  one as unknown as Differentiable<Params, Images, Rows<number>>
