import { createHash } from 'node:crypto'
import * as E from 'fp-ts/lib/Either.js'
import { describe, expect, test } from 'vitest'
import { draw, faces, render, side } from '../../../../cli/tasks/faces/Renderer.js'
import { toPixels } from '../../../../cli/edge/Images.js'
import * as Faces from '../../../../cli/tasks/faces/Faces.js'
import { tabulate } from '../../../../src/tensor/Tensor.js'

const plain: Faces.Attributes = {
  skin: 'pale',
  hair: 'short',
  hairColor: 'brown',
  glasses: 'none',
  hat: 'none',
  beard: 'none',
  mouth: 'happy',
  clothing: 'red'
}

/** The plain face with each value of an attribute in turn. */
const variations = (attribute: Faces.AttributeName): ReadonlyArray<Faces.Attributes> => {
  const { offset, width } = Faces.block(attribute)
  return Array.from({ length: width }, (_, value) => {
    const code = Faces.encode(plain).map((x, i) =>
      i >= offset && i < offset + width ? (i === offset + value ? 1 : 0) : x
    )
    const decoded = Faces.decode(code)
    if (E.isLeft(decoded)) throw new Error(Faces.showError(decoded.left))
    return decoded.right
  })
}

/** The number of pixels in which two faces differ. */
const distance = (a: Uint8Array, b: Uint8Array): number =>
  Array.from({ length: side * side }, (_, i) => i).filter((i) => [0, 1, 2].some((c) => a[3 * i + c] !== b[3 * i + c]))
    .length

describe('a face', () => {
  test('has 768 bytes on an opaque background', () => {
    const pixels = render(plain)
    expect(pixels).toHaveLength(768)
    expect([...pixels.subarray(0, 3)]).toEqual([0xdf, 0xe6, 0xee])
  })

  test('is the same each time, on every machine', () => {
    const hash = createHash('sha256')
    for (const face of Faces.attributeNames.flatMap(variations)) hash.update(render(face))
    expect(hash.digest('hex')).toBe('740b711d634720b0056ebc7b5e2937a29faa1a1139e488145842fdef613b3346')
  })

  test.each(Faces.attributeNames)('%s: any two values differ in at least four pixels', (attribute) => {
    const drawn = variations(attribute).map(render)
    const close = drawn.flatMap((a, i) => drawn.slice(i + 1).filter((b) => distance(a, b) < 4))
    expect(close).toEqual([])
  })

  test('a beard shows on every skin, in every color', () => {
    const skins = Faces.vocabulary.skin.map((value) => value.name)
    const colors = Faces.vocabulary.hairColor.map((value) => value.name)
    const contrast = skins.flatMap((skin) =>
      colors.map((hairColor) => {
        const bare = render({ ...plain, skin, hairColor })
        const bearded = render({ ...plain, skin, hairColor, beard: 'full' })
        return bearded.reduce((total, byte, i) => total + Math.abs(byte - (bare[i] ?? 0)), 0)
      })
    )
    // with the luminance mask of the style a black beard would change a dark face by 380 in all
    expect(Math.min(...contrast)).toBeGreaterThan(2000)
  })
})

describe('a set of faces', () => {
  test('has the pixels, the code and the words of each face', () => {
    const attributes = [plain, { ...plain, hat: 'red beanie' }, plain] as const
    const set = draw(attributes)
    const pixels = toPixels(set.images)
    expect(set.images.shape).toEqual([3, 768])
    expect(set.labels.shape).toEqual([3, Faces.labelWidth])
    expect(set.attributes).toEqual(attributes)
    expect([...set.labels.data]).toEqual(attributes.flatMap(Faces.encode))
    expect(E.isRight(pixels) ? [...pixels.right.bytes] : []).toEqual(attributes.flatMap((face) => [...render(face)]))
  })

  test('follows from uniform numbers', () => {
    const uniforms = tabulate([20, Faces.attributeNames.length], (i) => (i * 0.618034) % 1)
    const sampled = Faces.sample(uniforms)
    const set = faces(uniforms)
    expect(E.isRight(set) ? set.right : set).toEqual(E.isRight(sampled) ? draw(sampled.right) : sampled)
  })

  test('refuses other numbers', () => {
    expect(E.isLeft(faces(tabulate([2, 3], () => 0)))).toBe(true)
  })
})
