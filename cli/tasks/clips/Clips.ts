/**
 * Clips of faces as attributes and a motion: what each frame shows, and the code in which a network reads them.
 *
 * @since 0.1.0
 */
import type { Span } from 'halforder/lens/Columns'
import * as Faces from '../faces/Faces.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * What a face does: `blink` closes the eyes for two frames, `smile` turns a sad mouth happy half way, `move` sways by up
 * to two pixels to either side.
 *
 * @category model
 * @since 0.1.0
 */
export type Motion = (typeof motions)[number]

/**
 * Every motion.
 *
 * @category constants
 * @since 0.1.0
 */
export const motions = ['blink', 'smile', 'move'] as const

/**
 * One frame: the face, whether its eyes are open, and how many pixels it is moved to the right.
 *
 * @category model
 * @since 0.1.0
 */
export interface Frame {
  readonly face: Faces.Attributes
  readonly eyes: 'open' | 'closed'
  readonly shift: number
}

/**
 * The frames of a clip.
 *
 * @category constants
 * @since 0.1.0
 */
export const frameCount = 8

/**
 * The size of a clip: frames, height, width, colors.
 *
 * @category constants
 * @since 0.1.0
 */
export const size: ReadonlyArray<number> = [frameCount, 16, 16, 3]

// -------------------------------------------------------------------------------------
// frames
// -------------------------------------------------------------------------------------

const sway: ReadonlyArray<number> = [0, 1, 2, 1, 0, -1, -2, -1]

/**
 * What a frame of a face's clip shows.
 *
 * @category constructors
 * @since 0.1.0
 */
export const frame = (face: Faces.Attributes, motion: Motion, index: number): Frame => {
  const still: Frame = { face, eyes: 'open', shift: 0 }
  switch (motion) {
    case 'blink':
      return index === 3 || index === 4 ? { ...still, eyes: 'closed' } : still
    case 'smile':
      return { ...still, face: { ...face, mouth: index < frameCount / 2 ? 'sad' : 'happy' } }
    case 'move':
      return { ...still, shift: sway[index] ?? 0 }
  }
}

// -------------------------------------------------------------------------------------
// the one-hot code
// -------------------------------------------------------------------------------------

/**
 * The width of the code: that of faces, and one place for each motion.
 *
 * @category utils
 * @since 0.1.0
 */
export const labelWidth: number = Faces.labelWidth + motions.length

/**
 * The one-hot code of a clip: the face's, then the motion's.
 *
 * @category combinators
 * @since 0.1.0
 */
export const encode = (face: Faces.Attributes, motion: Motion): ReadonlyArray<number> => [
  ...Faces.encode(face),
  ...motions.map((name) => (name === motion ? 1 : 0))
]

/**
 * Which columns of the code belong together: those of each attribute of the face, and the motions.
 *
 * @category utils
 * @since 0.1.0
 */
export const spans: ReadonlyArray<Span> = [
  ...Faces.attributeNames.map(Faces.block),
  { offset: Faces.labelWidth, width: motions.length }
]
