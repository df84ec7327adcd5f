// the example
import { Run } from 'halforder/laws'
import { Activation } from 'halforder/lens'

await Run.lens({ name: 'silu', lens: Activation.silu(), argument: ['batch', 3], sizes: { batch: 2 } })
