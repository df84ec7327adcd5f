/**
 * Prompts as the numbers that networks read, and back as faces and as words.
 *
 * A network is trained on conditions in which an attribute is one-hot or open (zeros). A prompt that allows several values of an
 * attribute, as "a hat" does, gives equal shares to them: a point between the values that training has seen, and not a
 * value drawn from them. Name a value where that matters.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import type { Tensor } from 'halforder/tensor/Tensor'
import * as Faces from '../Faces.js'
import * as Text from './Text.js'
import type { Prompt, TextError } from './Text.js'
import { motions, slots, type Slot, valuesOf } from './Words.js'

// -------------------------------------------------------------------------------------
// conditions
// -------------------------------------------------------------------------------------

/**
 * The width of a clip's condition: that of a face's, and one for each motion, 37.
 *
 * @category constants
 * @since 0.1.0
 */
export const clipLabelWidth: number = Faces.labelWidth + motions.length

const codeOf = (prompt: Prompt, over: ReadonlyArray<Slot>): ReadonlyArray<number> =>
  over.flatMap((slot) => {
    const named = prompt[slot] ?? []
    return valuesOf(slot).map((value) => (named.includes(value) ? 1 / named.length : 0))
  })

/**
 * The condition of an image model, `labelWidth` numbers: equal shares for the values that are allowed, zeros for what is
 * open. Left: the prompt names a motion.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const imageCondition = (prompt: Prompt): E.Either<TextError, ReadonlyArray<number>> =>
  prompt.motion === undefined
    ? E.right(codeOf(prompt, Faces.attributeNames))
    : E.left({ _tag: 'Moving', motion: prompt.motion })

/**
 * The condition of a clip model, `clipLabelWidth` numbers: the image's, then the shares of blink, smile and move.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const clipCondition = (prompt: Prompt): ReadonlyArray<number> => codeOf(prompt, slots)

/**
 * One condition for each row of a batch: `[rows, width]`, in f32.
 *
 * @category constructors
 * @since 0.1.0
 */
export const repeated = (condition: ReadonlyArray<number>, rows: number): Tensor => {
  const data = new Float32Array(rows * condition.length)
  for (let row = 0; row < rows; row++) data.set(condition, row * condition.length)
  return { shape: [rows, condition.length], data }
}

/**
 * The conditions of texts, one for each stage of a chain of thought: `{ coarse, mid, fine }` to three conditions of an image
 * model. Each stands alone: what `fine` does not say is open there. Left: the first text that is wrong, by its name.
 *
 * @example
 * import { TextCondition } from 'halforder/model'
 *
 * TextCondition.stages({ coarse: 'a face', mid: 'a face with a hat', fine: 'a smiling face with a red hat' })
 *
 * @category interpreters
 * @since 0.1.0
 */
export const stages = <K extends string>(
  texts: Readonly<Record<K, string>>
): E.Either<TextError, Readonly<Record<K, ReadonlyArray<number>>>> =>
  pipe(
    Text.parseEach(texts),
    E.flatMap((prompts) =>
      Object.entries<Prompt>(prompts).reduce<E.Either<TextError, Readonly<Record<string, ReadonlyArray<number>>>>>(
        (found, [part, prompt]) =>
          pipe(
            found,
            E.flatMap((conditions) =>
              pipe(
                imageCondition(prompt),
                E.bimap(
                  (error): TextError => ({ _tag: 'InPart', part, error }),
                  (condition) => ({ ...conditions, [part]: condition })
                )
              )
            )
          ),
        E.right({})
      )
    ),
    // the keys are those of `texts`
    E.map((conditions) => conditions as Readonly<Record<K, ReadonlyArray<number>>>)
  )

// -------------------------------------------------------------------------------------
// faces
// -------------------------------------------------------------------------------------

/**
 * The face of a text that describes a whole one, as `Faces.describe` writes it: glasses, hat and beard that are not mentioned
 * are absent. Left: another attribute is open, or has more than one value.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const face = (text: string): E.Either<TextError, Faces.Attributes> =>
  pipe(
    Text.parse(text),
    E.map((prompt) => ({ glasses: ['none'], hat: ['none'], beard: ['none'], ...prompt })),
    E.flatMap((prompt) =>
      pipe(
        imageCondition(prompt),
        E.flatMap((condition) => {
          const several = Faces.attributeNames.filter((attribute) => prompt[attribute]?.length !== 1)
          return several.length > 0
            ? E.left<TextError, Faces.Attributes>({ _tag: 'Incomplete', open: several })
            : pipe(
                Faces.decode(condition),
                E.mapLeft((): TextError => ({ _tag: 'Incomplete', open: Faces.attributeNames }))
              )
        })
      )
    )
  )

/**
 * The prompt that names every attribute of a face.
 *
 * @category constructors
 * @since 0.1.0
 */
export const ofFace = (attributes: Faces.Attributes): Prompt =>
  Object.fromEntries(Faces.attributeNames.map((attribute) => [attribute, [attributes[attribute]]]))

// -------------------------------------------------------------------------------------
// words
// -------------------------------------------------------------------------------------

const phrases: { readonly [S in Slot]: (value: string) => string } = {
  skin: (value) => `${value} skin`,
  hair: (value) => `${value} hair`,
  hairColor: (value) => `${value} hair`,
  glasses: (value) => `${value} glasses`,
  hat: (value) => value,
  beard: (value) => `${value} beard`,
  mouth: (value) => `${value} mouth`,
  clothing: (value) => `${value} clothes`,
  motion: (value) => (value === 'smile' ? 'starts to smile' : value === 'blink' ? 'blinks' : 'moves')
}

const nouns: { readonly [S in Slot]?: string } = { glasses: 'glasses', hat: 'hat', beard: 'beard' }

/**
 * A prompt in words that `Text.parse` reads as the same prompt.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const show = (prompt: Prompt): string => {
  const parts = slots.flatMap((slot) => {
    const named = prompt[slot]
    return named === undefined ? [] : said(slot, named)
  })
  return parts.length === 0 ? 'a face' : `a face with ${parts.join(', ')}`
}

const said = (slot: Slot, named: ReadonlyArray<string>): ReadonlyArray<string> => {
  const noun = nouns[slot] ?? ''
  const phrase = phrases[slot]
  const [only] = named
  if (named.length === 1 && only !== undefined) return [only === 'none' ? `no ${noun}` : phrase(only)]
  const denied = slot === 'motion' ? 'not' : 'no'
  return valuesOf(slot)
    .filter((value) => !named.includes(value))
    .map((value) => (value === 'none' ? noun : `${denied} ${phrase(value)}`))
}
