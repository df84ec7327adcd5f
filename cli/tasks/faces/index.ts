/**
 * The task `faces`.
 *
 * @since 0.1.0
 */
export { faces as task } from './Task.js'
