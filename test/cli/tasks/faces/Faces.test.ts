import * as fc from 'fast-check'
import * as E from 'fp-ts/lib/Either.js'
import { describe, expect, test } from 'vitest'
import * as Faces from '../../../../cli/tasks/faces/Faces.js'
import { type Tensor } from '../../../../src/tensor/Tensor.js'

const columns = Faces.attributeNames.length

const table = (values: ReadonlyArray<number>): Tensor => ({
  shape: [values.length / columns, columns],
  data: Float64Array.from(values)
})

const uniform = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })

const face: fc.Arbitrary<Faces.Attributes> = fc
  .array(uniform, { minLength: columns, maxLength: columns })
  .map((values) => Faces.sample(table(values)))
  .map((sampled) => {
    const [first] = E.isRight(sampled) ? sampled.right : []
    if (first === undefined) throw new Error('uniform numbers give a face')
    return first
  })

describe('the vocabulary', () => {
  test('lists each attribute once', () => {
    expect([...Faces.attributeNames].sort()).toEqual(Object.keys(Faces.vocabulary).sort())
  })

  test.each(Faces.attributeNames)('%s: distinct names, and probabilities that sum to one', (attribute) => {
    const values = Faces.vocabulary[attribute]
    expect(new Set(values.map((value) => value.name)).size).toBe(values.length)
    // a sum of at most 8 numbers below 1 is off by less than 8 units of 2^-53
    expect(Math.abs(values.reduce((total, value) => total + value.probability, 0) - 1)).toBeLessThan(8 * 2 ** -53)
  })

  test('its size', () => {
    expect(Faces.labelWidth).toBe(34)
    expect(Faces.combinations).toBe(46080)
  })
})

describe('the one-hot code', () => {
  test('has one 1 in the block of each attribute', () => {
    fc.assert(
      fc.property(face, (attributes) => {
        const code = Faces.encode(attributes)
        const ones = Faces.attributeNames.map((attribute) => {
          const { offset, width } = Faces.block(attribute)
          return code.slice(offset, offset + width).reduce((total, x) => total + x, 0)
        })
        expect(code.length).toBe(Faces.labelWidth)
        expect(ones).toEqual(Faces.attributeNames.map(() => 1))
      })
    )
  })

  test('decode inverts encode', () => {
    fc.assert(
      fc.property(face, (attributes) => {
        expect(Faces.decode(Faces.encode(attributes))).toEqual(E.right(attributes))
      })
    )
  })

  test('decode takes the greatest score of each block', () => {
    fc.assert(
      fc.property(face, uniform, (attributes, scale) => {
        const scores = Float32Array.from(Faces.encode(attributes), (x) => -5 + (1 + scale) * x)
        expect(Faces.decode(scores)).toEqual(E.right(attributes))
      })
    )
  })

  test('decode refuses another width', () => {
    expect(E.mapLeft(Faces.showError)(Faces.decode([1, 0]))).toEqual(
      E.left('scores: expected the shape [34], got [2]; pass one score for each value of the vocabulary')
    )
  })
})

describe('sampling', () => {
  test.each(Faces.attributeNames)('%s: a fine grid of uniforms gives the declared probabilities', (attribute) => {
    const cells = 4000
    const column = Faces.attributeNames.indexOf(attribute)
    const grid = Array.from({ length: cells * columns }, (_, i) =>
      i % columns === column ? (Math.floor(i / columns) + 0.5) / cells : 0.5
    )
    const sampled = Faces.sample(table(grid))
    const counts = Faces.vocabulary[attribute].map((value) =>
      E.isRight(sampled) ? sampled.right.filter((a) => a[attribute] === value.name).length : 0
    )
    // the probabilities are multiples of 1 / 4000, so no cell straddles two values
    expect(counts).toEqual(Faces.vocabulary[attribute].map((value) => Math.round(value.probability * cells)))
  })

  test('each number decides its own attribute alone', () => {
    fc.assert(
      fc.property(
        fc.array(uniform, { minLength: columns, maxLength: columns }),
        fc.nat({ max: columns - 1 }),
        uniform,
        (values, changed, other) => {
          const result = Faces.sample(table([...values, ...values.with(changed, other)]))
          const [before, after] = E.isRight(result) ? result.right : []
          const different = Faces.attributeNames.filter((attribute) => before?.[attribute] !== after?.[attribute])
          expect(different.filter((attribute) => attribute !== Faces.attributeNames[changed])).toEqual([])
        }
      )
    )
  })

  test('refuses another shape, and numbers outside [0, 1)', () => {
    const message = (uniforms: Tensor): unknown => E.mapLeft(Faces.showError)(Faces.sample(uniforms))
    expect(message({ shape: [2, 3], data: new Float64Array(6) })).toEqual(
      E.left('uniforms: expected the shape [N, 8], got [2, 3]; pass one number for each attribute')
    )
    expect(message(table([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0]))).toEqual(
      E.left('uniforms[1, "glasses"]: expected a number in [0, 1), got 1; draw it with a uniform generator')
    )
    expect(E.isLeft(Faces.sample(table([0, 0, 0, 0, 0, 0, 0, Number.NaN])))).toBe(true)
  })
})

describe('words', () => {
  const plain: Faces.Attributes = {
    skin: 'tan',
    hair: 'bob',
    hairColor: 'blue',
    glasses: 'none',
    hat: 'none',
    beard: 'none',
    mouth: 'sad',
    clothing: 'red'
  }

  test('a face in words', () => {
    expect(Faces.describe(plain)).toBe('a sad face with tan skin and blue bob hair, in red clothes')
    expect(Faces.describe({ ...plain, glasses: 'round', hat: 'green cap', beard: 'full', mouth: 'happy' })).toBe(
      'a happy face with tan skin, blue bob hair, round glasses, a green cap and a full beard, in red clothes'
    )
  })

  test('the codec reads what it writes', () => {
    fc.assert(
      fc.property(face, (attributes) => {
        const text = JSON.stringify(Faces.AttributesCodec.encode(attributes))
        expect(Faces.AttributesCodec.decode(JSON.parse(text))).toEqual(E.right(attributes))
      })
    )
  })

  test('the codec says which value is unknown, and which there are', () => {
    const result = Faces.AttributesCodec.decode({ ...plain, glasses: 'pink' })
    expect(E.isLeft(result) ? result.left.map((error) => error.message) : []).toEqual([
      '"pink" is no value of "glasses": use one of none, round, dark'
    ])
  })
})
