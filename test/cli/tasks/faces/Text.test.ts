import * as fc from 'fast-check'
import * as E from 'fp-ts/lib/Either.js'
import { describe, expect, test } from 'vitest'
import * as Faces from '../../../../cli/tasks/faces/Faces.js'
import { editDistance, nearest } from '../../../../src/document/Nearest.js'
import { seconds } from '../../../cost.js'
import * as Text from '../../../../cli/tasks/faces/text/Text.js'
import * as TextCondition from '../../../../cli/tasks/faces/text/Condition.js'
import { knownWords, slots, valuesOf } from '../../../../cli/tasks/faces/text/Words.js'

const drawn = <A>(result: E.Either<Text.TextError, A>): unknown =>
  E.isLeft(result) ? Text.showError(result.left) : result.right

const value = <A extends Faces.AttributeName>(attribute: A): fc.Arbitrary<Faces.ValueName<A>> =>
  fc.constantFrom(...Faces.vocabulary[attribute].map(({ name }) => name))

const face: fc.Arbitrary<Faces.Attributes> = fc.record({
  skin: value('skin'),
  hair: value('hair'),
  hairColor: value('hairColor'),
  glasses: value('glasses'),
  hat: value('hat'),
  beard: value('beard'),
  mouth: value('mouth'),
  clothing: value('clothing')
})

/** Every prompt: for each slot nothing, or a set of values that is neither empty nor everything. */
const prompt: fc.Arbitrary<Text.Prompt> = fc
  .tuple(...slots.map((slot) => fc.subarray([...valuesOf(slot)])))
  .map((sets) =>
    Object.fromEntries(
      slots.flatMap((slot, i) => {
        const set = sets[i] ?? []
        return set.length === 0 || set.length === valuesOf(slot).length ? [] : [[slot, set]]
      })
    )
  )

describe('parse', () => {
  test.each<readonly [string, Text.Prompt]>([
    ['', {}],
    ['a face', {}],
    [
      'a smiling face with blue hair, dark glasses and a hat',
      {
        mouth: ['happy'],
        hairColor: ['blue'],
        glasses: ['dark'],
        hat: ['red beanie', 'black top hat', 'green cap']
      }
    ],
    [
      'A sad PERSON wearing sunglasses and a black top hat.',
      { mouth: ['sad'], glasses: ['dark'], hat: ['black top hat'] }
    ],
    ['a blue mohawk', { hair: ['mohawk'], hairColor: ['blue'] }],
    ['long, ginger hair', { hair: ['long'], hairColor: ['ginger'] }],
    ['red hair and red clothes', { hairColor: ['ginger'], clothing: ['red'] }],
    ['a red or green hat', { hat: ['red beanie', 'green cap'] }],
    ['no glasses, a hat', { glasses: ['none'], hat: ['red beanie', 'black top hat', 'green cap'] }],
    ['no glasses or hat, a beard', { glasses: ['none'], hat: ['none'], beard: ['full'] }],
    ['without a hat and glasses, with a beard', { glasses: ['none'], hat: ['none'], beard: ['full'] }],
    ['a face that is not smiling', { mouth: ['sad'] }],
    ['a not smiling face with a cap', { mouth: ['sad'], hat: ['green cap'] }],

    ['a hat, no red hat', { hat: ['black top hat', 'green cap'] }],
    ['a clean-shaven face', { beard: ['none'] }],
    ['a blinking face with blue hair', { motion: ['blink'], hairColor: ['blue'] }],
    ['a sad face that starts to smile', { mouth: ['sad'], motion: ['smile'] }],
    ['a face that moves', { motion: ['move'] }],
    ['a face that smiles', { mouth: ['happy'] }]
  ])('%j', (text, expected) => expect(drawn(Text.parse(text))).toEqual(expected))

  test.each([
    ['a face with blu hair', 'prompt: expected a known word, got "blu"; the nearest are blue, bald, bob'],
    // of every object, and of no grammar
    ['constructor', 'prompt: expected a known word, got "constructor"; the nearest are portrait, mouth, nor'],
    [
      'a face that starts to constructor',
      'prompt: expected to smile, to blink or to move after "starts", got the end of the phrase; add or remove a word'
    ],
    ['blue hair and red hair', 'prompt: expected one hairColor, got blue and ginger; keep one of them'],
    ['no glasses, dark glasses', 'prompt: expected one glasses, got none and dark; keep one of them'],
    ['a blinking face that moves', 'prompt: expected one motion, got blink and move; keep one of them'],
    ['a blue cap', 'prompt: expected green before "cap", got "blue"; change or remove it'],
    ['a red smile', 'prompt: expected no adjective before "smile", got "red"; change or remove it'],
    [
      'dark',
      'prompt: expected a noun such as hair or glasses after "dark", got the end of the phrase; add or remove a word'
    ],
    [
      'a face that starts',
      'prompt: expected to smile, to blink or to move after "starts", got the end of the phrase; add or remove a word'
    ],
    [
      'without',
      'prompt: expected a noun such as glasses or hat after "no", got the end of the phrase; add or remove a word'
    ],
    [
      'glasses or a hat',
      'prompt: expected words that allow some values of each attribute, got "or"; put it between adjectives of one noun, as in "round or dark glasses"'
    ],
    [
      'red or hat',
      'prompt: expected words that allow some values of each attribute, got "or hat"; put an adjective between the two'
    ],
    [
      'blue or long hair',
      'prompt: expected words that allow some values of each attribute, got "or long hair"; "or" joins values of one attribute, and these are of hairColor and hair'
    ],
    [
      'no hair',
      'prompt: expected words that allow some values of each attribute, got "no hair"; it can not be left out'
    ],
    [
      'no long blue hair',
      'prompt: expected words that allow some values of each attribute, got "no hair"; deny one attribute at a time'
    ]
  ])('refuses %j: the whole text', (text, message) => expect(drawn(Text.parse(text))).toBe(message))

  test('any text is a prompt or an error, and a prompt has no empty and no full set', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.constantFrom(...knownWords, ','), fc.string())), (words) => {
        const result = Text.parse(words.join(' '))
        if (E.isLeft(result)) return
        for (const slot of slots) {
          const size = result.right[slot]?.length
          expect(size === undefined || (size > 0 && size < valuesOf(slot).length)).toBe(true)
        }
      })
    )
  })
})

describe('words', () => {
  test('the description of a face is read as that face', () => {
    fc.assert(
      fc.property(face, (attributes) => {
        expect(drawn(TextCondition.face(Faces.describe(attributes)))).toEqual(attributes)
      })
    )
  })

  test('so is that of every 11th of all faces', () => {
    const all = Faces.attributeNames.reduce<ReadonlyArray<Readonly<Record<string, string>>>>(
      (faces, attribute) =>
        faces.flatMap((one) => Faces.vocabulary[attribute].map(({ name }) => ({ ...one, [attribute]: name }))),
      [{}]
    )
    // 11 shares no factor with the numbers of values, so that every few values of attributes meet
    const wrong = all.filter((one, i) => {
      if (i % 11 !== 0) return false
      if (!Faces.AttributesCodec.is(one)) return true
      const read = TextCondition.face(Faces.describe(one))
      return E.isLeft(read) || Faces.attributeNames.some((attribute) => read.right[attribute] !== one[attribute])
    })
    expect(all.length).toBe(Faces.combinations)
    expect(wrong).toEqual([])
  })

  test('a prompt in words is read as that prompt', () => {
    fc.assert(
      fc.property(prompt, (said) => {
        expect(drawn(Text.parse(TextCondition.show(said)))).toEqual(said)
      })
    )
  })

  test('mutant: words that leave out the absent are caught', () => {
    const forgetful = (said: Text.Prompt): string => TextCondition.show(said).replaceAll('no glasses', 'a face')
    const check = fc.check(
      fc.property(prompt, (said) => {
        expect(drawn(Text.parse(forgetful(said)))).toEqual(said)
      })
    )
    expect(check.failed).toBe(true)
  })

  test('a face must be whole', () => {
    expect(drawn(TextCondition.face('a happy face with tan skin, blue hair and a hat, in red clothes'))).toBe(
      'prompt: expected a whole face, got none or several values of hair, hat; name one value of each'
    )
  })
})

describe('conditions', () => {
  test('of a whole face are its one-hot code', () => {
    fc.assert(
      fc.property(face, (attributes) => {
        expect(drawn(TextCondition.imageCondition(TextCondition.ofFace(attributes)))).toEqual(Faces.encode(attributes))
      })
    )
  })

  test('leave open what is not named, and share what is named loosely', () => {
    const code = drawn(E.flatMap(TextCondition.imageCondition)(Text.parse('a hat')))
    const { offset, width } = Faces.block('hat')
    expect(code).toEqual(Array.from({ length: 34 }, (_, i) => (i > offset && i < offset + width ? 1 / 3 : 0)))
  })

  test('of clips end with the motion; images have none', () => {
    const clip = E.map(TextCondition.clipCondition)(Text.parse('a smiling face that blinks'))
    expect(E.isRight(clip) ? clip.right.slice(34) : []).toEqual([1, 0, 0])
    expect(E.isRight(clip) ? clip.right.length : 0).toBe(TextCondition.clipLabelWidth)
    expect(drawn(E.flatMap(TextCondition.imageCondition)(Text.parse('a face that blinks')))).toBe(
      'prompt: expected an image, got the motion blink; remove it, or use a model of clips'
    )
  })

  test('of stages stand alone, and an error names its stage', () => {
    const three = TextCondition.stages({ coarse: 'a face', mid: 'a smile', fine: 'a beard' })
    expect(E.isRight(three) ? three.right.coarse : []).toEqual(new Array(34).fill(0))
    expect(E.isRight(three) ? [...three.right.mid, ...three.right.fine].filter((x) => x > 0) : []).toEqual([1, 1])
    expect(drawn(TextCondition.stages({ coarse: 'a face', fine: 'a fase' }))).toBe(
      'fine: prompt: expected a known word, got "fase"; the nearest are face, fair, has'
    )
    expect(drawn(TextCondition.stages({ coarse: 'a face', fine: 'a moving face' }))).toBe(
      'fine: prompt: expected an image, got the motion move; remove it, or use a model of clips'
    )
  })

  test('are repeated for each row', () => {
    expect(TextCondition.repeated([1, 0.5], 2)).toEqual({ shape: [2, 2], data: Float32Array.of(1, 0.5, 1, 0.5) })
  })
})

describe('a long prompt', () => {
  test('of 100,000 words is read in less than a second', () => {
    const spent = seconds(() => {
      expect(drawn(Text.parse('a happy face, '.repeat(33_000)))).toEqual({ ...Text.open, mouth: ['happy'] })
      expect(Text.tokens('top top hat hat top '.repeat(20_000)).slice(0, 5)).toEqual([
        'top',
        'top hat',
        'hat',
        'top',
        'top'
      ])
    })
    expect(spent).toBeLessThan(2)
  })
})

describe('the nearest word', () => {
  test('is the word itself where it is known', () => {
    for (const word of knownWords) expect(nearest(word, knownWords, 1)).toEqual([word])
  })

  test('distance: examples, symmetry and the triangle through a common word', () => {
    expect(editDistance('hat', 'aht')).toBe(1)
    expect(editDistance('kitten', 'sitting')).toBe(3)
    fc.assert(
      fc.property(fc.string({ maxLength: 8 }), fc.string({ maxLength: 8 }), (a, b) => {
        expect(editDistance(a, b)).toBe(editDistance(b, a))
        expect(editDistance(a, b) === 0).toBe(a === b)
        expect(editDistance(a, b)).toBeGreaterThanOrEqual(Math.abs(a.length - b.length))
        expect(editDistance(a, b)).toBeLessThanOrEqual(Math.max(a.length, b.length))
      })
    )
  })
})
