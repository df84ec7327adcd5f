import * as E from 'fp-ts/lib/Either.js'
import { expect, test } from 'vitest'
import * as X from '../../src/tensor/Expr.js'
import * as Program from '../../src/tensor/Program.js'
import * as Reference from '../../src/tensor/Reference.js'
import * as Sh from '../../src/tensor/Shape.js'

test('a dimension may be a product, the same whatever the order of its factors', () => {
  expect(Sh.product([2, 'batch', 3, 'batch', 'a'])).toBe('6*a*batch*batch')
  expect(Sh.product(['3*batch', '2*a', 'batch'])).toBe('6*a*batch*batch')
  expect([Sh.product([2, 3]), Sh.product(['batch', 1]), Sh.product(['batch', 0]), Sh.product([])]).toEqual([
    6,
    'batch',
    0,
    1
  ])
  expect(Sh.factors('6*a*batch')).toEqual({ count: 6, names: ['a', 'batch'] })
})

test('products are bound by the sizes of their factors, and refused by the whole name', () => {
  expect(Sh.bind(['4*batch', 'batch*batch', 3], { batch: 5 })).toEqual({ bound: [20, 25, 3], unbound: [] })
  expect(Sh.bind(['4*batch'], {}).unbound).toEqual(['4*batch'])
})

test('a batch is folded into another axis and out of it, and is told apart from another', () => {
  const program = Program.make({ x: ['batch', 4, 3] }, ({ x }) => {
    const rows: X.Expr = X.reshape(x, ['4*batch', 3])
    return { y: X.reshape(X.scale(rows, 2), ['batch', 12]), rows: X.size('4*batch') }
  })
  if (E.isLeft(program)) throw new Error(program.left.map(Sh.showError).join())
  const x = { shape: [2, 4, 3], data: Float64Array.from({ length: 24 }, (_, i) => i) }
  const values = Reference.run(program.right, { batch: 2 }, { x })
  expect(E.isRight(values) && [values.right['y'], values.right['rows']?.data[0]]).toEqual([
    { shape: [2, 12], data: x.data.map((value) => 2 * value) },
    8
  ])
  const wrong = Program.make({ x: ['batch', 4] }, ({ x }) => ({ y: X.reshape<['8*batch']>(x, ['8*batch']) }))
  expect(E.isLeft(wrong) && wrong.left.map(Sh.showError)).toEqual([
    'reshape: expected 4 x batch elements, as [batch, 4] has, got 8 x batch in [8*batch]; keep the number of elements'
  ])
})
