/**
 * Draws faces: attributes in, 16 x 16 RGB pixels out.
 *
 * The pixel-art style of DiceBear (design CC0 1.0) is an SVG on a 16 x 16 grid, which resvg renders at exactly one
 * pixel a cell. Every choice of the style is fixed by the attributes or by a constant, so equal attributes are equal
 * pixels.
 *
 * @since 0.1.0
 */
import { createAvatar, type StyleOptions } from '@dicebear/core'
import * as pixelArt from '@dicebear/pixel-art'
import { Resvg } from '@resvg/resvg-js'
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import type * as Clips from '../clips/Clips.js'
import * as Faces from './Faces.js'
import { type Tensor } from 'halforder/tensor/Tensor'
import { fromPixels } from '../../edge/Images.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * Labelled faces. `images` is `[N, 768]` in [-1, 1], f32, each row in the order height, width, channel; `labels` is
 * `[N, labelWidth]`, one-hot, f32; `attributes` has the same labels as words.
 *
 * @category model
 * @since 0.1.0
 */
export interface FaceSet {
  readonly images: Tensor
  readonly labels: Tensor
  readonly attributes: ReadonlyArray<Faces.Attributes>
}

/**
 * The width and the height of a face, in pixels.
 *
 * @category model
 * @since 0.1.0
 */
export const side = 16

type Options = Partial<pixelArt.Options>

const hidden = 0
const shown = 100

// How each value is drawn. The type asks for all values of all attributes: a word without a drawing does not compile.
const drawings: { readonly [A in Faces.AttributeName]: { readonly [V in Faces.ValueName<A>]: Options } } = {
  skin: {
    pale: { skinColor: ['ffdbac'] },
    light: { skinColor: ['eac393'] },
    tan: { skinColor: ['cb9e6e'] },
    brown: { skinColor: ['a26d3d'] },
    dark: { skinColor: ['7a4a2c'] }
  },
  hair: {
    balding: { hair: ['short18'] },
    short: { hair: ['short17'] },
    mohawk: { hair: ['short21'] },
    curly: { hair: ['short13'] },
    bob: { hair: ['long21'] },
    long: { hair: ['long13'] },
    buns: { hair: ['long14'] },
    pigtails: { hair: ['long18'] }
  },
  hairColor: {
    black: { hairColor: ['1c1410'] },
    brown: { hairColor: ['6b4019'] },
    blond: { hairColor: ['e8c14e'] },
    ginger: { hairColor: ['b8501e'] },
    grey: { hairColor: ['a3a5ad'] },
    blue: { hairColor: ['2a7fd0'] }
  },
  glasses: {
    none: { glassesProbability: hidden },
    round: { glassesProbability: shown, glasses: ['light07'] },
    dark: { glassesProbability: shown, glasses: ['dark03'] }
  },
  hat: {
    none: { hatProbability: hidden },
    'red beanie': { hatProbability: shown, hat: ['variant04'], hatColor: ['b81f1f'] },
    'black top hat': { hatProbability: shown, hat: ['variant06'], hatColor: ['26262e'] },
    'green cap': { hatProbability: shown, hat: ['variant07'], hatColor: ['2f8f5b'] }
  },
  beard: {
    none: { beardProbability: hidden },
    full: { beardProbability: shown, beard: ['variant03'] }
  },
  mouth: {
    happy: { mouth: ['happy09'] },
    sad: { mouth: ['sad01'] }
  },
  clothing: {
    red: { clothingColor: ['c8324a'] },
    blue: { clothingColor: ['3b76c4'] },
    green: { clothingColor: ['2e9e62'] },
    yellow: { clothingColor: ['f0b429'] }
  }
}

// The choices that no attribute makes. An option that is left out would be drawn from the seed.
const constants: StyleOptions<pixelArt.Options> = {
  seed: 'halforder',
  size: side,
  backgroundColor: ['dfe6ee'],
  backgroundType: ['solid'],
  backgroundRotation: [0],
  accessories: [],
  accessoriesProbability: hidden,
  accessoriesColor: ['ffffff'],
  clothing: ['variant03'],
  eyes: ['variant09'],
  eyesColor: ['26262e'],
  glassesColor: ['141418'],
  mouthColor: ['e31b1b'],
  // without glasses, hat or beard these are not drawn, yet they have to be fixed
  glasses: ['light07'],
  hat: ['variant04'],
  hatColor: ['b81f1f'],
  beard: ['variant03']
}

// -------------------------------------------------------------------------------------
// interpreters
// -------------------------------------------------------------------------------------

/**
 * A face as an SVG document of 16 by 16 units, on an opaque background.
 *
 * The style masks a beard by the luminance of the hair's color, which makes dark beards invisible. Here the mask is its
 * alpha, so that every beard shows. The style has no closed eyes: they are skin with a dark line.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const toSvg = (face: Faces.Attributes, eyes: Clips.Frame['eyes'] = 'open'): string => {
  const svg = createAvatar(pixelArt, {
    ...constants,
    ...drawings.skin[face.skin],
    ...drawings.hair[face.hair],
    ...drawings.hairColor[face.hairColor],
    ...drawings.glasses[face.glasses],
    ...drawings.hat[face.hat],
    ...drawings.beard[face.beard],
    ...drawings.mouth[face.mouth],
    ...drawings.clothing[face.clothing]
  })
    .toString()
    .replaceAll('style="mask-type:luminance"', 'mask-type="alpha"')
  return eyes === 'open' ? svg : svg.replace(openEyes.white, '').replace(openEyes.pupils, closedEyes)
}

/** How the style draws the eyes that `constants` choose: whites and pupils. */
const openEyes = { white: 'M4 5h3v3H4zM9 5h3v3H9z', pupils: 'M10 6h1v1h-1zM5 6h1v1H5z' } as const

const closedEyes = 'M4 6h3v1H4zM9 6h3v1H9z'

/**
 * The pixels of a face: 768 bytes in the order height, width, channel. Takes about 0.15 ms.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const render = (face: Faces.Attributes): Uint8Array => renderWith('open')(face)

/**
 * The pixels of a face with its eyes open or closed, as `render` gives them.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const renderWith =
  (eyes: Clips.Frame['eyes']) =>
  (face: Faces.Attributes): Uint8Array => {
    // Faces have no text, and looking for the system's fonts takes a hundred times as long as drawing.
    const rgba = new Resvg(toSvg(face, eyes), { font: { loadSystemFonts: false } }).render().pixels
    const rgb = new Uint8Array(side * side * 3)
    for (let i = 0; i < rgb.length; i++) rgb[i] = rgba[Math.floor(i / 3) * 4 + (i % 3)] ?? 0
    return rgb
  }

/**
 * Labelled faces from their attributes. Faces that occur more than once are drawn once.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const draw = (attributes: ReadonlyArray<Faces.Attributes>): FaceSet => {
  const drawn = new Map<string, Uint8Array>()
  const bytes = new Uint8ClampedArray(attributes.length * side * side * 3)
  const labels = new Float32Array(attributes.length * Faces.labelWidth)
  attributes.forEach((face, i) => {
    const code = Faces.encode(face)
    const key = code.join('')
    const pixels = drawn.get(key) ?? render(face)
    drawn.set(key, pixels)
    bytes.set(pixels, i * pixels.length)
    labels.set(code, i * code.length)
  })
  return {
    images: fromPixels({ count: attributes.length, side, bytes }),
    labels: { shape: [attributes.length, Faces.labelWidth], data: labels },
    attributes
  }
}

/**
 * Labelled faces from uniform numbers `[N, 8]` in [0, 1), as `Faces.sample` chooses them.
 *
 * @category constructors
 * @since 0.1.0
 */
export const faces = (uniforms: Tensor): E.Either<Faces.FacesError, FaceSet> =>
  pipe(Faces.sample(uniforms), E.map(draw))
