/**
 * What a process that may start no workers makes of threads: prints what each run gives, and any rejection that nobody
 * handled.
 */
import * as E from 'fp-ts/lib/Either.js'
import { gpuJs } from '../../src/kernel/index.js'
import * as X from '../../src/tensor/Expr.js'
import * as Program from '../../src/tensor/Program.js'
import { showTargetError } from '../../src/tensor/Target.js'

const unhandled: Array<string> = []
process.on('unhandledRejection', (reason) => unhandled.push(String(reason)))

const program = Program.make({ x: ['batch', 224], w: [224, 224] }, ({ x, w }) => {
  let y = x
  for (let t = 0; t < 16; t++) y = X.tanh(X.matmul(y, w))
  return { y }
})
const values = {
  x: { shape: [64, 224], data: new Float32Array(64 * 224) },
  w: { shape: [224, 224], data: new Float32Array(224 * 224) }
}
const target = gpuJs({ threads: 2 })
const compiled = E.isLeft(program) ? program : target.compile(program.right, { batch: 64 })
const said: Array<string> = []
for (let i = 0; i < 2 && E.isRight(compiled); i++) {
  const result = await compiled.right.run(values)()
  said.push(E.isLeft(result) ? showTargetError(result.left) : 'a right')
}
await target.dispose()
await new Promise((resolve) => void setTimeout(resolve, 20))
process.stdout.write(JSON.stringify({ said, unhandled }))
