// the example
import { Run } from 'halforder/laws'
import { silu } from 'halforder/lens'

await Run.lens({ name: 'silu', lens: silu(), argument: ['batch', 3], sizes: { batch: 2 } })
