import * as TE from 'fp-ts/lib/TaskEither.js'
import { expect, test } from 'vitest'
import { autoMode } from '../../../cli/edge/AutoMode.js'
import { usage } from '../../../cli/edge/Failure.js'

test('where there is no WebGPU, the mode is webasm, and it is said why', async () => {
  const said: Array<string> = []
  const absent = (): TE.TaskEither<ReturnType<typeof usage>, void> => TE.left(usage('mode webgpu: not installed'))
  expect(await autoMode((line) => said.push(line), absent)()).toBe('webasm')
  expect(said).toEqual([expect.stringMatching(/^mode auto: webasm \(webasm \d+\.\d\d ms; webgpu: not installed\)$/)])
})
