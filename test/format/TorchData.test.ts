import { readdirSync } from 'node:fs'
import * as E from 'fp-ts/lib/Either.js'
import { describe, expect, test } from 'vitest'
import * as Torch from '../../src/format/Torch.js'
import * as Zip from '../../src/format/Zip.js'
import { seconds } from '../cost.js'
import { bytesOf, folder } from '../data.js'

const names = folder === undefined ? [] : readdirSync(`${folder}/torch`)
const good = names.filter((name) => /\.(?:pt|ckpt)$/.test(name))
const refused =
  folder === undefined ? [] : readdirSync(`${folder}/torch/refuse`).filter((name) => name !== 'refuse.json')

const refusals = {
  'build-setstate.pt': 'got the global "posix.system"',
  'crc.pt': 'expected bytes with the checksum',
  'deep.pt': 'at most 1000 containers in one another',
  'eval-p4.pt': 'got the global "builtins.eval"',
  'getattr-chain.pt': 'got the global "torch.serialization.os.system"',
  'huge-size.pt': 'at most 2147483648 bytes',
  'legacy-truncated.pt': 'expected an end at byte',
  'memo-bomb.pt': 'expected tensors, got none',
  'missing-storage.pt': 'expected an entry "archive/data/7", got none',
  'negative-offset.pt': 'whole numbers from 0 on',
  'os-system-legacy.pt': 'got the global "posix.system"',
  'os-system.pt': 'got the global "posix.system"',
  'out-of-bounds.pt': 'expected 16 numbers in its storage, got 4',
  'path-storage.pt': 'expected an entry "archive/data/../../etc/passwd", got none',
  'plain-pickle.pkl': 'got the global "posix.system"',
  'script.pt': 'got a program of TorchScript',
  'setattr.pt': 'got the global "builtins.setattr"',
  'short-storage.pt': 'expected 1600 bytes for 400 numbers of F32, got 16',
  'truncated.pt': 'expected the directory of a zip archive at the end',
  'whole-module.pt': 'got the global "torch.nn.modules.container.Sequential"'
}

const decoded = (path: string): Torch.TorchFile => {
  const file = Torch.decode(bytesOf(path))
  if (E.isLeft(file)) throw new Error(Torch.showError(file.left))
  return file.right
}

/** The arrays of an npz, as numbers: integers beyond 2^53 to the nearest. */
const expectedOf = (path: string): ReadonlyMap<string, ReadonlyArray<number>> => {
  const files = Zip.files(bytesOf(path))
  if (E.isLeft(files)) throw new Error(path)
  return new Map(
    files.right.map(({ name, unpack }) => {
      const content = unpack()
      if (E.isLeft(content)) throw new Error(name)
      return [name.slice(0, -'.npy'.length), numbers(content.right)] as const
    })
  )
}

const numbers = (npy: Uint8Array): ReadonlyArray<number> => {
  const view = new DataView(npy.buffer, npy.byteOffset, npy.byteLength)
  const start = 10 + view.getUint16(8, true)
  const [, kind = '', width = '1'] =
    /'descr': '.(.)(\d)'/.exec(new TextDecoder('latin1').decode(npy.subarray(0, start))) ?? []
  const step = Number(width)
  const length = (npy.length - start) / step
  const read = (at: number): number => {
    switch (`${kind}${step}`) {
      case 'f8':
        return view.getFloat64(at, true)
      case 'f4':
        return view.getFloat32(at, true)
      case 'i8':
        return Number(view.getBigInt64(at, true))
      case 'i4':
        return view.getInt32(at, true)
      case 'i2':
        return view.getInt16(at, true)
      case 'i1':
        return view.getInt8(at)
      case 'f2':
        return half(view.getUint16(at, true))
      default:
        return view.getUint8(at)
    }
  }
  return Array.from({ length }, (_, i) => read(start + i * step))
}

/** Binary16 by its definition. */
const half = (bits: number): number => {
  const [exponent, fraction, sign] = [(bits >> 10) & 31, bits & 1023, bits & 0x8000 ? -1 : 1]
  if (exponent === 31) return fraction === 0 ? sign * Infinity : Number.NaN
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15))
}

describe.skipIf(folder === undefined)('files of torch.save, every form', () => {
  test.each(good)('%s holds what PyTorch saved', (name) => {
    const { tensors } = decoded(`torch/${name}`)
    const expected = expectedOf(`torch/${name.replace(/\.\w+$/, '')}.expected.npz`)
    expect(tensors.map(({ path }) => path.join('|')).sort()).toEqual([...expected.keys()].sort())
    for (const { path, tensor } of tensors) {
      expect({ path, data: [...tensor.data] }).toEqual({ path, data: expected.get(path.join('|')) })
    }
  })

  test.each(Object.entries(refusals))('%s is refused, and says why', (name, message) => {
    const bytes = bytesOf(`torch/refuse/${name}`)
    // the code may be new to the engine the first time
    Torch.decode(bytes)
    const before = process.memoryUsage()
    let result: ReturnType<typeof Torch.decode> | undefined
    expect(seconds(() => (result = Torch.decode(bytes)))).toBeLessThan(0.1)
    const after = process.memoryUsage()
    expect(after.heapUsed + after.arrayBuffers - before.heapUsed - before.arrayBuffers).toBeLessThan(50e6)
    expect(result && E.isLeft(result) && Torch.showError(result.left)).toContain(message)
  })

  test('there is no other', () => {
    expect([...Object.keys(refusals), 'deflated.pt'].sort()).toEqual([...refused].sort())
  })

  test('what PyTorch never writes, but what is plain, is read', () => {
    const values = (file: Torch.TorchFile) => file.tensors.map(({ path, tensor }) => [path, [...tensor.data]])
    expect(values(decoded('torch/refuse/deflated.pt'))).toEqual(values(decoded('torch/simple.pt')))
  })

  test('a checkpoint of PyTorch 2, and one of another tool, which is a bare pickle', () => {
    const { tensors } = decoded('external/mnist-diffusion/DiffusionViT.pth')
    expect([tensors.length, tensors.reduce((n, { tensor }) => n + tensor.data.length, 0)]).toEqual([54, 208_705])
    const bare = Torch.decode(bytesOf('external/mnist-diffusion/DiffusionViT.pickle'))
    expect(E.isLeft(bare) && Torch.showError(bare.left)).toContain('got a pickle of another tool')
  })
})
