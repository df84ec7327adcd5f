/**
 * Faces as attributes: choosing them, the one-hot code in which a network reads them, and words for people.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as t from 'io-ts'
import type { Span } from 'halforder/lens/Columns'
import { type Tensor } from 'halforder/tensor/Tensor'
import { type AttributeName, attributeNames, type Attributes, type ValueName, vocabulary } from './Vocabulary.js'

export { type AttributeName, attributeNames, type Attributes, type ValueName, vocabulary } from './Vocabulary.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * What can be wrong with numbers that are to become attributes: a tensor of the wrong shape, or a number outside its
 * range.
 *
 * @category model
 * @since 0.1.0
 */
export type FacesError =
  | {
      readonly _tag: 'WrongShape'
      readonly what: string
      readonly expected: string
      readonly got: string
      readonly remedy: string
    }
  | {
      readonly _tag: 'OutOfRange'
      readonly row: number
      readonly attribute: AttributeName
      readonly got: number
    }

// -------------------------------------------------------------------------------------
// the one-hot code
// -------------------------------------------------------------------------------------

const countValues = (attribute: AttributeName): number => vocabulary[attribute].length

/**
 * The place of each attribute in the one-hot code.
 *
 * @category utils
 * @since 0.1.0
 */
export const block = (attribute: AttributeName): Span => ({
  offset: attributeNames
    .slice(0, attributeNames.indexOf(attribute))
    .reduce((total, previous) => total + countValues(previous), 0),
  width: countValues(attribute)
})

/**
 * The width of the one-hot code: the number of values of all attributes, 34.
 *
 * @category utils
 * @since 0.1.0
 */
export const labelWidth: number = attributeNames.reduce((total, attribute) => total + countValues(attribute), 0)

/**
 * The number of faces that differ in some attribute, 46,080.
 *
 * @category utils
 * @since 0.1.0
 */
export const combinations: number = attributeNames.reduce((total, attribute) => total * countValues(attribute), 1)

// A generic index into the tuple widens to `Value | undefined`. The cast holds because `index` is clamped to the tuple,
// whose entries are by definition what `ValueName<A>` names.
const nameAt = <A extends AttributeName>(attribute: A, index: number): ValueName<A> =>
  vocabulary[attribute][Math.min(Math.max(index, 0), countValues(attribute) - 1)]?.name as ValueName<A>

const fromIndices = (indexFor: (attribute: AttributeName) => number): Attributes => ({
  skin: nameAt('skin', indexFor('skin')),
  hair: nameAt('hair', indexFor('hair')),
  hairColor: nameAt('hairColor', indexFor('hairColor')),
  glasses: nameAt('glasses', indexFor('glasses')),
  hat: nameAt('hat', indexFor('hat')),
  beard: nameAt('beard', indexFor('beard')),
  mouth: nameAt('mouth', indexFor('mouth')),
  clothing: nameAt('clothing', indexFor('clothing'))
})

/**
 * Where some values of an attribute lie in its span, in the order of the vocabulary; those that it does not have are left out.
 *
 * @category utils
 * @since 0.1.0
 */
export const positions = (attribute: AttributeName, values: ReadonlyArray<string>): ReadonlyArray<number> =>
  vocabulary[attribute].flatMap(({ name }, i) => (values.includes(name) ? [i] : []))

/**
 * The numbers of a face's picture: 16 x 16 pixels of three colors.
 *
 * @category utils
 * @since 0.1.0
 */
export const features = 768

/**
 * The one-hot code of a face: for each attribute a block with one 1 and zeros, `labelWidth` numbers in all.
 *
 * @category combinators
 * @since 0.1.0
 */
export const encode = (attributes: Attributes): ReadonlyArray<number> =>
  attributeNames.flatMap((attribute) =>
    vocabulary[attribute].map((value) => (value.name === attributes[attribute] ? 1 : 0))
  )

/**
 * The face that a row of scores names: in each attribute's block the value of the greatest score, the first of equals.
 * Inverts `encode`, and reads a classifier's logits. Left unless there are `labelWidth` scores.
 *
 * @category combinators
 * @since 0.1.0
 */
export const decode = (scores: ArrayLike<number>): E.Either<FacesError, Attributes> =>
  scores.length === labelWidth
    ? E.right(fromIndices((attribute) => greatest(scores, block(attribute))))
    : E.left({
        _tag: 'WrongShape',
        what: 'scores',
        expected: `[${labelWidth}]`,
        got: `[${scores.length}]`,
        remedy: 'pass one score for each value of the vocabulary'
      })

const greatest = (scores: ArrayLike<number>, { offset, width }: Span): number => {
  let best = 0
  for (let i = 1; i < width; i++) if ((scores[offset + i] ?? 0) > (scores[offset + best] ?? 0)) best = i
  return best
}

// -------------------------------------------------------------------------------------
// sampling
// -------------------------------------------------------------------------------------

/**
 * Faces from uniform numbers in [0, 1): a tensor `[N, 8]`, one row for a face and one column for an attribute in the
 * order of `attributeNames`. Each number picks its value through the inverse of the attribute's cumulative
 * distribution, so independent uniforms give independent attributes with the probabilities of the vocabulary.
 *
 * Left when the shape differs or a number is outside [0, 1).
 *
 * @category constructors
 * @since 0.1.0
 */
export const sample = (uniforms: Tensor): E.Either<FacesError, ReadonlyArray<Attributes>> => {
  const columns = attributeNames.length
  if (uniforms.shape.length !== 2 || uniforms.shape[1] !== columns) {
    return E.left({
      _tag: 'WrongShape',
      what: 'uniforms',
      expected: `[N, ${columns}]`,
      got: `[${uniforms.shape.join(', ')}]`,
      remedy: 'pass one number for each attribute'
    })
  }
  const offending = uniforms.data.findIndex((u: number) => !(u >= 0 && u < 1))
  return offending >= 0
    ? E.left({
        _tag: 'OutOfRange',
        row: Math.floor(offending / columns),
        attribute: attributeNames[offending % columns] ?? 'skin',
        got: uniforms.data[offending] ?? Number.NaN
      })
    : E.right(
        Array.from({ length: uniforms.shape[0] ?? 0 }, (_, row) =>
          fromIndices((attribute) =>
            quantile(attribute, uniforms.data[row * columns + attributeNames.indexOf(attribute)] ?? 0)
          )
        )
      )
}

// The sum of the probabilities can fall short of one by rounding: past it lies the last value.
const quantile = (attribute: AttributeName, uniform: number): number => {
  let cumulative = 0
  const found = vocabulary[attribute].findIndex((value) => {
    cumulative += value.probability
    return uniform < cumulative
  })
  return found < 0 ? countValues(attribute) - 1 : found
}

// -------------------------------------------------------------------------------------
// interpreters
// -------------------------------------------------------------------------------------

/**
 * A face in words.
 *
 * @example
 * import { Faces } from 'halforder/model'
 *
 * Faces.describe({
 *   skin: 'tan', hair: 'bob', hairColor: 'blue', glasses: 'round', hat: 'none', beard: 'full', mouth: 'happy',
 *   clothing: 'red'
 * }) // 'a happy face with tan skin, blue bob hair, round glasses and a full beard, in red clothes'
 *
 * @category interpreters
 * @since 0.1.0
 */
export const describe = (attributes: Attributes): string => {
  const parts = [
    `${attributes.skin} skin`,
    `${attributes.hairColor} ${attributes.hair} hair`,
    ...(attributes.glasses === 'none' ? [] : [`${attributes.glasses} glasses`]),
    ...(attributes.hat === 'none' ? [] : [`a ${attributes.hat}`]),
    ...(attributes.beard === 'none' ? [] : [`a ${attributes.beard} beard`])
  ]
  return `a ${attributes.mouth} face with ${parts.slice(0, -1).join(', ')} and ${parts.slice(-1).join('')}, in ${attributes.clothing} clothes`
}

/**
 * One line for a person: what, expected, got, what to do.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const showError = (error: FacesError): string => {
  switch (error._tag) {
    case 'WrongShape':
      return `${error.what}: expected the shape ${error.expected}, got ${error.got}; ${error.remedy}`
    case 'OutOfRange':
      return `uniforms[${error.row}, "${error.attribute}"]: expected a number in [0, 1), got ${error.got}; draw it with a uniform generator`
  }
}

// -------------------------------------------------------------------------------------
// instances
// -------------------------------------------------------------------------------------

const valueCodec = <A extends AttributeName>(attribute: A): t.Type<ValueName<A>, string, unknown> => {
  const names = vocabulary[attribute].map((value) => value.name)
  return new t.Type<ValueName<A>, string, unknown>(
    attribute,
    (u): u is ValueName<A> => names.some((name) => name === u),
    (u, context) =>
      pipe(
        names.findIndex((name) => name === u),
        (index) =>
          index >= 0
            ? t.success(nameAt(attribute, index))
            : t.failure(
                u,
                context,
                `${JSON.stringify(u)} is no value of "${attribute}": use one of ${names.join(', ')}`
              )
      ),
    t.identity
  )
}

/**
 * Decodes a face that comes from outside: a record with a value's name for each attribute.
 *
 * @category instances
 * @since 0.1.0
 */
export const AttributesCodec: t.Type<Attributes, Readonly<Record<AttributeName, string>>, unknown> = t.type(
  {
    skin: valueCodec('skin'),
    hair: valueCodec('hair'),
    hairColor: valueCodec('hairColor'),
    glasses: valueCodec('glasses'),
    hat: valueCodec('hat'),
    beard: valueCodec('beard'),
    mouth: valueCodec('mouth'),
    clothing: valueCodec('clothing')
  },
  'Attributes'
)
