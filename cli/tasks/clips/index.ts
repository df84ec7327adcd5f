/**
 * The task `clips`.
 *
 * @since 0.1.0
 */
export { clips as task } from '../faces/Task.js'
