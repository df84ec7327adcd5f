/**
 * Where training starts: parameters as their layers declare them.
 *
 * @since 0.1.0
 */
import * as L from './Lens.js'
import type { Parameter, Parameters } from './Lens.js'
import * as Draw from '../random/Draw.js'
import * as Key from '../random/Key.js'
import type { Values } from '../tensor/Program.js'
import { isDim } from '../tensor/Shape.js'
import { size } from '../tensor/Tensor.js'
import * as Tree from '../tensor/Tree.js'

/**
 * The values that parameters start with, by path: draws of the normals that they declare, in f32. Each leaf has the key's
 * stream of its own path, so a layer's values do not depend on the layers beside it. Dimensions must be literal; a
 * named one counts as 1.
 *
 * @category constructors
 * @since 0.1.0
 */
export const initial = (parameters: Parameters, key: Key.Key): Values =>
  Object.fromEntries(
    Tree.leaves<Parameter>(L.isParameter, parameters).map(([path, { shape, mean, deviation }]) => {
      // programs refuse sizes that are none
      const dims = shape.map((dim) => (typeof dim !== 'number' ? 1 : isDim(dim) ? dim : 0))
      const data = new Float32Array(size(dims))
      if (deviation !== 0) Draw.normalInto(Key.foldInString(key, path), 0, data)
      for (let i = 0; i < data.length; i++) data[i] = mean + deviation * (data[i] ?? 0)
      return [path, { shape: dims, data }]
    })
  )
