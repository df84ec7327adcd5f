import { describe, expect, test } from 'vitest'
import { clips, frames, still } from '../../../../cli/tasks/clips/Renderer.js'
import { draw, render, renderWith } from '../../../../cli/tasks/faces/Renderer.js'
import * as Clips from '../../../../cli/tasks/clips/Clips.js'
import * as Faces from '../../../../cli/tasks/faces/Faces.js'

const face: Faces.Attributes = {
  skin: 'tan',
  hair: 'short',
  hairColor: 'black',
  glasses: 'none',
  hat: 'none',
  beard: 'none',
  mouth: 'sad',
  clothing: 'red'
}
const other: Faces.Attributes = { ...face, skin: 'dark', mouth: 'happy' }

const { count, features, rows } = clips([face, other])
const perFrame = 768

/** Frame `i` of row `row`, as numbers in [-1, 1]. */
const frame = (row: number, i: number): ReadonlyArray<number> =>
  Array.from(rows([row]).x0.data.subarray(i * perFrame, (i + 1) * perFrame))

const drawn = (one: Faces.Attributes): ReadonlyArray<number> => Array.from(draw([one]).images.data)

describe('clips', () => {
  test('there is one of each face and motion, labelled with both', () => {
    expect([count, features]).toEqual([6, 6144])
    const { x0, labels } = rows([4, 0])
    expect(x0.shape).toEqual([2, 6144])
    expect(Array.from(labels.data)).toEqual([...Clips.encode(other, 'smile'), ...Clips.encode(face, 'blink')])
    expect(Clips.labelWidth).toBe(37)
  })

  test('a blink closes the eyes for two frames, which cover nothing but the eyes', () => {
    const frames = [0, 1, 2, 3, 4, 5, 6, 7].map((i) => frame(0, i))
    const open = drawn(face)
    expect(frames.map((one) => one.every((x, k) => x === open[k]))).toEqual([
      true,
      true,
      true,
      false,
      false,
      true,
      true,
      true
    ])
    const differing = frames[3]?.flatMap((x, k) => (x === open[k] ? [] : [Math.floor(k / 3)])) ?? []
    // rows 5 to 7, columns 4 to 6 and 9 to 11
    for (const pixel of differing) {
      expect([5, 6, 7]).toContain(Math.floor(pixel / 16))
      expect([4, 5, 6, 9, 10, 11]).toContain(pixel % 16)
    }
    expect(new Set(differing).size).toBeGreaterThan(12)
    expect(renderWith('open')(face)).toEqual(render(face))
  })

  test('a smile turns a sad mouth happy half way, whatever the face has', () => {
    for (const [row, one] of [
      [1, face],
      [4, other]
    ] as const) {
      expect(frame(row, 3)).toEqual(drawn({ ...one, mouth: 'sad' }))
      expect(frame(row, 4)).toEqual(drawn({ ...one, mouth: 'happy' }))
    }
  })

  test('a face that moves is the face moved, with background behind', () => {
    const at = (i: number, y: number, x: number): ReadonlyArray<number> =>
      frame(2, i).slice((y * 16 + x) * 3, (y * 16 + x) * 3 + 3)
    for (let y = 0; y < 16; y++) {
      for (let x = 0; x < 16; x++) {
        expect(at(2, y, x)).toEqual(x < 2 ? at(0, 0, 0) : at(0, y, x - 2))
        expect(at(6, y, x)).toEqual(x > 13 ? at(0, 0, 0) : at(0, y, x + 2))
      }
    }
  })

  test('frames are those of the clips, told what each of them shows', () => {
    const source = frames([face, other])
    expect([source.count, source.features]).toEqual([48, perFrame])
    // the second face: a blink's open and closed eyes, a smile before and after, a move to the right
    const [blink, smile, move] = [24, 32, 40]
    const { x0, labels } = source.rows([blink, blink + 3, smile + 3, smile + 4, move + 2])
    const shown = (row: number): ReadonlyArray<number> =>
      Array.from(x0.data.subarray(row * perFrame, (row + 1) * perFrame))
    expect([0, 1, 2, 3, 4].map(shown)).toEqual([frame(3, 0), frame(3, 3), frame(4, 3), frame(4, 4), frame(5, 2)])
    const said = [other, other, { ...other, mouth: 'sad' as const }, other, other]
    expect(Array.from(labels.data)).toEqual(said.flatMap(Faces.encode))
  })

  test('a clip that is still has one frame', () => {
    const { shape, data } = still([other, face])
    expect(shape).toEqual([2, 6144])
    for (let i = 0; i < Clips.frameCount; i++) {
      expect(Array.from(data.subarray(i * perFrame, (i + 1) * perFrame))).toEqual(drawn(other))
    }
  })
})
