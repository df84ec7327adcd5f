#!/usr/bin/env node
/**
 * The works of `npm run bench` that are forward passes, as ONNX models run by onnxruntime-node on one thread, driven over stdin and
 * stdout as `bench/Apart.ts` says. With `--probe` it says by its exit code whether onnxruntime-node is there.
 */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { PbfWriter } from 'pbf'

const load = async () => {
  try {
    const runtime = await import('onnxruntime-node')
    return runtime.default ?? runtime
  } catch {
    process.exit(1)
  }
}
const runtime = await load()
if (process.argv.includes('--probe')) process.exit(0)

// numbers of fields are those of onnx/onnx.proto
const float = 1

const tensor = ({ name, shape, data }, pbf) => {
  for (const d of shape) pbf.writeVarintField(1, d)
  pbf.writeVarintField(2, data instanceof BigInt64Array ? 7 : float)
  pbf.writeStringField(8, name)
  pbf.writeBytesField(9, new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
}

const attribute = ([name, value], pbf) => {
  pbf.writeStringField(1, name)
  if (Array.isArray(value)) {
    for (const one of value) pbf.writeVarintField(8, one)
    pbf.writeVarintField(20, 7)
  } else if (typeof value === 'string') {
    pbf.writeBytesField(4, new TextEncoder().encode(value))
    pbf.writeVarintField(20, 3)
  } else {
    pbf.writeVarintField(3, value)
    pbf.writeVarintField(20, 2)
  }
}

const node = ({ op, inputs, output, attributes }, pbf) => {
  for (const input of inputs) pbf.writeStringField(1, input)
  pbf.writeStringField(2, output)
  pbf.writeStringField(4, op)
  for (const one of Object.entries(attributes)) pbf.writeMessage(5, attribute, one)
}

const dim = (d, pbf) => pbf.writeVarintField(1, d)
const shapeOf = (shape, pbf) => shape.forEach((d) => pbf.writeMessage(1, dim, d))
const tensorType = (shape, pbf) => {
  pbf.writeVarintField(1, float)
  pbf.writeMessage(2, shapeOf, shape)
}
const type = (shape, pbf) => pbf.writeMessage(1, tensorType, shape)
const port = ({ name, shape }, pbf) => {
  pbf.writeStringField(1, name)
  pbf.writeMessage(2, type, shape)
}

const graph = ({ nodes, initializers, inputs, output }, pbf) => {
  for (const one of nodes) pbf.writeMessage(1, node, one)
  pbf.writeStringField(2, 'work')
  for (const one of initializers) pbf.writeMessage(5, tensor, one)
  for (const one of inputs) pbf.writeMessage(11, port, one)
  pbf.writeMessage(12, port, output)
}

const model = (parts) => {
  const pbf = new PbfWriter()
  pbf.writeVarintField(1, 8)
  pbf.writeMessage(7, graph, parts)
  pbf.writeMessage(8, (version, out) => out.writeVarintField(2, version), 17)
  return pbf.finish()
}

/** A graph that grows: `add` gives the name of what an operator puts out. */
const growing = () => {
  const nodes = []
  const initializers = []
  return {
    nodes,
    initializers,
    add: (op, inputs, attributes = {}) => {
      const output = `v${nodes.length}`
      nodes.push({ op, inputs, output, attributes })
      return output
    },
    keep: (name, shape, data) => {
      if (!initializers.some((one) => one.name === name)) initializers.push({ name, shape, data })
      return name
    }
  }
}

const works = {
  matmul: (_, given) => {
    const { nodes, add } = growing()
    const y = add('MatMul', ['a', 'b'])
    return { nodes, initializers: [], inputs: ['a', 'b'], output: { name: y, shape: given.a.shape } }
  },
  rollout: ({ T, keep: kept, pull, noise }, given) => {
    const { nodes, initializers, add, keep } = growing()
    const number = (name, value) => keep(name, [], Float32Array.of(value))
    const own = (name) => keep(name, given[name].shape, given[name].data)
    const layer = (x, name) => add('Gemm', [x, own(`${name}.weight`), own(`${name}.bias`)])
    const silu = (x) => add('Mul', [x, add('Sigmoid', [x])])
    let state = 'x'
    for (let t = 0; t < T; t++) {
      const prediction = layer(silu(layer(silu(layer(state, 'first')), 'second')), 'third')
      const eps = add('Gather', ['eps', keep(`t${t}`, [], BigInt64Array.of(BigInt(t)))], { axis: 0 })
      const scaled = (x, name, value) => add('Mul', [x, number(name, value)])
      const mean = add('Add', [scaled(state, 'kept', kept), scaled(prediction, 'pull', pull)])
      state = add('Add', [mean, scaled(eps, 'noise', noise)])
    }
    return { nodes, initializers, inputs: ['x', 'eps'], output: { name: state, shape: given.x.shape } }
  },
  unet: (_, given) => {
    const { nodes, initializers, add, keep } = growing()
    const conv = (x, k) => {
      const [height, width, inner, outer] = given[`w${k}`].shape
      const turned = Float32Array.from({ length: given[`w${k}`].data.length }, (__, at) => {
        const [x0, y0] = [at % width, Math.floor(at / width) % height]
        const [i, o] = [Math.floor(at / width / height) % inner, Math.floor(at / width / height / inner)]
        return given[`w${k}`].data[((y0 * width + x0) * inner + i) * outer + o]
      })
      const weight = keep(`w${k}`, [outer, inner, height, width], turned)
      const bias = keep(`b${k}`, given[`b${k}`].shape, given[`b${k}`].data)
      return add('Conv', [x, weight, bias], { pads: [1, 1, 1, 1], kernel_shape: [height, width] })
    }
    const block = (x, k) => {
      const y = conv(x, k)
      return add('Mul', [y, add('Sigmoid', [y])])
    }
    const pool = (x) => add('AveragePool', [x], { kernel_shape: [2, 2], strides: [2, 2] })
    const scales = keep('scales', [4], Float32Array.of(1, 1, 2, 2))
    const grow = (x) =>
      add('Resize', [x, '', scales], {
        mode: 'nearest',
        nearest_mode: 'floor',
        coordinate_transformation_mode: 'asymmetric'
      })
    const join = (a, b) => add('Concat', [a, b], { axis: 1 })
    const high = block(block(add('Transpose', ['x'], { perm: [0, 3, 1, 2] }), 0), 1)
    const middle = block(block(pool(high), 2), 3)
    const low = block(block(pool(middle), 4), 5)
    const back = block(block(join(grow(low), middle), 6), 7)
    const y = add('Transpose', [conv(block(join(grow(back), high), 8), 9)], { perm: [0, 2, 3, 1] })
    return { nodes, initializers, inputs: ['x'], output: { name: y, shape: given.x.shape } }
  }
}

const made = async (make, settings, given) => {
  const { inputs, ...rest } = works[make](settings, given)
  const bytes = model({ ...rest, inputs: inputs.map((name) => ({ name, shape: given[name].shape })) })
  const session = await runtime.InferenceSession.create(bytes, {
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    graphOptimizationLevel: 'all'
  })
  const feeds = Object.fromEntries(
    inputs.map((name) => [name, new runtime.Tensor('float32', given[name].data, given[name].shape)])
  )
  return async () => (await session.run(feeds))[rest.output.name].data
}

// -------------------------------------------------------------------------------------
// the conversation
// -------------------------------------------------------------------------------------

const answer = (line, data = new Float32Array()) => {
  process.stdout.write(`${JSON.stringify({ ...line, bytes: data.byteLength })}\n`)
  process.stdout.write(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
}

const { version } = JSON.parse(
  readFileSync(createRequire(import.meta.url).resolve('onnxruntime-node/package.json'), 'utf8')
)
answer({ what: `onnxruntime-node ${version}, one thread` })

const chunks = process.stdin[Symbol.asyncIterator]()
let pending = Buffer.alloc(0)
const more = async () => {
  const { done, value } = await chunks.next()
  if (done) process.exit(0)
  pending = Buffer.concat([pending, value])
}
const take = (bytes) => {
  const part = new Uint8Array(pending.subarray(0, bytes))
  pending = pending.subarray(bytes)
  return part
}
const bytesOf = async (count) => {
  while (pending.length < count) await more()
  return take(count)
}

let work
for (;;) {
  while (!pending.includes('\n')) await more()
  const question = JSON.parse(new TextDecoder().decode(take(pending.indexOf('\n') + 1)))
  try {
    if (question.make !== undefined) {
      const given = {}
      for (const [name, shape] of Object.entries(question.arrays)) {
        const data = new Float32Array((await bytesOf(4 * shape.reduce((n, d) => n * d, 1))).buffer)
        given[name] = { shape, data }
      }
      work = await made(question.make, question.settings, given)
      answer({})
    } else {
      const [clock, before] = [performance.now(), process.cpuUsage()]
      const data = await work()
      const { user, system } = process.cpuUsage(before)
      answer({ ms: performance.now() - clock, cpu: (user + system) / 1e3 }, data)
    }
  } catch (error) {
    answer({ fault: String(error) })
  }
}
