import * as E from 'fp-ts/lib/Either.js'
import sharp from 'sharp'
import { describe, expect, test } from 'vitest'
import { faces } from '../../../../cli/tasks/faces/Renderer.js'
import * as Jpeg from '../../../../cli/tasks/faces/Jpeg.js'
import * as Draw from '../../../../src/random/Draw.js'
import * as Key from '../../../../src/random/Key.js'
import { toFloat32, type Tensor } from '../../../../src/tensor/Tensor.js'
import { get } from '../../../network/adjoint.js'

const drawn = get(faces(Draw.uniform(Key.make(1), [24, 8]))).images
const noise: Tensor = toFloat32({
  shape: [24, 768],
  data: Draw.uniform(Key.make(2), [24, 768]).data.map((u) => 2.4 * u - 1.2)
})

/** The file that the encoder itself makes of a row, enlarged by its own nearest-neighbour interpolation. */
const fileSize = async ({ data }: Tensor, row: number, side = 16): Promise<number> => {
  const width = 3 * side * side
  const bytes = Uint8Array.from(data.subarray(row * width, (row + 1) * width), (v) =>
    Math.round((Math.min(Math.max(v, -1), 1) + 1) * 127.5)
  )
  const file = await sharp(bytes, { raw: { width: side, height: side, channels: 3 } })
    .resize(4 * side, 4 * side, { kernel: 'nearest' })
    .jpeg({ quality: 75, chromaSubsampling: '4:2:0', progressive: false, optimiseCoding: true, mozjpeg: false })
    .toBuffer()
  return file.length
}

describe('the size of a JPEG', () => {
  test.each([
    ['faces', drawn],
    ['noise beyond [-1, 1]', noise]
  ] as const)("of %s is that of the encoder's file, to the byte", async (_, images) => {
    const sizes = get(await Jpeg.jpegSizes(Jpeg.defaultJpegOptions)(images)())
    const files = await Promise.all(Array.from({ length: 24 }, (__, row) => fileSize(images, row)))
    expect(Array.from(sizes)).toEqual(files)
    expect(new Set(files).size).toBeGreaterThan(8)
  })

  test('is a reward with either sign, in kB', async () => {
    const sizes = get(await Jpeg.jpegSizes(Jpeg.defaultJpegOptions)(drawn)())
    const { compressibility, incompressibility } = Jpeg.rewards()
    expect(get(await incompressibility.evaluate(drawn)())).toEqual(Array.from(sizes, (bytes) => bytes / 1000))
    expect(get(await compressibility.evaluate(drawn)())).toEqual(Array.from(sizes, (bytes) => -bytes / 1000))
    expect([compressibility.name, incompressibility.name]).toEqual([
      'compressibility (kB of the JPEG)',
      'incompressibility (kB of the JPEG)'
    ])
  })

  test('of a clip is the mean over its frames', async () => {
    const sizes = Array.from(get(await Jpeg.jpegSizes(Jpeg.defaultJpegOptions)(drawn)()))
    const clips = { shape: [3, 8 * 768], data: drawn.data }
    const found = get(await Jpeg.incompressibility(8).evaluate(clips)())
    const expected = [0, 8, 16].map((at) => sizes.slice(at, at + 8).reduce((a, b) => a + b, 0) / 8 / 1000)
    expect(found).toEqual(expected)
  })

  test('of rows that are no clips is an error that says so', async () => {
    const result = await Jpeg.compressibility(5).evaluate(drawn)()
    expect(E.isLeft(result) ? result.left.reason : '').toBe(
      'images: expected the shape [N, 3 * side * side], got [24, 768] in 5 frames a row; pass clips of square RGB frames'
    )
  })
})
