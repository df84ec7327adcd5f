import * as E from 'fp-ts/lib/Either.js'
import { describe, expect, it } from 'vitest'
import { language } from '../../../../cli/tasks/faces/Conditions.js'
import * as Faces from '../../../../cli/tasks/faces/Faces.js'
import * as TextCondition from '../../../../cli/tasks/faces/text/Condition.js'
import * as Key from '../../../../src/random/Key.js'
import type { Tensor } from '../../../../src/tensor/Tensor.js'
import { get } from '../../../network/adjoint.js'

const key = Key.make(2)
const stills = language(Faces.labelWidth)
const clips = language(TextCondition.clipLabelWidth)

const listed = ({ shape: [count = 0, width = 0], data }: Tensor): ReadonlyArray<ReadonlyArray<number>> =>
  Array.from({ length: count }, (_, i) => Array.from(data.subarray(i * width, (i + 1) * width)))

const rows = (text: string, count: number, from = stills): ReadonlyArray<ReadonlyArray<number>> => {
  const told = get(from.parse(text)).rows(key, count)
  expect(told.shape).toEqual([count, from.labels])
  return listed(told)
}

describe('the conditions of a text', () => {
  it('give each row one of the values that a prompt allows, with the odds of the vocabulary', () => {
    const count = 4000
    const { offset } = Faces.block('hat')
    const hats = rows('a face with a hat', count).map((row) => row.slice(offset, offset + 4).indexOf(1))
    const share = (hat: number): number => hats.filter((one) => one === hat).length / count
    expect(share(0)).toBe(0)
    // 0.1, 0.05 and 0.1 of a quarter; the deviation of a share is below 0.008, and 5 of them are a chance of 1e-6
    const expected = [0.4, 0.2, 0.4]
    expected.forEach((p, i) => expect(Math.abs(share(i + 1) - p)).toBeLessThan(0.04))
  })

  it('choose alike under all prompts and counts, and say the rest as it is', () => {
    const [few, many] = [rows('a hat', 3), rows('a hat and blue hair', 5)]
    const { offset } = Faces.block('hairColor')
    const blue = offset + Faces.vocabulary.hairColor.findIndex(({ name }) => name === 'blue')
    expect(many.slice(0, 3).map((row) => row.map((x, i) => (i === blue ? 0 : x)))).toEqual(few)
    expect(many.map((row) => row[blue])).toEqual([1, 1, 1, 1, 1])
    expect(
      rows('', 2)
        .flat()
        .every((x) => x === 0)
    ).toBe(true)
  })

  it('can be said in words again, which ask for the same', () => {
    for (const [language, text] of [
      [stills, 'a happy face with blue hair, without glasses'],
      [stills, 'a hat'],
      [clips, 'a face with dark glasses that blinks']
    ] as const) {
      for (const code of rows(text, 3, language)) {
        const words = language.words?.(code) ?? ''
        expect([words, get(language.parse(words)).code]).toEqual([words, code])
      }
    }
    expect(stills.words?.(new Array<number>(Faces.labelWidth).fill(0))).toBe('')
  })

  it('share the choices that it leaves open among the values, in the code of a stage', () => {
    const { code } = get(stills.parse('a red or green hat'))
    const { offset } = Faces.block('hat')
    const named = Faces.vocabulary.hat.map(({ name }) => (name === 'red beanie' || name === 'green cap' ? 0.5 : 0))
    expect(code).toHaveLength(Faces.labelWidth)
    expect(code.slice(offset, offset + 4)).toEqual(named)
    expect(code.reduce((a, b) => a + b, 0)).toBe(1)
  })

  it('of clips know motions, which images do not have', () => {
    const motion = rows('a blinking face', 2, clips).map((row) => row.slice(Faces.labelWidth))
    expect(motion).toEqual([
      [1, 0, 0],
      [1, 0, 0]
    ])
    expect(stills.parse('a blinking face')).toEqual(
      E.left('expected an image, got the motion blink; remove it, or use a model of clips')
    )
  })

  it('of a model of other labels can only be open', () => {
    const other = language(3)
    expect(rows('', 2, other)).toEqual([
      [0, 0, 0],
      [0, 0, 0]
    ])
    expect(get(other.parse('')).code).toEqual([0, 0, 0])
    expect(other.parse('a hat')).toEqual(
      E.left('expected a model with the 34 labels of faces, got one with 3; leave it out')
    )
  })
})

describe('drawn conditions', () => {
  it.each<readonly [string, typeof stills]>([
    ['stills', stills],
    ['clips', clips]
  ])('of %s name one value of each attribute or none, as often as asked, whatever their number', (_, from) => {
    const count = 2000
    const all = listed(from.draw(0.3)(key, count))
    expect(listed(from.draw(0.3)(key, 7))).toEqual(all.slice(0, 7))
    const spans = [
      ...Faces.attributeNames.map(Faces.block),
      ...(from === clips ? [{ offset: Faces.labelWidth, width: 3 }] : [])
    ]
    for (const { offset, width } of spans) {
      const named = all.map((row) => row.slice(offset, offset + width).reduce((a, b) => a + b, 0))
      expect(named.every((sum) => sum === 0 || sum === 1)).toBe(true)
      // five standard errors of a share of 0.3
      const share = named.reduce((a, b) => a + b, 0) / count
      expect(Math.abs(share - 0.3)).toBeLessThan(5 * Math.sqrt((0.3 * 0.7) / count))
    }
  })

  it('of a model of other labels are open', () => {
    expect(listed(language(3).draw(1)(key, 2))).toEqual([
      [0, 0, 0],
      [0, 0, 0]
    ])
  })
})
