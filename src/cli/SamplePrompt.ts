/**
 * Prompts as the conditions of samples, a row each.
 *
 * A prompt may allow several values of an attribute, as "a hat" does. Networks are trained on one value or none, so each
 * row is given one of those that are allowed, drawn with the odds that they have in the vocabulary: as the model's samples
 * without that attribute in the prompt would be, were those kept that have one of the values.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as Faces from '../model/Faces.js'
import * as Text from '../model/Text.js'
import * as TextCondition from '../model/TextCondition.js'
import { slots, type Slot } from '../model/TextVocabulary.js'
import * as Draw from '../random/Draw.js'
import * as Key from '../random/Key.js'
import type { Tensor } from '../tensor/Tensor.js'

/** The odds of a slot's value: an attribute's probability; a motion is as likely as another. */
const odds = (slot: Slot, value: string): number => {
  const attribute = Faces.attributeNames.find((name) => name === slot)
  if (attribute === undefined) return 1
  return Faces.vocabulary[attribute].find(({ name }) => name === value)?.probability ?? 0
}

/** The value at a uniform number in [0, 1), by the inverse of the cumulative odds. */
const chosen = (slot: Slot, values: ReadonlyArray<string>, uniform: number): ReadonlyArray<string> => {
  const level = uniform * values.reduce((sum, value) => sum + odds(slot, value), 0)
  let sum = 0
  const found = values.find((value) => {
    sum += odds(slot, value)
    return level < sum
  })
  // the sum may fall short of itself by rounding: past it lies the last value
  return found === undefined ? values.slice(-1) : [found]
}

/**
 * The condition `[count, labels]` of a prompt for a model of `labels` labels: of faces, or of clips of faces. A row's choice
 * depends on the key, the attribute and the row only, so prompts that share an attribute's values share the choices too.
 * Left, in words: a text that is no prompt, or that such a model cannot be told.
 *
 * @category constructors
 * @since 0.1.0
 */
export const conditions =
  (labels: number, key: Key.Key, count: number) =>
  (text: string): E.Either<string, Tensor> => {
    const code = (prompt: Text.Prompt): E.Either<Text.TextError, ReadonlyArray<number>> =>
      labels === TextCondition.clipLabelWidth
        ? E.right(TextCondition.clipCondition(prompt))
        : TextCondition.imageCondition(prompt)
    return pipe(
      Text.parse(text),
      E.bindTo('prompt'),
      E.bind('whole', ({ prompt }) => code(prompt)),
      E.bindW('rows', ({ prompt }) => {
        const uniforms = slots.flatMap((slot) => {
          const values = prompt[slot]
          if (values === undefined || values.length < 2) return []
          return [{ slot, values, draws: Draw.uniform(Key.foldInString(key, slot), [count]).data }]
        })
        return pipe(
          Array.from({ length: count }, (_, row) => row),
          E.traverseArray((row) =>
            code({
              ...prompt,
              ...Object.fromEntries(
                uniforms.map(({ slot, values, draws }) => [slot, chosen(slot, values, draws[row] ?? 0)])
              )
            })
          )
        )
      }),
      E.mapLeft((error) => Text.showError(error).replace(/^prompt: /, '')),
      E.flatMap(({ whole, rows }): E.Either<string, Tensor> => {
        if (whole.length !== labels && whole.some((x) => x !== 0)) {
          const expected = `expected a model with the ${whole.length} labels of faces`
          return E.left(`${expected}, got one with ${labels}; leave it out`)
        }
        const data = new Float32Array(count * labels)
        // a model of other labels is told nothing
        if (whole.length === labels) rows.forEach((row, i) => data.set(row, i * labels))
        return E.right({ shape: [count, labels], data })
      })
    )
  }
