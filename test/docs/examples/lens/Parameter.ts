// the example
import { dense, Lens } from 'halforder/lens'
import { Program } from 'halforder/tensor'

const layer = dense(2, 8)
export const program = Program.make({ p: Lens.shapesOf(layer), x: ['batch', 2] }, ({ p, x }) => ({
  y: layer.forward(p, x)
}))
// until here
export const made: unknown = program
