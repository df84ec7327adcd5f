/**
 * Rewards by name, and sums of them: `alignment + 0.5 * aesthetic - 0.1 * compressibility`.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as O from 'fp-ts/lib/Option.js'
import * as RA from 'fp-ts/lib/ReadonlyArray.js'
import { fault, type DocumentError } from '../document/Document.js'
import { nearest } from '../document/Nearest.js'
import type { Params } from '../lens/Lens.js'
import type { Rows } from '../lens/Rows.js'
import type { Exprs } from '../tensor/Tree.js'
import type { BlackBox, Differentiable, Reward } from './Reward.js'
import { type AnyDifferentiable, type Term, weighted } from './Weighted.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * Rows of numbers: what the chains of models give.
 *
 * @category model
 * @since 0.1.0
 */
export type Outputs = readonly ['batch', number]

/**
 * What a name stands for: a reward that does not look at the condition (`Free`) or does (`Prompted`), or a black box (`Opaque`).
 *
 * @category model
 * @since 0.1.0
 */
export type Named =
  | { readonly _tag: 'Free'; readonly reward: AnyDifferentiable<Outputs, Exprs> }
  | { readonly _tag: 'Prompted'; readonly reward: AnyDifferentiable<Outputs, Rows<number>> }
  | { readonly _tag: 'Opaque'; readonly reward: BlackBox }

/**
 * Rewards by name, and those that a pattern of names stands for. `about` tells a person of the pattern; `find` gives none for a
 * name that does not have its form, and a left for one that has, but names nothing. `scales` are what rewards are divided by before they
 * are weighed in a sum, by name.
 *
 * @category model
 * @since 0.1.0
 */
export interface Shelf {
  readonly named: ReadonlyMap<string, () => Named>
  readonly pattern?: {
    readonly about: string
    readonly find: (name: string) => O.Option<E.Either<DocumentError, Named>>
  }
  readonly scales?: ReadonlyMap<string, number>
}

// -------------------------------------------------------------------------------------
// constructors
// -------------------------------------------------------------------------------------

/**
 * A reward by what it is: a differentiable one looks at the output alone.
 *
 * @category constructors
 * @since 0.1.0
 */
export const free = (reward: AnyDifferentiable<Outputs, Exprs> | BlackBox): Named =>
  reward._tag === 'BlackBox' ? { _tag: 'Opaque', reward } : { _tag: 'Free', reward }

/**
 * A differentiable reward that looks at the condition.
 *
 * @category constructors
 * @since 0.1.0
 */
export const prompted = (reward: AnyDifferentiable<Outputs, Rows<number>>): Named => ({ _tag: 'Prompted', reward })

/**
 * A shelf from a record: names with rewards that do not look at the condition.
 *
 * @category constructors
 * @since 0.1.0
 */
export const shelf = (rewards: Readonly<Record<string, AnyDifferentiable<Outputs, Exprs> | BlackBox>>): Shelf => ({
  named: new Map(Object.entries(rewards).map(([name, reward]) => [name, () => free(reward)] as const))
})

// -------------------------------------------------------------------------------------
// parsing
// -------------------------------------------------------------------------------------

const number = '\\d+(?:\\.\\d*)?(?:e[+-]?\\d+)?|\\.\\d+(?:e[+-]?\\d+)?'

// a sign after a colon, a comma or an exponent's e belongs to a number in the name, as in near:1,-0.5
const signInName = `(?<=[:,]\\s*(?:[+-]?(?:\\d+\\.?\\d*|\\.\\d+)e)?)[+-]`

const termPattern = new RegExp(`\\s*([+-])?\\s*(?:(${number})\\s*\\*\\s*)?([a-z](?:[^+*-]|${signInName})*)`, 'iy')

/**
 * A sum as its terms: `a - 0.5 * b` is `[[1, 'a'], [-0.5, 'b']]`. Left: what is no sum, and where it goes wrong, or a weight that f32 does not
 * hold.
 *
 * @category parsing
 * @since 0.1.0
 */
export const parseSum = (text: string): E.Either<DocumentError, ReadonlyArray<Term<string>>> => {
  const terms: Array<Term<string>> = []
  let at = 0
  while (at < text.trimEnd().length || terms.length === 0) {
    termPattern.lastIndex = at
    const [whole, sign, weight, name] = termPattern.exec(text) ?? []
    const size = Number(weight ?? 1)
    // a name ends before a sign or a star, so all but the first term have a sign
    if (whole === undefined || name === undefined) {
      return E.left({
        ...fault('reward', 'a sum of rewards such as a + 0.5 * b', text, 'write [number *] name, joined by + or -'),
        got: `${JSON.stringify(text)}, at ${JSON.stringify(text.slice(at))}`
      })
    }
    if (!Number.isFinite(Math.fround(size))) {
      return E.left({
        ...fault('reward', 'weights that are finite in f32, at most 3.4e38', undefined, 'write a smaller one'),
        got: `${weight ?? 1} * ${name.trim()}`
      })
    }
    terms.push([sign === '-' ? -size : size, name.trim()])
    at += whole.length
  }
  return E.right(terms)
}

// -------------------------------------------------------------------------------------
// finding
// -------------------------------------------------------------------------------------

/**
 * The names that a shelf has, for a person.
 *
 * @category utils
 * @since 0.1.0
 */
export const showNames = ({ named, pattern }: Shelf): string =>
  [...named.keys()].join(', ') + (pattern === undefined ? '' : `, or ${pattern.about}`)

const find =
  (shelf: Shelf) =>
  (name: string): E.Either<DocumentError, Named> => {
    const known = shelf.named.get(name)
    if (known !== undefined) return E.right(known())
    return pipe(
      O.fromNullable(shelf.pattern),
      O.flatMap(({ find: match }) => match(name)),
      O.getOrElse(() =>
        E.left(
          fault(
            'reward',
            showNames(shelf),
            name,
            `the nearest are ${nearest(name, [...shelf.named.keys()]).join(', ')}`
          )
        )
      )
    )
  }

/**
 * The reward of a name, or of a sum of names. A sum is differentiable unless a black box is among its terms; then no term may
 * look at the condition. Left: a name that is no reward, with the nearest that are, or what is no sum.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const reward =
  (self: Shelf) =>
  (text: string): E.Either<DocumentError, Reward<Params, Outputs, Rows<number>>> =>
    pipe(
      // a name may be that of a file, which is no sum
      self.named.has(text) ? E.right<DocumentError, ReadonlyArray<Term<string>>>([[1, text]]) : parseSum(text),
      E.flatMap(
        RA.traverse(E.Applicative)(([weight, name]) =>
          pipe(
            find(self)(name),
            E.map((found): Term<Named> => [weight / (self.scales?.get(name) ?? 1), found])
          )
        )
      ),
      E.flatMap(sum)
    )

const sum = (terms: ReadonlyArray<Term<Named>>): E.Either<DocumentError, Reward<Params, Outputs, Rows<number>>> => {
  const [first] = terms
  if (terms.length === 1 && first?.[0] === 1) {
    const { reward: only } = first[1]
    return E.right(only._tag === 'BlackBox' ? only : erased(only))
  }
  const differentiable = terms.flatMap(
    ([weight, found]): ReadonlyArray<Term<AnyDifferentiable<Outputs, Rows<number>>>> =>
      found._tag === 'Opaque' ? [] : [[weight, found.reward]]
  )
  if (differentiable.length === terms.length) return E.right(erased(weighted(differentiable)))
  const unprompted = terms.flatMap(
    ([weight, found]): ReadonlyArray<Term<AnyDifferentiable<Outputs, Exprs> | BlackBox>> =>
      found._tag === 'Prompted' ? [] : [[weight, found.reward]]
  )
  return unprompted.length === terms.length
    ? E.right(weighted(unprompted))
    : E.left({
        ...fault(
          'reward',
          'a sum whose terms do not look at the prompt, since a black box is among them',
          undefined,
          'leave one of the two out'
        ),
        got: terms.flatMap(([, found]) => (found._tag === 'Prompted' ? [found.reward.name] : [])).join(', ')
      })
}

/** Forgets which parameters: programs build the tree that `shapes` declares, which is what the lens takes. */
const erased = (one: AnyDifferentiable<Outputs, Rows<number>>): Differentiable<Params, Outputs, Rows<number>> =>
  one as unknown as Differentiable<Params, Outputs, Rows<number>>
