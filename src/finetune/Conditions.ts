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
import * as Faces from '../model/Faces.js'
import { prompts } from '../model/Prompts.js'
import * as Text from '../model/Text.js'
import * as TextCondition from '../model/TextCondition.js'
import { slots, type Slot } from '../model/TextVocabulary.js'
import * as Draw from '../random/Draw.js'
import * as Key from '../random/Key.js'
import type { Tensor } from '../tensor/Tensor.js'
import type { Config, ConfigError } from './Config.js'
import type { Conditions } from './Finetune.js'

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

/**
 * The condition `[count, labels]` of a prompt for a model of `labels` labels: of faces, or of clips of faces. A row's choice
 * depends on the key, the attribute and the row only, so prompts that share an attribute's values share the choices too.
 * Left, in words: a text that is no prompt, or that such a model cannot be told.
 *
 * @category constructors
 * @since 0.1.0
 */
export const ofPrompt =
  (labels: number, key: Key.Key, count: number) =>
  (text: string): E.Either<string, Tensor> => {
    const code = codeOf(labels)
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
      E.mapLeft(inWords),
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
  (labels: number, named: number): Conditions =>
  (key, n) => {
    const ofFaces = prompts(named)(key, n)
    if (labels === Faces.labelWidth) return ofFaces
    const c = new Float32Array(n * labels)
    if (labels !== TextCondition.clipLabelWidth) return { c: { shape: [n, labels], data: c } }
    const faces = ofFaces['c']?.data ?? new Float32Array(n * Faces.labelWidth)
    const moves = motions(named, key, n)
    const rest = labels - Faces.labelWidth
    for (let row = 0; row < n; row++) {
      c.set(faces.subarray(row * Faces.labelWidth, (row + 1) * Faces.labelWidth), row * labels)
      c.set(moves.subarray(row * rest, (row + 1) * rest), row * labels + Faces.labelWidth)
    }
    return { c: { shape: [n, labels], data: c } }
  }

const wrong = (path: string, got: string, remedy: string): ConfigError => ({
  _tag: 'ConfigError',
  path,
  expected: 'a prompt that the model can be told',
  got,
  remedy
})

/**
 * The conditions of a configuration's samples, for a model of `labels` labels: its prompt, or drawn ones. Left: a text that
 * is no prompt, or that such a model cannot be told.
 *
 * @category constructors
 * @since 0.1.0
 */
export const ofConfig = (
  { prompt, prompts: named }: Pick<Config, 'prompt' | 'prompts'>,
  labels: number
): E.Either<ConfigError, Conditions> => {
  if (prompt.trim() === '') return E.right(drawn(labels, named))
  const rows = (key: Key.Key, n: number): E.Either<string, Tensor> => ofPrompt(labels, key, n)(prompt)
  return pipe(
    rows(Key.make(0), 1),
    E.bimap(
      (reason) => wrong('prompt', JSON.stringify(prompt), reason),
      (): Conditions => (key, n) => ({
        c: pipe(
          rows(key, n),
          // it was right for one row
          E.getOrElse((): Tensor => ({ shape: [n, labels], data: new Float32Array(n * labels) }))
        )
      })
    )
  )
}

/**
 * The condition `[labels]` of each stage's text, those of `prompt` where it is empty; none where all are. Several values of one
 * attribute have equal shares. Left: the first text that is no prompt.
 *
 * @category constructors
 * @since 0.1.0
 */
export const ofStages = (
  { prompt, stages }: Pick<Config, 'prompt' | 'stages'>,
  labels: number
): E.Either<ConfigError, Readonly<Record<keyof Config['stages'], ReadonlyArray<number>>> | undefined> => {
  const code = (name: keyof Config['stages']): E.Either<ConfigError, ReadonlyArray<number>> =>
    pipe(
      Text.parse(stages[name].trim() === '' ? prompt : stages[name]),
      E.flatMap(codeOf(labels)),
      E.mapLeft((error) => wrong(`stages.${name}`, JSON.stringify(stages[name]), inWords(error)))
    )
  return Object.values(stages).every((text) => text.trim() === '')
    ? E.right(undefined)
    : pipe(
        E.Do,
        E.bind('coarse', () => code('coarse')),
        E.bind('mid', () => code('mid')),
        E.bind('fine', () => code('fine'))
      )
}
