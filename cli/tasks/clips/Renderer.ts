/**
 * Draws clips: attributes and a motion in, eight frames of 16 x 16 RGB pixels out.
 *
 * @since 0.1.0
 */
import type { Source } from 'halforder/training/Batches'
import * as Clips from './Clips.js'
import * as Faces from '../faces/Faces.js'
import type { Tensor } from 'halforder/tensor/Tensor'
import { renderWith, side } from '../faces/Renderer.js'

/** The color of what a face that moves away uncovers: its background, as `FaceRenderer` draws it. */
const background: ReadonlyArray<number> = [0xdf, 0xe6, 0xee]

/** A picture moved to the right, with background where it was. */
const moved = (pixels: Uint8Array, shift: number): Uint8Array =>
  Uint8Array.from(pixels, (_, i) => {
    const column = Math.floor(i / 3) % side
    const from = column - shift
    return from < 0 || from >= side ? (background[i % 3] ?? 0) : (pixels[i - 3 * shift] ?? 0)
  })

/**
 * Draws frames, each different picture once: it remembers what it has drawn, about 0.8 kB a picture.
 *
 * @category constructors
 * @since 0.1.0
 */
export const renderer = (): ((frame: Clips.Frame) => Uint8Array) => {
  const drawn = new Map<string, Uint8Array>()
  return ({ face, eyes, shift }) => {
    const key = `${Faces.encode(face).join('')}${eyes}`
    const pixels = drawn.get(key) ?? renderWith(eyes)(face)
    drawn.set(key, pixels)
    return shift === 0 ? pixels : moved(pixels, shift)
  }
}

/**
 * The clips of faces as a source of batches. Row `3 i + j` is face `i` in motion `j`; images are `[N, 6144]` in [-1, 1] in
 * the order frame, height, width, color, and labels as in `Clips.encode`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const clips = (faces: ReadonlyArray<Faces.Attributes>): Source => {
  const draw = renderer()
  const features = Clips.size.reduce((n, d) => n * d, 1)
  const perFrame = features / Clips.frameCount
  return {
    count: faces.length * Clips.motions.length,
    features,
    spans: Clips.spans,
    rows: (indices) => {
      const images = new Float32Array(indices.length * features)
      const labels = new Float32Array(indices.length * Clips.labelWidth)
      Array.from(indices).forEach((index, row) => {
        const face = faces[Math.floor(index / Clips.motions.length)]
        const motion = Clips.motions[index % Clips.motions.length]
        if (face === undefined || motion === undefined) return
        labels.set(Clips.encode(face, motion), row * Clips.labelWidth)
        for (let i = 0; i < Clips.frameCount; i++) {
          const pixels = draw(Clips.frame(face, motion, i))
          const at = row * features + i * perFrame
          for (let k = 0; k < perFrame; k++) images[at + k] = (pixels[k] ?? 0) / 127.5 - 1
        }
      })
      const tensor = (data: Float32Array, width: number): Tensor => ({ shape: [indices.length, width], data })
      return { x0: tensor(images, features), labels: tensor(labels, Clips.labelWidth) }
    }
  }
}

/**
 * The frames of the clips of faces as a source of batches: pictures of faces that are out of their place, or have their eyes
 * closed, too. Row `8 (3 i + j) + k` is frame `k` of face `i` in motion `j`; images are `[N, 768]` in [-1, 1], and labels say what
 * the frame shows, as in `Faces.encode`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const frames = (faces: ReadonlyArray<Faces.Attributes>): Source => {
  const draw = renderer()
  const features = Faces.features
  const ofFace = Clips.motions.length * Clips.frameCount
  return {
    count: faces.length * ofFace,
    features,
    spans: Faces.attributeNames.map(Faces.block),
    rows: (indices) => {
      const images = new Float32Array(indices.length * features)
      const labels = new Float32Array(indices.length * Faces.labelWidth)
      Array.from(indices).forEach((index, row) => {
        const face = faces[Math.floor(index / ofFace)]
        const motion = Clips.motions[Math.floor(index / Clips.frameCount) % Clips.motions.length]
        if (face === undefined || motion === undefined) return
        const frame = Clips.frame(face, motion, index % Clips.frameCount)
        labels.set(Faces.encode(frame.face), row * Faces.labelWidth)
        draw(frame).forEach((byte, k) => (images[row * features + k] = byte / 127.5 - 1))
      })
      const tensor = (data: Float32Array, width: number): Tensor => ({ shape: [indices.length, width], data })
      return { x0: tensor(images, features), labels: tensor(labels, Faces.labelWidth) }
    }
  }
}

/**
 * Clips in which nothing moves, one for each face: `[N, 6144]` in [-1, 1].
 *
 * @category constructors
 * @since 0.1.0
 */
export const still = (faces: ReadonlyArray<Faces.Attributes>): Tensor => {
  const { rows } = clips(faces)
  const features = Clips.size.reduce((n, d) => n * d, 1)
  const perFrame = features / Clips.frameCount
  // the first frame of a blink is the face as it is
  const { x0: images } = rows(faces.map((_, i) => i * Clips.motions.length + Clips.motions.indexOf('blink')))
  return {
    shape: images.shape,
    data: Float32Array.from(images.data, (_, at) => images.data[at - (at % features) + (at % perFrame)] ?? 0)
  }
}
