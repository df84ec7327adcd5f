import { describe, expect, test } from 'vitest'
import * as Clips from '../../../../cli/tasks/clips/Clips.js'
import { clips, still } from '../../../../cli/tasks/clips/Renderer.js'
import { task } from '../../../../cli/tasks/clips/index.js'
import type * as Faces from '../../../../cli/tasks/faces/Faces.js'
import * as L from '../../../../src/lens/Lens.js'
import * as Judges from '../../../../src/task/Judges.js'
import * as X from '../../../../src/tensor/Expr.js'
import * as Program from '../../../../src/tensor/Program.js'
import * as Reference from '../../../../src/tensor/Reference.js'
import { rows, type Tensor } from '../../../../src/tensor/Tensor.js'
import { get } from '../../../network/adjoint.js'
import { shipped } from '../faces/drawn.js'

const face: Faces.Attributes = {
  skin: 'tan',
  hair: 'short',
  hairColor: 'black',
  glasses: 'none',
  hat: 'none',
  beard: 'none',
  mouth: 'happy',
  clothing: 'red'
}
const other: Faces.Attributes = { ...face, skin: 'dark', glasses: 'round', hat: 'red beanie', clothing: 'blue' }

const model = shipped('clip')
const judges = get(await task.judges(model)())
const all = new Map(Judges.measures(judges, model))
const [features, width] = [6144, Clips.labelWidth]

const measured = (name: string, x: Tensor, c: Tensor): ReadonlyArray<number> => {
  const found = all.get(name)
  if (found?._tag !== 'Differentiable') throw new Error(`no lens measures ${name}`)
  const program = get(
    Program.make({ p: L.shapes(found.shapes), x: ['batch', features], c: ['batch', width] }, (inputs) => ({
      value: found.lens(X.retype(inputs.c, ['batch', width])).forward(inputs.p, X.retype(inputs.x, ['batch', features]))
    }))
  )
  const bound = { ...Program.under('p', found.parameters), x, c }
  return Array.from(get(Reference.run(program, { batch: x.shape[0] ?? 0 }, bound))['value']?.data ?? [])
}

// a face that blinks, smiles and moves
const { x0, labels } = clips([face]).rows([0, 1, 2])
const wrong: Tensor = {
  shape: labels.shape,
  data: Float32Array.from(Clips.motions.flatMap((motion) => Clips.encode(other, motion)))
}

/** The mean over a clip of a function of a pixel in frames one after the other. */
const meanOver = (row: number, frames: number, f: (...pixels: ReadonlyArray<number>) => number): number => {
  let [total, counted] = [0, 0]
  for (let first = 0; first + frames <= Clips.frameCount; first++) {
    for (let k = 0; k < 768; k++) {
      const at = row * features + first * 768 + k
      total += f(...Array.from({ length: frames }, (_, i) => x0.data[at + 768 * i] ?? NaN))
      counted += 1
    }
  }
  return total / counted
}

describe('the measures of clips', () => {
  test('are told in this order, and by no reward', () => {
    expect([...all.keys()]).toEqual(['smoothness', 'dynamicDegree', 'aesthetic', 'alignment'])
  })

  test('smoothness and dynamic degree are means over pixels, and 0 for what stands still', () => {
    const [smooth, dynamic] = [measured('smoothness', x0, labels), measured('dynamicDegree', x0, labels)]
    for (const row of [0, 1, 2]) {
      expect(smooth[row]).toBeCloseTo(
        meanOver(row, 3, (a = 0, b = 0, c = 0) => -((a - 2 * b + c) ** 2)),
        10
      )
      expect(dynamic[row]).toBeCloseTo(
        meanOver(row, 2, (a = 0, b = 0) => Math.abs(b - a)),
        10
      )
    }
    const one = still([face])
    const c = { shape: [1, width], data: labels.data.slice(0, width) }
    expect(Math.abs(measured('smoothness', one, c)[0] ?? NaN)).toBe(0)
    expect(measured('dynamicDegree', one, c)).toEqual([0])
  })

  test('alignment is high for what the prompt says, in its place or out of it, and low for another face', () => {
    // the face that moves, by up to two pixels; readers are taught to leave 2 % of doubt in each of eight attributes
    const only = (x: Tensor): Tensor => rows(2, 3)(x)
    expect(measured('alignment', only(x0), only(labels))[0]).toBeGreaterThan(-1)
    expect(measured('alignment', only(x0), only(wrong))[0]).toBeLessThan(-6)
  })
})
