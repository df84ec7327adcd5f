/**
 * Prompts as the conditions of samples, a row each: one text for all, or drawn.
 *
 * A prompt may allow several values of an attribute, as "a hat" does. Networks are trained on one value or none, so each
 * row is given one of those that are allowed, drawn with the odds that they have in the vocabulary: as the model's samples
 * without that attribute in the prompt would be, were those kept that have one of the values.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as Faces from './Faces.js'
import { prompts } from './Prompts.js'
import * as Text from './text/Text.js'
import * as TextCondition from './text/Condition.js'
import { slots, type Slot, valuesOf } from './text/Words.js'
import * as Draw from 'halforder/random/Draw'
import * as Key from 'halforder/random/Key'
import type { Language } from 'halforder/training/Conditions'

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

const codeOf =
  (labels: number) =>
  (prompt: Text.Prompt): E.Either<Text.TextError, ReadonlyArray<number>> =>
    labels === TextCondition.clipLabelWidth
      ? E.right(TextCondition.clipCondition(prompt))
      : TextCondition.imageCondition(prompt)

const inWords = (error: Text.TextError): string => Text.showError(error).replace(/^prompt: /, '')

/** The prompt of each row: of several values of a slot it has one, which depends on the key, the slot and the row only. */
const decided = (prompt: Text.Prompt, key: Key.Key, count: number): ReadonlyArray<Text.Prompt> => {
  const open = slots.flatMap((slot) => {
    const values = prompt[slot]
    if (values === undefined || values.length < 2) return []
    return [{ slot, values, draws: Draw.uniform(Key.foldInString(key, slot), [count]).data }]
  })
  return Array.from({ length: count }, (_, row) => ({
    ...prompt,
    ...Object.fromEntries(open.map(({ slot, values, draws }) => [slot, chosen(slot, values, draws[row] ?? 0)]))
  }))
}

/** Random motions, one in each row where it is named, for models of clips. */
const motions = (named: number, key: Key.Key, n: number): Float32Array => {
  const width = TextCondition.clipLabelWidth - Faces.labelWidth
  const out = new Float32Array(n * width)
  const kept = Draw.uniform(Key.foldInString(key, 'motion named'), [n]).data
  const which = Draw.uniform(Key.foldInString(key, 'motion'), [n]).data
  for (let row = 0; row < n; row++) {
    if ((kept[row] ?? 0) < named) out[row * width + Math.floor((which[row] ?? 0) * width)] = 1
  }
  return out
}

/** Drawn prompts for a model of `labels` labels: faces' attributes, and motions where it has clips. */
const drawn =
  (labels: number): Language['draw'] =>
  (named) =>
  (key, n) => {
    const faces = prompts(named)(key, n)
    if (labels === Faces.labelWidth) return faces
    const c = new Float32Array(n * labels)
    if (labels !== TextCondition.clipLabelWidth) return { shape: [n, labels], data: c }
    const moves = motions(named, key, n)
    const rest = labels - Faces.labelWidth
    for (let row = 0; row < n; row++) {
      c.set(faces.data.subarray(row * Faces.labelWidth, (row + 1) * Faces.labelWidth), row * labels)
      c.set(moves.subarray(row * rest, (row + 1) * rest), row * labels + Faces.labelWidth)
    }
    return { shape: [n, labels], data: c }
  }

/** What a condition asks for: of each slot the values with a share. */
const promptOf = (given: ReadonlyArray<number>): Text.Prompt =>
  Object.fromEntries(
    slots.flatMap((slot, i) => {
      const offset = slots.slice(0, i).reduce((sum, before) => sum + valuesOf(before).length, 0)
      const named = valuesOf(slot).filter((_, at) => (given[offset + at] ?? 0) > 0)
      return named.length === 0 ? [] : [[slot, named]]
    })
  )

/**
 * The language of a model of `labels` labels: of faces, or of clips of faces. A row's choice among several values depends on the
 * key, the attribute and the row only, so prompts that share an attribute's values share the choices too. A model of other labels
 * can be told nothing.
 *
 * @category constructors
 * @since 0.1.0
 */
export const language = (labels: number): Language => {
  const code = codeOf(labels)
  return {
    labels,
    draw: drawn(labels),
    words: (given) => (given.some((x) => x > 0) ? TextCondition.show(promptOf(given)) : ''),
    parse: (text) =>
      pipe(
        Text.parse(text),
        E.bindTo('prompt'),
        E.bind('whole', ({ prompt }) => code(prompt)),
        E.mapLeft(inWords),
        E.flatMap(({ prompt, whole }) => {
          const known = whole.length === labels
          if (!known && whole.some((x) => x !== 0)) {
            const expected = `expected a model with the ${whole.length} labels of faces`
            return E.left(`${expected}, got one with ${labels}; leave it out`)
          }
          return E.right({
            code: known ? whole : new Array<number>(labels).fill(0),
            rows: (key, count) => {
              const data = new Float32Array(count * labels)
              if (known)
                decided(prompt, key, count).forEach((one, row) =>
                  // a prompt that can be said whole can be said with fewer values
                  data.set(
                    pipe(
                      code(one),
                      E.getOrElse(() => whole)
                    ),
                    row * labels
                  )
                )
              return { shape: [count, labels], data }
            }
          })
        })
      )
  }
}
