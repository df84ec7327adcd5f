import * as E from 'fp-ts/lib/Either.js'
import { expect, test } from 'vitest'
import { encode } from '../../src/format/Safetensors.js'
import * as Sharded from '../../src/format/Sharded.js'
import type { Values } from '../../src/tensor/Program.js'

const tensor = (value: number): Values[string] => ({ shape: [1], data: Float32Array.of(value) })

const shard = (tensors: Values): Uint8Array => {
  const bytes = encode('own')({ tensors, metadata: {} })
  if (E.isLeft(bytes)) throw new Error('no file')
  return bytes.right
}

const said = <A>(result: E.Either<Sharded.ShardedError, A>): string =>
  E.isLeft(result) ? Sharded.showShardedError(result.left) : 'read'

const map = { a: 'one.safetensors', b: 'two.safetensors', c: 'one.safetensors' }
const files = {
  'one.safetensors': shard({ a: tensor(1), c: tensor(3) }),
  'two.safetensors': shard({ b: tensor(2) })
}

test('the tensors of all files are those of the index', () => {
  const index = Sharded.index(JSON.stringify({ metadata: { total_size: 12 }, weight_map: map }))
  expect(index).toEqual(E.right(map))
  expect(Sharded.files(map)).toEqual(['one.safetensors', 'two.safetensors'])
  expect(Sharded.join(map, files)).toEqual(E.right({ a: tensor(1), b: tensor(2), c: tensor(3) }))
})

test('an index is refused that is none, or that names files elsewhere', () => {
  expect(said(Sharded.index('{'))).toContain('expected JSON')
  expect(said(Sharded.index('{"weight_map": {"a": 1}}'))).toContain('weight_map.a: expected')
  for (const file of ['../x', '/etc/passwd', '..', 'a\\b', '']) {
    expect(said(Sharded.index(JSON.stringify({ weight_map: { a: file } })))).toContain(
      'expected names of files beside the index'
    )
  }
})

test('files that are not those of the index are refused', () => {
  expect(said(Sharded.join(map, { 'one.safetensors': files['one.safetensors'] }))).toContain(
    '"two.safetensors": header length'
  )
  const other = shard({ b: tensor(2), d: tensor(4) })
  expect(said(Sharded.join(map, { ...files, 'two.safetensors': other }))).toBe(
    '"d": expected in the index, got "two.safetensors"; copy all files of one model'
  )
  expect(said(Sharded.join({ ...map, e: 'two.safetensors' }, files))).toBe(
    '"e": expected in "two.safetensors", as the index has it, got no such tensor; copy all files of one model'
  )
})
