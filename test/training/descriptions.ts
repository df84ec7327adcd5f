import type { LatentDescription, UnetDescription } from '../../src/network/Description.js'
import * as Faces from '../../cli/tasks/faces/Faces.js'

const labels = Faces.labelWidth

/** A U-Net of rows of 6 numbers. */
export const tinyUnet: UnetDescription = {
  kind: 'unet',
  size: [2, 1, 3],
  labels,
  patch: 1,
  channels: [4],
  groups: 2,
  embedding: 4,
  share: 'flow'
}

/** A denoiser of 3 latents of rows of 6 numbers. */
export const tinyLatent: LatentDescription = {
  kind: 'latent',
  size: [3, 1, 2],
  patch: 1,
  channels: [4],
  groups: 2,
  latent: 1,
  labels,
  hidden: 5,
  blocks: 1,
  embedding: 4,
  share: 'cosine'
}
