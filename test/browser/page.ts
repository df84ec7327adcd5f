/**
 * What runs in the page: the cases, called by name from the test.
 */
import type { Mode } from '../../src/kernel/GpuJs.js'
import { agreement } from './agreement.js'
import { cases } from './cases.js'

Object.assign(globalThis, {
  halforder: {
    agreement: (mode: Mode, name: string) => {
      const example = cases[name]
      if (example === undefined) throw new Error(`there is no case '${name}'`)
      return agreement(mode, example)
    }
  }
})
