/**
 * Tasks: what a command needs to know of a domain.
 *
 * @since 0.1.0
 */
export * as Denoising from './Denoising.js'
export * as Judges from './Judges.js'
export * as Task from './Task.js'

export { denoising } from './Denoising.js'
export { stored, task } from './Task.js'
