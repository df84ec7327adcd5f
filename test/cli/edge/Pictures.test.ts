import { decode } from 'fast-png'
import * as E from 'fp-ts/lib/Either.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import sharp from 'sharp'
import { describe, expect, it } from 'vitest'
import type { Layout } from '../../../cli/edge/Images.js'
import { needed, picture, pictured, pictures } from '../../../cli/edge/Pictures.js'
import type { Show } from '../../../src/task/Task.js'
import type { Tensor } from '../../../src/tensor/Tensor.js'
import { get } from '../../network/adjoint.js'

const layout: Layout = { columns: 2, scale: 1, padding: 0, background: [0, 0, 0] }
const stills: Show = { _tag: 'Stills', side: 1 }
const moving: Show = { _tag: 'Clips', side: 1, frames: 3 }
const points: Show = { _tag: 'Points', reach: 2 }

/** Two clips of three frames of one grey pixel each. */
const clips: Tensor = { shape: [2, 9], data: Float32Array.from([-1, -0.5, 0, 0.25, 0.5, 1].flatMap((x) => [x, x, x])) }
const greys = [0, 64, 128, 159, 191, 255]

/** The states of a chain of `n` steps on one grey pixel, black to white. */
const chain = (n: number): ReadonlyArray<Tensor> =>
  Array.from({ length: n + 1 }, (_, i) => ({ shape: [1, 3], data: new Float32Array(3).fill((2 * i) / n - 1) }))

const first = (tensor: Tensor | undefined): number | undefined => tensor?.data[0]

describe('pictures of clips', () => {
  it('have a clip a line', async () => {
    const { width, height, data } = decode(get(await pictures(moving, 'png', layout)([clips])()))
    expect([width, height]).toEqual([3, 2])
    expect(Array.from(data).filter((_, i) => i % 3 === 0)).toEqual(greys)
  })

  it('move: a frame of the file has that frame of every clip', async () => {
    const file = get(await pictures(moving, 'gif', layout)([clips])())
    const { pages, width, pageHeight, delay } = await sharp(file, { animated: true }).metadata()
    expect({ pages, width, pageHeight, delay }).toEqual({ pages: 3, width: 2, pageHeight: 1, delay: [120, 120, 120] })
    for (const page of [0, 1, 2]) {
      const raw = await sharp(file, { page }).removeAlpha().raw().toBuffer()
      expect([raw[0], raw[3]]).toEqual([greys[page], greys[page + 3]])
    }
  })

  it('show the end of the chain, whatever the file', () => {
    const states = [clips, { ...clips, data: clips.data.map((x) => -x) }]
    for (const format of ['png', 'gif'] as const) expect(needed(moving, format, states)).toEqual(states.slice(1))
  })
})

describe('pictures of grey stills', () => {
  const grey: Show = { _tag: 'Stills', side: 1, colors: 1 }

  it('have the three colors of each pixel alike', async () => {
    const six: Tensor = { shape: [6, 1], data: Float32Array.of(-1, -0.5, 0, 0.25, 0.5, 1) }
    const { width, height, data } = decode(get(await picture(grey, layout)(six)()))
    expect([width, height]).toEqual([2, 3])
    expect(Array.from(data)).toEqual(greys.flatMap((x) => [x, x, x]))
  })

  it('of other rows are refused', async () => {
    expect(await picture(grey, layout)(clips)()).toEqual(
      E.left(
        'pictures: expected the shape [N, 1], 1 x 1 pixels of grey, got [2, 9]; ' +
          "correct the model, or what the task's 'show' says of its outputs"
      )
    )
  })
})

describe('pictures of a chain on stills', () => {
  it('have its first and last state, and 26 at most', async () => {
    const states = needed(stills, 'gif', chain(100))
    expect(states).toHaveLength(26)
    const file = get(await pictures(stills, 'gif', layout)(states)())
    const { pages, delay } = await sharp(file, { animated: true }).metadata()
    expect([pages, delay]).toEqual([26, [...new Array<number>(25).fill(80), 2000]])
    const grey = async (page: number): Promise<number | undefined> =>
      (await sharp(file, { page }).removeAlpha().raw().toBuffer())[0]
    expect([await grey(0), await grey(25)]).toEqual([0, 255])
  })

  it('are evenly spaced, none twice, and all where there are few', () => {
    const shown = needed(stills, 'gif', chain(50)).map(first)
    expect(shown).toHaveLength(26)
    expect(shown).toEqual(chain(25).map(first))
    expect(needed(stills, 'gif', chain(4))).toEqual(chain(4))
    expect(needed(stills, 'gif', chain(4).slice(0, 1))).toEqual(chain(4).slice(0, 1))
    expect(needed(stills, 'gif', [])).toEqual([])
  })

  it('are its outputs alone in a sheet', async () => {
    expect(needed(stills, 'png', chain(4)).map(first)).toEqual([1])
    const { width, height, data } = decode(get(await pictures(stills, 'png', layout)(chain(4))()))
    // the second column is background
    expect([width, height, ...Array.from(data)]).toEqual([2, 1, 255, 255, 255, 0, 0, 0])
  })
})

describe('outputs that are not what the task says', () => {
  const wide: Tensor = { shape: [2, 12], data: new Float32Array(24) }

  it('are refused in every kind of file, with both sizes', async () => {
    const remedy = "got [2, 12]; correct the model, or what the task's 'show' says of its outputs"
    const still = `pictures: expected the shape [N, 3], 1 x 1 pixels of 3 colors, ${remedy}`
    const clip = `pictures: expected the shape [N, 9], 3 times 1 x 1 pixels of 3 colors, ${remedy}`
    for (const format of ['png', 'gif'] as const) {
      expect(await pictures(stills, format, layout)([wide])()).toEqual(E.left(still))
      expect(await pictures(moving, format, layout)([wide])()).toEqual(E.left(clip))
    }
  })
})

describe('pictures of points', () => {
  const cloud: Tensor = { shape: [3, 2], data: Float32Array.of(0, 0, 1, 1, -1, 0.5) }
  const moved = (by: number): Tensor => ({ ...cloud, data: cloud.data.map((x) => x + by) })

  it('show the outputs, and beside them the ways that some came', async () => {
    const alone = decode(get(await picture(points)(cloud)()))
    const ways = decode(get(await pictures(points, 'png', layout)([moved(1), moved(0.5), cloud])()))
    expect([ways.width, ways.height]).toEqual([2 * alone.width, alone.height])
    const still = decode(get(await pictures(points, 'png', layout)([cloud])()))
    const different = Array.from(ways.data).flatMap((x, i) =>
      x === still.data[i] ? [] : [Math.floor(i / ways.channels) % ways.width]
    )
    // the ways are lines on the right, and the left is the same
    expect(different.length).toBeGreaterThan(100)
    expect(Math.min(...different)).toBeGreaterThanOrEqual(alone.width)
  })

  it('keep 50 states of a chain for the ways, and 26 for the chain at work', () => {
    const states = Array.from({ length: 101 }, (_, i) => moved(i))
    expect(needed(points, 'png', states)).toHaveLength(50)
    expect(needed(points, 'gif', states)).toHaveLength(26)
    expect([needed(points, 'png', states)[0], needed(points, 'png', states).at(-1)]).toEqual([moved(0), moved(100)])
  })

  it('are seen at work', async () => {
    const file = get(await pictures(points, 'gif', layout)([moved(1), cloud])())
    expect((await sharp(file, { animated: true }).metadata()).pages).toBe(2)
  })

  it('of a plane only', async () => {
    const solid: Tensor = { shape: [2, 3], data: new Float32Array(6) }
    const said = E.left('points: expected the shape [N, 2], got [2, 3]; pass one point of the plane a row')
    for (const format of ['png', 'gif'] as const)
      expect(await pictures(points, format, layout)([solid])()).toEqual(said)
    expect(await picture(points)(solid)()).toEqual(said)
  })
})

describe('pictures of a task of its own', () => {
  it('are what it draws, or what it says', async () => {
    const seen: Array<Tensor> = []
    const own: Show = {
      _tag: 'Own',
      png: (rows) => {
        seen.push(rows)
        return TE.right(Uint8Array.of(7))
      }
    }
    expect(await pictures(own, 'png', layout)([clips])()).toEqual(E.right(Uint8Array.of(7)))
    expect(seen).toEqual([clips])
    const failing: Show = { _tag: 'Own', png: () => TE.left('no paper') }
    for (const format of ['png', 'gif'] as const) {
      expect(await pictures(failing, format, layout)([clips])()).toEqual(E.left('no paper'))
    }
  })
})

describe('pictures of what is no image', () => {
  it('are refused where rows are no clips of so many frames', async () => {
    const wrong: Tensor = { shape: [1, 10], data: new Float32Array(10) }
    for (const format of ['png', 'gif'] as const) {
      expect(E.isLeft(await pictures(moving, format, layout)([wrong])())).toBe(true)
    }
  })
})

describe('a picture of many', () => {
  it('has a number of outputs that can be seen', () => {
    expect([stills, moving, points].map(pictured)).toEqual([64, 64, 1024])
  })
})
